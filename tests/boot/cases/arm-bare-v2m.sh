# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# l1: gicv2
# shellcheck shell=sh disable=SC2154
# arm-bare on a host with GICv2.
# shellcheck source=tests/boot/arm.sh
. "$CASES/../arm.sh"

bare_all
