# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# l1: gicv2
# shellcheck shell=sh disable=SC2154
# GICv2: INTx, 4 CPUs.
# shellcheck source=tests/boot/arm.sh
. "$CASES/../arm.sh"

devices -c 4 --irqchip gicv2
expect_eq "CPUs" 4 "$(value cpus)"
expect_out "@irq.*GIC-0 .*Level.*virtio0"
