# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# pci=nocrs,realloc: without the windows that ACPI names, and with Linux ready
# to assign everything anew.

truncate -s 8M disk.raw
pci_guest --rng -d disk.raw -p "quiet pci=nocrs,realloc" <<'GUEST'
say ignored $(dmesg | grep -c 'Ignoring host bridge windows')
say disk $(disk_io 3)
say rng $(rng_io)
v=$(pci_of vda)
r=$(pci_of rng)
again $v $r
say place $(($(bar $v 1)))
say again $(disk_io 30) $(rng_io)
finish
GUEST
expect_no_complaints
expect_eq "'Ignoring host bridge windows'" 1 "$(value ignored)"
expect_eq "disk" ok "$(value disk)"
expect_eq "bytes from the rng" 64 "$(value rng)"
expect_eq "disk and rng after a rescan" "ok 64" "$(value again)"
# Not in the window that ACPI names, which begins at 0xc0000000.
expect_eq "place of the memory BAR, behind the end of RAM" $((0x10000000)) \
	"$(value place)"
