# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154
# The bare guest: tests/boot/arm/bare.c.
# shellcheck source=tests/boot/arm.sh
. "$CASES/../arm.sh"

bare_all

# As firmware: at the address given, with the tree behind it.
ones
lk run -f "$BARE/bare-poweroff.flat" --firmware-address 0x80080000 -m 64 -c 2 \
	-n none --rng -F flash.img --dump-dtb t.dtb
expect_status 0
expect_out "@ bare ok"
expect_most "bytes of device tree" 32704 "$(stat -c %s t.dtb)"
lk run -f "$BARE/bare-poweroff.flat" -k "$LAB/vmlinuz"
expect_status 129
