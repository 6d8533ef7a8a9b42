# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# lspci understands every function: a host bridge, and PCIe capabilities.

machine_boot
section lspci >lspci
cat lspci
grep -q '^00:00.0 Host bridge' lspci || fail "expected a host bridge at 00:00.0"
# Every function has the capability, the host bridge included.
expect_eq "functions with a PCIe capability" "$(section pci | wc -l)" \
	"$(grep -c 'Capabilities: .* Express' lspci)"
expect_eq "lines with 'unknown' or '!!!'" 0 \
	"$(grep -cE '!!!|[Uu]nknown header|access denied' lspci)"
