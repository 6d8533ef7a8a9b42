# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# pci=noacpi: ACPI for power and processors, the MP table for interrupts, nothing
# for PCI: Linux moves all BARs, to places it finds free itself.

truncate -s 8M disk.raw
pci_guest --rng -d disk.raw -p "quiet pci=noacpi" <<'GUEST'
say acpi $(dmesg | grep -c 'ACPI: PCI Root Bridge')
say disk $(disk_io 3)
say rng $(rng_io)
again $(pci_of vda) $(pci_of rng)
say again $(disk_io 30) $(rng_io)
echo "@begin irqs"
grep -E 'APIC|MSI|PIC' /proc/interrupts
echo "@end irqs"
finish
GUEST
# Said whenever the MP table sets the SCI's trigger.
expect_no_complaints "ACPI: setting ELCR"
section irqs
expect_eq "root bridges by ACPI" 0 "$(value acpi)"
expect_eq "disk" ok "$(value disk)"
expect_eq "bytes from the rng" 64 "$(value rng)"
expect_eq "disk and rng after a rescan" "ok 64" "$(value again)"
