# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# acpi=off: processors, interrupts and buses by the MP table; PCI by the ports
# 0xcf8 and 0xcfc. Interrupt lines, as MSI would not show what the table says.

truncate -s 8M disk.raw
pci_guest --rng -d disk.raw -c 2 -p "quiet acpi=off pci=nomsi" <<'GUEST'
say cpus $(nproc)
say table $(dmesg | grep -c 'MPTABLE: OEM ID: LKVM')
say type1 $(dmesg | grep -c 'PCI: Using configuration type 1 for base access')
say disk $(disk_io 3)
say rng $(rng_io)
again $(pci_of vda) $(pci_of rng)
say again $(disk_io 30) $(rng_io)
echo "@begin irqs"
cat /proc/interrupts
echo "@end irqs"
finish
GUEST
expect_no_complaints
section irqs >irqs
grep -E 'IO-APIC|XT-PIC' irqs
expect_eq "CPUs" 2 "$(value cpus)"
expect_eq "MP tables" 1 "$(value table)"
expect_eq "PCI by configuration type 1" 1 "$(value type1)"
expect_eq "disk" ok "$(value disk)"
expect_eq "bytes from the rng" 64 "$(value rng)"
expect_eq "disk and rng after a rescan" "ok 64" "$(value again)"
expect_eq "the disk's interrupt line" 1 \
	"$(grep -cE 'IO-APIC +17-fasteoi +virtio[0-9]$' irqs)"
expect_eq "the rng's interrupt line" 1 \
	"$(grep -cE 'IO-APIC +18-fasteoi +virtio[0-9]$' irqs)"
