#!/bin/sh
# SPDX-License-Identifier: ISC
# What makes a Debian system in a directory the test's machine.
#
# usage: customize.sh DIRECTORY
set -eu
root=$1

echo portbroker >"$root/etc/hostname"
echo 127.0.0.1 localhost portbroker >"$root/etc/hosts"
# Only what it takes to mount the disk: everything is slow without KVM.
sed -i 's/^MODULES=.*/MODULES=list/' "$root/etc/initramfs-tools/initramfs.conf"
printf '%s\n' virtio_pci virtio_blk ext4 >>"$root/etc/initramfs-tools/modules"
chroot "$root" update-initramfs -u -k all

# The second disk has the test, which prints on the second serial port.
cat >"$root/etc/systemd/system/portbroker-test.service" <<'END'
[Unit]
After=dbus.service systemd-user-sessions.service
ConditionPathExists=/dev/vdb

[Service]
Type=exec
ExecStartPre=/bin/mount -o ro /dev/vdb /mnt
ExecStart=/bin/sh /mnt/guest.sh
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
OOMScoreAdjust=-900

[Install]
WantedBy=multi-user.target
END
chroot "$root" systemctl enable portbroker-test.service
for unit in nginx haproxy ssh redis-server; do
    chroot "$root" systemctl disable "$unit.service" || true
done
chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer logrotate.timer man-db.timer getty@tty1.service \
    systemd-networkd-wait-online.service
