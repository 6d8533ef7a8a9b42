# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# GICv3 without ITS: PCI devices interrupt by INTx, level-triggered; 4 CPUs.

truncate -s 1M disk.raw
guest --rng -d disk.raw -c 4 --irqchip gicv3 <<'GUEST'
grep -E 'virtio|ttyS0' /proc/interrupts | sed 's/^/@irq /'
echo "@ stolen $(dmesg | grep -c 'using stolen time PV')"
echo "@ cpus $(nproc)"
dd if=/dev/vda of=/dev/null bs=64k 2>/dev/null && echo "@ disk read"
dd if=/dev/hwrng bs=16 count=1 2>/dev/null | wc -c | sed 's/^/@ rng /'
echo "@ devices $(ls /sys/bus/pci/devices | wc -l)"
poweroff -f
GUEST
expect_status 0
expect_eq "stolen time" 1 "$(value stolen)"
expect_eq "disk" read "$(value disk)"
expect_eq "random bytes" 16 "$(value rng)"
expect_eq "CPUs" 4 "$(value cpus)"
expect_out "@irq.*GICv3 .*Level.*virtio0"
