#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures what a hand-off costs; see handoff.py.
#
# usage: sh tests/bench/handoff.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" libmicrohttpd-dev
work=$(mktemp -d /tmp/brokerd-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
from=$(sh "$top/tests/source.sh" "$work/source")
sh "$from/tests/build.sh" "$work/build" CFLAGS="-O2 -g" >/dev/null
stage=$work/build/stage
set -- python3 "$top/tests/bench/handoff.py" "$stage" "$stage/tools" "$@"
if [ "$(id -u)" -eq 0 ]; then
    unshare --net sh -c 'ip link set lo up; exec "$@"' sh "$@"
else
    "$@"
fi
