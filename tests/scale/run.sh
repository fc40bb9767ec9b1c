#!/bin/sh
# SPDX-License-Identifier: ISC
# The recipes of doc/SCALE.md for load balancers: HAProxy, keepalived, IPVS, and
# the way of an orchestrator, each in network namespaces with a router, two
# machines with a broker, and clients.  Machines are drained, stopped and started
# under load, and each connection is accounted for.  The last line is "N passed,
# N failed", and the exit status is 0 if none failed.
#
# usage: sh tests/scale/run.sh [STAGE [NAME ...]]
# STAGE is the prefix that everything was installed to, with the test tools in
# STAGE/tools; without it, or with "", they are built.  NAME chooses recipes.
#
# Only root can run it.  Packages that are missing are installed; where an init
# system runs, Debian starts some of them.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
stage=${1:-}
[ $# -eq 0 ] || shift
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

if [ "$(id -u)" -ne 0 ]; then
    echo "skipped: needs root, for namespaces"
    echo "0 passed, 0 failed"
    exit 0
fi
sh "$top/tests/packages.sh" iproute2 python3 util-linux
# One that cannot be had keeps no other away: its recipe is skipped.
for package in haproxy keepalived ipvsadm nftables; do
    sh "$top/tests/packages.sh" "$package" || true
done

work=$(mktemp -d /tmp/brokerd-scale-XXXXXX)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
if [ -z "$stage" ]; then
    sh "$top/tests/packages.sh" autoconf automake bison check gcc \
        libcap-ng-dev libevent-dev libjansson-dev libmicrohttpd-dev libseccomp-dev libtool \
        make pkg-config
    from=$(sh "$top/tests/source.sh" "$work/source")
    sh "$from/tests/build.sh" "$work/build" >/dev/null
    stage=$work/build/stage
fi
cd "$work"
# ip-netns(8) keeps its namespaces below /run/netns.
mkdir -p /run/netns
unshare --net --mount --pid --fork --kill-child --mount-proc sh -c '
    mount -t tmpfs tmpfs /run/netns
    ip link set lo up
    "$@"; exit $?' sh python3 "$top/tests/scale/run.py" "$stage" "$@"
