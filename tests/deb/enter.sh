#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs a command as root in a copy of a Debian system, with a network.  Nothing
# of it is left when the command has ended, but what it changed is there again
# the next time.
#
# usage: enter.sh ROOT CHANGES SHARED COMMAND ...
# ROOT is what root.sh printed.  What the command changes goes to the directory
# CHANGES.  The directory SHARED is /shared in there.
set -eu
root=$1
changes=$2
shared=$3
shift 3
mkdir -p "$changes/upper" "$changes/work" "$changes/root"
export root changes shared
# shellcheck disable=SC2016 # the inner shell expands them
exec unshare --mount --pid --fork --kill-child sh -c '
    set -eu
    mount -t overlay overlay -o \
        "lowerdir=$root,upperdir=$changes/upper,workdir=$changes/work" \
        "$changes/root"
    cd "$changes/root"
    mkdir -p shared
    mount --bind "$shared" shared
    mount -t proc proc proc
    mount --rbind /dev dev
    cp /etc/resolv.conf etc/
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        TZ="${TZ:-UTC}" DEBIAN_FRONTEND=noninteractive chroot . "$@"' sh "$@"
