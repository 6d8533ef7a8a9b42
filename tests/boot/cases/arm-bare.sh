# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# A guest without an operating system finds every device as it should be, at
# both ends of the PCI windows too (tests/boot/arm/bare.c), and its ends have
# their statuses.

ones()
{
	head -c 1048576 /dev/zero | tr '\000' '\377' >flash.img
}

# bare END STATUS [OPTION...]
bare()
{
	end=$1
	want=$2
	shift 2
	ones
	lk run -k "$BARE/bare-$end.flat" -m 64 -c 2 -n none --rng \
		-F flash.img "$@"
	expect_status "$want"
	expect_out "@ bare ok"
	expect_no_out "wrong:"
}

bare poweroff 0
bare reset 0
bare reset 32 --extended-status
bare panic 34
bare undecoded 33
expect_err "single loads and stores"

# As firmware: at the address given, with the tree behind it.
ones
lk run -f "$BARE/bare-poweroff.flat" --firmware-address 0x80080000 -m 64 -c 2 \
	-n none --rng -F flash.img --dump-dtb t.dtb
expect_status 0
expect_out "@ bare ok"
expect_most "bytes of device tree" 32704 "$(stat -c %s t.dtb)"
lk run -f "$BARE/bare-poweroff.flat" -k "$LAB/vmlinuz"
expect_status 129
