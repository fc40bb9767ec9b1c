#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures what fdrecv-exec adds to nginx: nothing, it
# should be; see exec.py.  Root only.
#
# usage: sh tests/bench/exec.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" apache2-utils iproute2 nginx python3 strace \
    util-linux wrk
work=$(mktemp -d /tmp/brokerd-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
from=$(sh "$top/tests/source.sh" "$work/source")
mkdir "$work/build" "$work/stage"
cd "$work/build"
"$from/configure" --quiet --prefix="$work/stage" CFLAGS="-O2 -g"
make -s -j"$(nproc)" >/dev/null
make -s install >/dev/null
chmod -R a+rX "$work"
unshare --net sh -c 'ip link set lo up; exec "$@"' sh \
    python3 "$top/tests/bench/exec.py" "$work/stage" "$@"
