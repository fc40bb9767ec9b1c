#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures how long clients of one owner wait while
# another owner does what it likes; see shares.py.  Root only.
#
# usage: sh tests/bench/shares.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" iproute2 libmicrohttpd-dev python3 util-linux
work=$(mktemp -d /tmp/brokerd-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
from=$(sh "$top/tests/source.sh" "$work/source")
sh "$from/tests/build.sh" "$work/build" CFLAGS="-O2 -g" >/dev/null
unshare --net sh -c 'ip link set lo up; exec "$@"' sh \
    python3 "$top/tests/bench/shares.py" "$work/build/stage" \
    "$work/build/tests/tools" "$@"
