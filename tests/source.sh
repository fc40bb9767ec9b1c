#!/bin/sh
# SPDX-License-Identifier: ISC
# Prints the directory to build from, with ./configure in it: this tree, or,
# since configure refuses to build elsewhere from a tree that has been
# configured in place, a clean copy of it.
#
# usage: source.sh DIRECTORY
# DIRECTORY does not exist yet; the copy goes there.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
copy=$1

# Runs a command that says something only if it fails.
quietly() {
    log=$("$@" 2>&1) || {
        printf '%s\n' "$log" >&2
        exit 1
    }
}

if [ -e "$top/config.status" ]; then
    mkdir "$copy"
    tar -C "$top" --exclude=./.git -cf "$copy.tar" .
    tar -C "$copy" -xf "$copy.tar"
    rm "$copy.tar"
    quietly make -s -C "$copy" distclean
    top=$copy
fi
[ -x "$top/configure" ] || quietly "$top/autogen.sh"
echo "$top"
