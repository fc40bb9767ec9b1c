#!/bin/sh
# SPDX-License-Identifier: ISC
# Load, restarts of workers, reloads, upgrades, kills of each process and
# hostile peers, all at once, for a number of minutes: every connection is
# accounted for, and processes, threads, descriptors, files and memory may not
# grow.  Prints the seed of what happens, and as the last line "N passed, N
# failed".
#
# usage: sh tests/soak.sh MINUTES [SEED]
# STAGE in the environment is a tree that tests/build.sh has staged; without it
# one is built.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
minutes=${1:?usage: soak.sh MINUTES [SEED]}
if [ "$(id -u)" -ne 0 ]; then
    echo "skipped: needs root, for hostile peers of another user"
    echo "0 passed, 0 failed"
    exit 0
fi
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE
stage=${STAGE:-}
if [ -z "$stage" ]; then
    sh "$top/tests/packages.sh" autoconf automake bison check gcc iproute2 \
        libcap-ng-dev libevent-dev libjansson-dev libtool make pkg-config \
        python3 util-linux
    work=$(mktemp -d /tmp/brokerd-soak-XXXXXX)
    chmod 755 "$work"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    from=$(sh "$top/tests/source.sh" "$work/source")
    sh "$from/tests/build.sh" "$work/build" >/dev/null
    stage=$work/build/stage
fi
# Not exec: the first process of the namespace has to wait for orphans.
unshare --net --pid --fork --kill-child --mount-proc sh -c \
    'ip link set lo up; "$@"; exit $?' sh \
    python3 "$stage/integration/soak.py" "$stage" "$@"
