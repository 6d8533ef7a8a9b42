# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154
# GICv3 with ITS: messages of PCI devices are LPIs.
# shellcheck source=tests/boot/arm.sh
. "$CASES/../arm.sh"

devices --irqchip gicv3-its
expect_out "@irq.*ITS-MSI.*virtio0-req"
