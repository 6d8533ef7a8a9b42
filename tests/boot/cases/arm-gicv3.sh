# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154
# GICv3 without ITS: PCI devices interrupt by INTx, level-triggered; 4 CPUs.
# shellcheck source=tests/boot/arm.sh
. "$CASES/../arm.sh"

devices -c 4 --irqchip gicv3
expect_eq "stolen time" 1 "$(value stolen)"
expect_eq "CPUs" 4 "$(value cpus)"
expect_out "@irq.*GICv3 .*Level.*virtio0"
