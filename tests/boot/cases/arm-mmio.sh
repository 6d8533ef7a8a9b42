# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154
# virtio over MMIO: no PCI function but the host bridge.
# shellcheck source=tests/boot/arm.sh
. "$CASES/../arm.sh"

devices --virtio-transport mmio
expect_eq "PCI functions" 1 "$(value devices)"
expect_out "@irq.*GICv3 .*Level.*virtio0"
