# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# arch: x86
#
# A host without an IOMMU says so.

device=$(basename "$(find /sys/bus/pci/devices/ -name '0000*' | head -n 1)")
echo kernel >kernel
lk run -k kernel -m 64 -c 1 --vfio-pci "$device"
expect_status 77
expect_err "$device: this host uses no IOMMU.*intel_iommu=on"
"$LKVM" vfio list 2>err && fail "list finds something"
expect_err 'this host uses no IOMMU'
