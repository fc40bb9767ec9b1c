#!/bin/sh
# SPDX-License-Identifier: ISC
# Static analysis by clang-tidy (.clang-tidy), cppcheck and gcc -fanalyzer, and
# valgrind with --track-fds=yes over brokerd and the unit programs.  What is
# accepted is in accepted.txt, with reasons.  The last line is "N passed, N
# failed".
#
# usage: sh tests/analyse/run.sh [PART ...]
# PART is one of clang-tidy, cppcheck, gcc, valgrind-brokerd and valgrind-unit.
# BUILD in the environment is a build directory, without sanitizers; without it
# one is made.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
sh "$top/tests/packages.sh" clang-tidy-14 cppcheck gcc python3 valgrind
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE
build=${BUILD:-}
if [ -z "$build" ]; then
    sh "$top/tests/packages.sh" autoconf automake bison check libcap-ng-dev \
        libevent-dev libjansson-dev libtool make pkg-config
    work=$(mktemp -d /tmp/brokerd-analyse-XXXXXX)
    chmod 755 "$work"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    top=$(sh "$top/tests/source.sh" "$work/source")
    build=$work/build
    sh "$top/tests/build.sh" "$build" CFLAGS="-O1 -g" >/dev/null
    make -s -j"$(nproc)" -C "$build" check TESTS= >/dev/null
fi
python3 "$top/tests/analyse/analyse.py" "$top" "$build" "$@"
