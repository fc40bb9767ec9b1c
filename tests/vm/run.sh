#!/bin/sh
# SPDX-License-Identifier: ISC
# Starts a Debian system in a virtual machine, installs the packages there, and
# tests them under systemd.  The last line is "N passed, N failed".
#
# usage: sh tests/vm/run.sh [bookworm|trixie [NAME ...]]
# NAME chooses integration tests by a part of their name, which then run there as
# well.  KEEP=DIRECTORY leaves the packages and the console's log there, and takes
# the packages from there if there are any.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
suite=${1:-bookworm}
[ $# -eq 0 ] || shift

skip() {
    echo "skipped: machine: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
[ "$(id -u)" -eq 0 ] || skip "making a Debian system needs root"
[ -e "$top/.git" ] || skip "debian/ is in the repository only"
sh "$top/tests/packages.sh" e2fsprogs git mmdebstrap qemu-system-x86 util-linux ||
    skip "qemu cannot be installed"

case $suite in
bookworm) t64= ;;
*) t64=t64 ;;
esac
machine=$(dirname "$(sh "$top/tests/deb/root.sh" "$suite" machine \
    systemd-sysv linux-image-cloud-amd64 initramfs-tools udev dbus kmod \
    iproute2 procps python3 curl strace libcap2-bin libcap-ng0 \
    "libevent-core-2.1-7$t64" "libevent-extra-2.1-7$t64" libjansson4 \
    libseccomp2 libmicrohttpd12$t64 selinux-basics selinux-policy-default \
    policycoreutils nginx-light haproxy openssh-server)")

if [ -n "${KEEP:-}" ]; then
    mkdir -p "$KEEP"
    work=$(cd "$KEEP" && pwd)
else
    work=$(mktemp -d /tmp/brokerd-vm-XXXXXX)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
fi
if [ ! -d "$work/shared/packages" ]; then
    # shellcheck disable=SC2046 # a word or none
    sh "$top/tests/deb/build.sh" "$suite" "$work" \
        $([ $# -eq 0 ] || echo stage) >"$work/build.log" 2>&1 || {
        tail -n 40 "$work/build.log"
        echo "0 passed, 1 failed"
        exit 1
    }
fi

# The second disk.
rm -rf "$work/disk" "$work/disk.img"
mkdir "$work/disk"
cp "$top"/tests/vm/*.py "$top/doc/SERVICES.md" "$work/disk/"
mkdir "$work/disk/packages"
cp "$work"/shared/packages/*.deb "$work/disk/packages/"
rm "$work"/disk/packages/*-dbgsym_*
cp -r "$work/shared/tools" "$work/disk/"
[ ! -d "$work/shared/build" ] || cp -r "$work/shared/build" "$work/disk/"
echo "$@" >"$work/disk/integration"
echo exec python3 -B /mnt/guest.py >"$work/disk/guest.sh"
truncate -s 512M "$work/disk.img"
mke2fs -q -t ext4 -d "$work/disk" "$work/disk.img"

rm -f "$work/result"
# Software emulation: KVM in a virtual machine is seldom there or sound.
timeout 3000 qemu-system-x86_64 -accel tcg,thread=multi -m 1500 -smp 2 \
    -kernel "$machine/kernel" -initrd "$machine/initrd" \
    -append "root=/dev/vda rw console=ttyS0 quiet" \
    -drive "file=$machine/disk,format=raw,if=virtio,snapshot=on" \
    -drive "file=$work/disk.img,format=raw,if=virtio,readonly=on" \
    -display none -nic none -serial "file:$work/console" \
    -serial "file:$work/result" -monitor none </dev/null &
qemu=$!
trap 'kill $qemu 2>/dev/null; [ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT
# Shows what the machine says as it says it.
tail -F --pid="$qemu" -n +1 "$work/result" 2>/dev/null | tr -d '\r' |
    tee "$work/output"
wait "$qemu" || true
case $(tail -n 1 "$work/output") in
[1-9]*" passed, 0 failed") ;;
[0-9]*" passed, "[0-9]*" failed") exit 1 ;;
*)
    tail -n 20 "$work/console"
    echo "0 passed, 1 failed"
    exit 1
    ;;
esac
