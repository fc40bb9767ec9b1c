#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release and measures what fdrecv-exec adds to nginx: nothing, it
# should be; see exec.py.  Root only.
#
# usage: sh tests/bench/exec.sh [ROUNDS]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" apache2-utils iproute2 libmicrohttpd-dev nginx \
    python3 strace util-linux wrk
. "$top/tests/bench/release.sh"
unshare --net sh -c 'ip link set lo up; exec "$@"' sh \
    python3 "$top/tests/bench/exec.py" "$stage" "$@"
