#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures how long clients of one owner wait while
# another owner, or a stranger, does what it likes; see floods.py.  Root only.
#
# usage: sh tests/bench/floods.sh [ROUNDS [FLOOD...]]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" iproute2 libmicrohttpd-dev python3 util-linux
. "$top/tests/bench/release.sh"
unshare --net sh -c 'ip link set lo up; exec "$@"' sh \
    python3 "$top/tests/bench/floods.py" "$stage" \
    "$work/build/tests/tools" "$@"
