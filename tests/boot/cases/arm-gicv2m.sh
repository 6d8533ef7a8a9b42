# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# l1: gicv2
# shellcheck shell=sh disable=SC2154
# A host with GICv2: v2m is what the automatic choice takes, and messages are
# edges of SPIs.
# shellcheck source=tests/boot/arm.sh
. "$CASES/../arm.sh"

devices --debug
expect_err "interrupt controller: gicv2m"
expect_out "@irq.*MSI.*Edge.*virtio0-req"
