# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Flash: read as memory, programmed by commands, and what is written stays.

head -c 1048576 /dev/zero | tr '\000' '\377' >flash.img
guest -F flash.img <<'GUEST'
f=0x2000000
echo "@ erased $(devmem $f 32)"
devmem $f 32 0x00980098
echo "@ qry $(devmem 0x2000040 32) $(devmem 0x2000044 32) $(devmem 0x2000048 32)"
devmem $f 32 0x00600060
devmem $f 32 0x00d000d0
devmem 0x2000100 32 0x00400040
devmem 0x2000100 32 0x12345678
echo "@ status $(devmem $f 32)"
devmem $f 32 0x00ff00ff
echo "@ programmed $(devmem 0x2000100 32)"
poweroff -f
GUEST
expect_status 0
expect_eq "erased" 0xFFFFFFFF "$(value erased)"
expect_eq "CFI" "0x00510051 0x00520052 0x00590059" "$(value qry)"
expect_eq "status" 0x00800080 "$(value status)"
expect_eq "programmed" 0x12345678 "$(value programmed)"
expect_eq "in the file" 78563412 "$(hexdump -s 256 -n 4 -v -e '4/1 "%02x"' flash.img)"
truncate -s 512K flash.img
lk run -k "$LAB/vmlinuz" -F flash.img
expect_status 128
expect_err "truncate -s 1M"
