#!/bin/sh
# SPDX-License-Identifier: ISC
# Real programs that were never changed behind brokerd: each one under an
# account of its own and without a capability, on a port below 1024 in a network
# namespace of the tests, restarted three times under load.  See service.py.
# Prints a table; the last line is "N passed, N failed", and the exit status
# is 0 if none failed.
#
# usage: sh tests/services/run.sh [STAGE [NAME ...]]
# STAGE is the prefix that everything was installed to, with the test tools in
# STAGE/tools; without it, or with "", they are built.  NAME chooses programs
# by a part of their name.
#
# Only root can run it.  Packages that are missing are installed; where an init
# system runs, Debian starts some of them, on ports of the machine's own.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
stage=${1:-}
[ $# -eq 0 ] || shift
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

if [ "$(id -u)" -ne 0 ]; then
    echo "skipped: needs root, for accounts and namespaces"
    echo "0 passed, 0 failed"
    exit 0
fi
sh "$top/tests/packages.sh" iproute2 python3 strace util-linux
# One that cannot be had keeps no other away: its program is skipped.
python3 "$top/tests/services/run.py" --packages | while read -r packages; do
    # shellcheck disable=SC2086 # a list of names
    sh "$top/tests/packages.sh" $packages || true
done

work=$(mktemp -d /tmp/brokerd-services-XXXXXX)
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
unshare --net --mount sh -c 'ip link set lo up; exec "$@"' sh \
    python3 "$top/tests/services/run.py" "$stage" "$@"
