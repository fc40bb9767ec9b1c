#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures how long clients of one owner wait while
# another owner does what it likes; see shares.py.  Root only.
#
# usage: sh tests/bench/shares.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" iproute2 libmicrohttpd-dev python3 util-linux
. "$top/tests/bench/release.sh"
unshare --net sh -c 'ip link set lo up; exec "$@"' sh \
    python3 "$top/tests/bench/shares.py" "$stage" \
    "$work/build/tests/tools" "$@"
