#!/bin/sh
# SPDX-License-Identifier: ISC
# Configures a build anew with another prefix, and checks that nothing of what
# it installs contains the one before.  The last line is "N passed, N failed".
#
# usage: sh tests/prefix.sh DIRECTORY
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$1"
before=$(sed -n 's/^prefix = //p' Makefile)
after=/opt/another-prefix
destination=$PWD/another-prefix

eval "set -- $(./config.status --config)"
log=$({
    "$top/configure" "$@" --prefix="$after" --sysconfdir="$after/etc" &&
        make -s -j"$(nproc)" &&
        make -s install DESTDIR="$destination"
} 2>&1) || {
    printf '%s\n' "$log"
    echo "0 passed, 1 failed"
    exit 1
}
if grep -rlF "$before" "$destination"; then
    echo "FAIL another prefix: these contain $before"
    echo "0 passed, 1 failed"
    exit 1
fi
echo "1 passed, 0 failed"
