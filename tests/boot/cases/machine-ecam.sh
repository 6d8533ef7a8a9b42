# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# Configuration space is reached through ECAM, 4 KiB for every function.

machine_boot
section dmesg >dmesg
grep -iE 'mmconfig|ecam' dmesg
grep -qiE 'PCI: (Using )?(MMCONFIG|ECAM)|PCI: MMCONFIG for domain' dmesg ||
	fail "expected dmesg to say that MMCONFIG is used"
section pci >pci
cat pci
expect_least "PCI functions" 2 "$(wc -l <pci)"
while read -r name size got _; do
	expect_eq "size of the configuration space of $name" 4096 "$size"
	expect_eq "bytes read from it" 4096 "$got"
done <pci
