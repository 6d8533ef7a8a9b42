# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Runs in L1: for each VMM in the image a boot and the disk requests, as lines
# "@ VMM WORK NANOSECONDS".

# timed NAME-WHAT COMMAND...: sets $ns. The output goes to memory first: with
# the share to the host the wait for the host would count.
timed()
{
	name=${1%-*} what=${1#*-}
	shift
	stopwatch "/tmp/$name-$what.log" "$@" >/tmp/time
	read -r ns status </tmp/time
	[ "$status" = 0 ] || echo "$name: $what ended with status $status"
	cp "/tmp/$name-$what.log" /out/
}

boot_result()
{
	[ "$status" = 0 ] && echo "@ $name boot $ns"
}

disk_results()
{
	sed -n "s/^@ /@ $name /p" "/tmp/$name-disk.log" | tr -d '\r'
}

# 32 MiB that are not holes.
while [ "$(stat -c %s /tmp/disk.raw 2>/dev/null || echo 0)" -lt 33554432 ]; do
	cat /bench/vmlinuz >>/tmp/disk.raw
done
truncate -s 32M /tmp/disk.raw

if [ -e /bench/qemu ]; then
	set -- /usr/bin/qemu-system-x86_64 -M pc -bios qboot.rom -accel kvm \
		-cpu host -m 256 -smp 1 -display none -nodefaults -no-reboot \
		-serial stdio -kernel /bench/vmlinuz -append console=ttyS0
	timed qemu-boot "$@" -initrd /bench/boot.cpio
	boot_result
	timed qemu-disk "$@" -initrd /bench/disk.cpio \
		-drive if=none,id=d,format=raw,file=/tmp/disk.raw \
		-device virtio-blk-pci,drive=d
	disk_results
fi
for vmm in lkvm peer; do
	[ -e "/bench/$vmm" ] || continue
	set -- "/bench/$vmm" run -k /bench/vmlinuz -m 256 -c 1 -n mode=none
	timed "$vmm-boot" "$@" -i /bench/boot.cpio
	boot_result
	timed "$vmm-disk" "$@" -i /bench/disk.cpio -d /tmp/disk.raw
	disk_results
done
echo "@done"
