# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Linux's legacy driver: registers in a port BAR, queues in one piece. Disk,
# console and random numbers over it, with MSI-X and, after a suspend, again.

head -c 4194304 /dev/urandom >disk.raw
cp disk.raw before.raw
sum=$(md5sum <disk.raw | cut -d' ' -f1)
pci_guest --rng -d disk.raw --virtio-legacy --console virtio \
	-p 'quiet suspend.pm_test_delay=1' <<'GUEST'
v=$(pci_of vda)
say ids $(cat /sys/bus/pci/devices/$v/device /sys/bus/pci/devices/$v/revision)
say features $(cat /sys/block/vda/device/features)
say sum $(md5sum </dev/vda | cut -d' ' -f1)
say disk $(disk_io 500)
say rng $(rng_io)
grep virtio /proc/interrupts | sed 's/^/@irq /'
# A new driver finds a device that has forgotten the old one.
echo $v >/sys/bus/pci/drivers/virtio-pci/unbind
echo $v >/sys/bus/pci/drivers/virtio-pci/bind
say again $(disk_io 600)
suspend
say resumed $(disk_io 700) $(rng_io)
head -c 65536 /dev/zero | dd of=/dev/vda bs=64k oflag=direct 2>/dev/null
finish
GUEST
expect_no_complaints
expect_eq "device and revision" "0x1001 0x00" "$(value ids)"
expect_eq "what the disk held" "$sum" "$(value sum)"
expect_eq "disk" ok "$(value disk)"
expect_eq "random bytes" 64 "$(value rng)"
expect_eq "disk with a new driver" ok "$(value again)"
expect_eq "after a suspend" "ok 64" "$(value resumed)"
expect_out "@irq.*-MSI .*virtio[0-9]-req.0"
# Linux prints bit 0 first. Those from 32 up are not offered.
expect_eq "features behind the legacy ones" 0 \
	"$(value features | cut -c33-64 | tr -d '0' | wc -m | awk '{ print $1 - 1 }')"
cmp -n 65536 disk.raw /dev/zero || fail "the guest's zeroes are not in the image"
