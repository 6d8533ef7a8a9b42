# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# What the host uses itself is refused before there is a VM: a mounted block
# device, a partition's disk, a file behind a loop device.

need_root
# ext4 asks for its checksum by an alias, which busybox does not know.
modprobe -a loop crc32c_generic ext4 2>/dev/null
truncate -s 4M image
mke2fs -F image >/dev/null 2>&1 || skip "no mke2fs"
loop=$(losetup -f) || skip "no loop device"
losetup "$loop" image || skip "no loop device"
mkdir -p mnt
mount -t ext4 "$loop" mnt || {
	losetup -d "$loop"
	skip "cannot mount ext4"
}
# shellcheck disable=SC2064 # now
trap "umount $PWD/mnt; losetup -d $loop" EXIT

# refused OPTION TEXT
refused()
{
	lk run -k "$LAB/vmlinuz" -d "$1" -m 64 -n mode=none --timeout 20
	cat err
	expect_status 128
	expect_err "$2"
}

refused "$loop" "$loop: is mounted at $PWD/mnt"
refused "$loop,ro" "is mounted at"
refused image "image: $loop of this host stands on it"
umount mnt
# Somebody else has it, and it is not mounted.
exec 8<>"$loop"
cp "$LAB/vmlinuz" kernel
lk run -k kernel -d "$loop" -m 256 -n mode=none --timeout 1
exec 8>&-
[ "$status" != 128 ] || fail "a block device that is only open was refused"
mount -t ext4 "$loop" mnt
