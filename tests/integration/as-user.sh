#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs a command as an ordinary user, in user, mount, process and network
# namespaces of its own: loopback is up, any port may be bound, and the root
# directory is an empty one of this user's with the system mounted into it,
# since one that belongs to an unmapped user is, rightly, not trusted.
#
# usage: as-user.sh DIRECTORY COMMAND ...
# DIRECTORY is seen at the same place inside; so is /tmp, as a new one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

case ${AS_USER_STEP:-start} in
start)
    # Root takes the uid of nobody's account first.
    if [ "$(id -u)" -eq 0 ]; then
        exec setpriv --reuid=60592 --regid=60592 --clear-groups \
            env AS_USER_STEP=unshare sh "$here/as-user.sh" "$@"
    fi
    AS_USER_STEP=unshare exec sh "$here/as-user.sh" "$@"
    ;;
unshare)
    AS_USER_STEP=mount exec unshare --user --map-root-user --mount --net \
        --pid --fork --kill-child --mount-proc \
        sh "$here/as-user.sh" "$@"
    ;;
mount)
    directory=$1
    shift
    ip link set lo up
    echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
    mount -t tmpfs -o mode=755 tmpfs /mnt
    PATH=$PATH:/usr/sbin:/sbin
    for name in /bin /dev /etc /lib /lib64 /proc /sbin /sys /usr \
        "$here" "$directory"; do
        [ -d "$name" ] || continue
        mkdir -p "/mnt$name"
        mount --rbind "$name" "/mnt$name"
    done
    mkdir -p /mnt/tmp /mnt/old
    chmod 1777 /mnt/tmp
    pivot_root /mnt /mnt/old
    cd /
    umount -l /old
    unset AS_USER_STEP
    # Not exec: the first process has to wait for orphans.
    HOME=/tmp unshare --user --map-user=1000 --map-group=1000 "$@"
    exit
    ;;
esac
