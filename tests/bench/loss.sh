#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures what is lost when servers are killed, restarted,
# reloaded or upgraded under load, with the broker and with other programs; see
# loss.py.  Root only.  It takes about 20 minutes, `quick` about 4, and
# writes what it prints to loss.json, too.
#
# usage: sh tests/bench/loss.sh [quick] [OPTION ...] [NAME ...]
#
# All runs in namespaces that end with it.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" -eq 0 ] || { echo "loss.sh: needs root, for namespaces" >&2; exit 1; }
pace="--seconds 30"
if [ "${1:-}" = quick ]; then
    pace="--seconds 3"
    shift
fi
sh "$top/tests/packages.sh" autoconf automake bison check gcc gunicorn haproxy \
    iproute2 libcap-ng-dev libevent-dev libjansson-dev libmicrohttpd-dev \
    libseccomp-dev libtool make nginx pkg-config python3 util-linux uvicorn
. "$top/tests/bench/release.sh"
# shellcheck disable=SC2086 # two words
unshare --net --pid --fork --kill-child --mount-proc \
    sh -c 'ip link set lo up; exec "$@"' sh \
    python3 "$top/tests/bench/loss.py" --json loss.json $pace "$stage" \
    "$stage/tools" "$@"
