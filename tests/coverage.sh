#!/bin/sh
# SPDX-License-Identifier: ISC
# Measures which lines the unit and the integration tests execute: a table by
# folder and file, below it the lines that nothing executes, and as its last
# line "N passed, N failed", one for each folder and its goal.
#
# usage: sh tests/coverage.sh [-l] [NAME ...]
# -l also prints the lines that nothing executes.  NAME chooses integration
# tests by a part of their name.  KEEP=1 leaves the working directory.
#
# The counters are a file that is mapped into each process (clang's continuous
# mode), so they survive the kill of a process.  All users write to it.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
lines=
if [ "${1:-}" = -l ]; then
    lines=$1
    shift
fi
sh "$top/tests/packages.sh" autoconf automake bison check clang-14 curl iproute2 \
    libcap-ng-dev libclang-rt-14-dev libevent-dev libjansson-dev \
    libmicrohttpd-dev libtool llvm-14 make pkg-config procps python3 strace \
    util-linux
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH

work=$(mktemp -d /tmp/brokerd-coverage-XXXXXX)
chmod 755 "$work"
if [ "${KEEP:-0}" = 1 ]; then
    echo "working directory: $work"
else
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
fi
from=$(sh "$top/tests/source.sh" "$work/source")
counters=$work/build/stage/counters
mkdir -p "$counters"
chmod 1777 "$counters"


flags="-fprofile-instr-generate=$counters/%c%m -mllvm -runtime-counter-relocation"
EXAMPLE_CFLAGS=$flags sh "$from/tests/build.sh" "$work/build" \
    --disable-hardening CC="${CC:-clang-14}" \
    CFLAGS="-O1 -g $flags -fcoverage-mapping" >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}

# So that there is a file of each program and library, and all may write to it.
stage=$work/build/stage
umask 0
for program in "$stage"/*bin/* "$stage"/libexec/* "$stage"/tools/* \
    "$work"/build/check_*; do
    [ ! -x "$program" ] || LD_PRELOAD=$stage/lib/libfdrecv-bind.so CK_RUN_CASE=none \
        timeout 5 "$program" --help >/dev/null 2>&1 </dev/null || true
done
chmod a+w "$counters"/*
umask 022

make -k -s -C "$work/build" check >"$work/log" 2>&1 || grep -h ':[FE]:' "$work/build"/*.log || true
for suite in root user; do
    if [ $suite = root ] && [ "$(id -u)" -ne 0 ]; then
        echo "skipped: integration as root: needs root"
        continue
    fi
    sh "$from/tests/integration.sh" "$work/build" $suite "$@" >"$work/log" || true
    grep ^FAIL "$work/log" || true
    tail -n 1 "$work/log"
done
for way in libexec/brokerd-conf "sbin/brokerd -t -c"; do
    # shellcheck disable=SC2086 # a program and its options
    set -- $way
    program=$stage/$1
    shift
    python3 "$stage/integration/bad/run.py" "$program" "$@" | tail -n 1
done

llvm-profdata-14 merge -o "$work/data" "$counters"/*
set --
for program in "$stage"/bin/* "$stage"/libexec/* "$stage"/lib/*.so \
    "$work"/build/check_*; do
    [ ! -f "$program" ] || [ ! -x "$program" ] || set -- "$@" "-object=$program"
done
first=$stage/sbin/brokerd
llvm-cov-14 export "$first" "$@" -format=lcov -instr-profile="$work/data" \
    2>/dev/null | python3 "$top/tests/lint/coverage.py" "$from" $lines
