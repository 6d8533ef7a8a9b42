# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# The kernel's warnings and errors name none of our tables and devices.

machine_boot
section dmesg >dmesg
expect_least "lines of dmesg" 100 "$(wc -l <dmesg)"
# What the stock kernel says at warning level in every VM of this lab:
# - CPU features and mitigations of the emulated processor, ours or not.
# - "acpi PNP0A08:00: fail to add MMCONFIG information" is ours, so not here.
# - "pci_bus 0000:00: Unknown NUMA node" and the like need no ECAM: not seen.
grep -E '^<[0-4]>' dmesg | sed 's/^<.>\[[^]]*\] //' |
	grep -iE 'acpi|bios|firmware|pci|ecam|mmconfig|e820|serial|8250|ttyS|rtc|i8042|virtio|vd[a-z]|hwrng|mptable|ioapic|apic|irq |tsc|clocksource|efi|smbios|pvpanic|mtrr|resource' \
	>named
# - The RTC has no alarm interrupt that wakes from S3: info only elsewhere.
# - No MTRRs to read with some host CPUs: nothing a table of ours could say.
grep -vE 'IBPB-extending|MTRR: Disabled' named >bad || true
if [ -s bad ]; then
	cat bad
	fail "expected no warnings that name our tables or devices"
fi
expect_eq "firmware bugs, of any level" 0 \
	"$(grep -ciE 'firmware bug|bios bug|bios error' dmesg)"
