#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds a release, measures it and what people use instead, and says where it
# is not first; see run.py and doc/bench/README.md.  It takes 40 minutes, and
# with "quick" 5.  Root only: it installs the contestants, and runs them under
# several users in a network of its own.
#
# usage: sh tests/bench/run.sh [quick] [--record] [option ...]; --help has all
set -eu
began=$(date +%s)
top=$(cd "$(dirname "$0")/../.." && pwd)
if [ "$(id -u)" -ne 0 ]; then
    echo "it needs root, to install and run the contestants" >&2
    exit 77
fi
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
sh "$top/tests/packages.sh" autoconf automake bison check gcc git gnuplot-nox \
    haproxy iproute2 libcap-ng-dev libevent-dev libjansson-dev \
    libmicrohttpd-dev libnginx-mod-stream libseccomp-dev libtool make nginx \
    nodejs openbsd-inetd pkg-config procps python3 python3-httptools \
    python3-uvicorn python3-uvloop systemd ucspi-tcp util-linux wrk
. "$top/tests/bench/release.sh"
# With many listeners, clients need ports that are not theirs.
unshare --net --pid --fork --kill-child --mount-proc sh -c '
    ip link set lo up
    sysctl -qw net.ipv4.ip_local_port_range="46000 65535"; exec "$@"' sh \
    python3 "$top/tests/bench/run.py" "$stage" --began "$began" "$@"
