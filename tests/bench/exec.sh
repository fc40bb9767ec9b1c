#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures what fdrecv-exec adds to nginx: nothing, it
# should be; see exec.py.  Root only.
#
# usage: sh tests/bench/exec.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" apache2-utils iproute2 libmicrohttpd-dev nginx \
    python3 strace util-linux wrk
work=$(mktemp -d /tmp/brokerd-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
from=$(sh "$top/tests/source.sh" "$work/source")
sh "$from/tests/build.sh" "$work/build" CFLAGS="-O2 -g" >/dev/null
unshare --net sh -c 'ip link set lo up; exec "$@"' sh \
    python3 "$top/tests/bench/exec.py" "$work/build/stage" "$@"
