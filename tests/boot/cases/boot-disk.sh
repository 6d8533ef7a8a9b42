# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# An ext4 raw disk as root, found by the virtio drivers of an initramfs, with
# no options beyond the kernel, the initramfs and the disk.

root_disk
mkfifo in
exec 9<>in
lk_start run -k "$LAB/vmlinuz" -i "$LAB/guest.cpio" -d disk.img
wait_out "disk-init: root is /dev/"
# The shell of the disk: say it twice, as a shell that comes up may flush its
# terminal.
wait_out "# "
echo 'echo "@ shell on" $(stat -f -c %T /); exit' >&9
lk_wait 120
expect_status 0
expect_out "disk-init: root is /dev/.* / ext4 rw"
expect_out "^@ shell on ext"
