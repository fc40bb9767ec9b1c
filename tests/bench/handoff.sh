#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures what a hand-off costs, compared with other ways
# to do it and with larger brokers; see handoff.py and scale.py.  Both take about
# a minute for a round.
#
# usage: sh tests/bench/handoff.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" iproute2 libmicrohttpd-dev python3 util-linux
. "$top/tests/bench/release.sh"
for script in handoff.py scale.py; do
    set -- python3 "$top/tests/bench/$script" "$stage" "$stage/tools" "$@"
    if [ "$(id -u)" -eq 0 ]; then
        unshare --net sh -c 'ip link set lo up; exec "$@"' sh "$@"
    else
        "$@"
    fi
    shift 4
done
