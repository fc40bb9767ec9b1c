#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures what a hand-off costs; see handoff.py.
#
# usage: sh tests/bench/handoff.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" libmicrohttpd-dev
. "$top/tests/bench/release.sh"
set -- python3 "$top/tests/bench/handoff.py" "$stage" "$stage/tools" "$@"
if [ "$(id -u)" -eq 0 ]; then
    unshare --net sh -c 'ip link set lo up; exec "$@"' sh "$@"
else
    "$@"
fi
