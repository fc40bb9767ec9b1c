#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures what a hand-off costs; see handoff.py.
#
# usage: sh tests/bench/handoff.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/brokerd-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
from=$(sh "$top/tests/source.sh" "$work/source")
mkdir "$work/build" "$work/stage" "$work/stage/tools"
cd "$work/build"
"$from/configure" --quiet --prefix="$work/stage" CFLAGS="-O2 -g"
make -s -j"$(nproc)" >/dev/null
make -s install >/dev/null
for tool in tests/tools/*; do
    [ ! -f "$tool" ] || [ ! -x "$tool" ] || cp "$tool" "$work/stage/tools/"
done
chmod -R a+rX "$work"
set -- python3 "$top/tests/bench/handoff.py" "$work/stage" \
    "$work/stage/tools" "$@"
if [ "$(id -u)" -eq 0 ]; then
    unshare --net sh -c 'ip link set lo up; exec "$@"' sh "$@"
else
    "$@"
fi
