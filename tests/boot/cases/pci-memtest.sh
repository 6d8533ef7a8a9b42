# SPDX-License-Identifier: GPL-2.0-only
# arch: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# A kernel that is not Linux walks the bus (memtest86+ looks for its keyboards
# on USB), tests the RAM it was told of, and leaves all BARs where they were.

[ -s "$LAB/memtest.bin" ] || skip "no memtest86+ from Debian"
truncate -s 4M disk.raw
lk_start run -k "$LAB/memtest.bin" -m 64 -c 1 -n mode=none --nodefaults \
	-p "console=ttyS0,115200" --rng -d disk.raw --debug-ioport
wait_out "Memory  : *64MB"
wait_out "#[3-9] .*\[" 90
kill -USR2 "$lkvm_pid"
wait_until 60 "the PCI tree" grep -q "1af4:1044" err
sleep 0.3
kill -TERM "$lkvm_pid"
lk_wait 120
cat err
expect_out "Errors: 0"
expect_eq "errors of lkvm" 0 "$(grep -cE 'Error:|Fatal:|Warning:' err)"
expect_eq "functions" 3 "$(grep -c '^00:0' err)"
expect_eq "devices with decoding on" 2 "$(grep -c 'I/O+ memory+' err)"
expect_eq "BARs at home" 4 \
	"$(grep -cE 'answers at 0x(600[04]|c000[08]000)-' err)"
