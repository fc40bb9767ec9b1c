#!/bin/sh
# SPDX-License-Identifier: ISC
# Prints the name of a directory with a Debian system, which the package
# mmdebstrap makes.  It is made once and kept in /var/cache/portbroker, or
# $PORTBROKER_CACHE, under a hash of what it is made of; nobody changes it
# afterwards.
#
# usage: root.sh SUITE KIND [PACKAGE ...]
# KIND is a variant of mmdebstrap(1), or "machine": one that can boot, for which
# the files "kernel", "initrd" and "disk" are made beside the directory.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
suite=$1
kind=$2
shift 2
cache=${PORTBROKER_CACHE:-/var/cache/portbroker}
hook=$top/tests/vm/customize.sh
[ "$kind" = machine ] || hook=/dev/null
key=$(echo "$@" | cat - "$hook" | sha256sum | cut -c 1-12)
made=$cache/$suite-$kind-$key

# One at a time: others wait for what this one makes.
mkdir -p "$cache"
exec 9>"$cache/$suite-$kind.lock"
flock 9
if [ ! -d "$made" ]; then
    rm -rf "$cache/$suite-$kind-"* # what this one replaces
    mkdir "$made.new"
    variant=$kind
    [ "$kind" != machine ] || variant=minbase
    set -- --quiet --variant="$variant" ${1:+"--include=$*"} \
        --customize-hook="sh $hook \"\$1\"" "$suite" "$made.new/root"
    nice -n 19 mmdebstrap "$@" >"$made.new/log" 2>&1 || {
        tail -n 40 "$made.new/log" >&2
        exit 1
    }
    if [ "$kind" = machine ]; then
        mv "$made.new/root/boot/"vmlinuz-* "$made.new/kernel"
        mv "$made.new/root/boot/"initrd.img-* "$made.new/initrd"
        truncate -s 3G "$made.new/disk"
        mke2fs -q -t ext4 -d "$made.new/root" "$made.new/disk"
        rm -rf "$made.new/root"
        mkdir "$made.new/root"
    fi
    mv "$made.new" "$made"
fi
echo "$made/root"
