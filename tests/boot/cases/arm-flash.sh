# SPDX-License-Identifier: GPL-2.0-only
# arch: arm64
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Flash: read as memory, programmed by commands, and what is written stays. And
# the device tree, as firmware (EDK2's ArmVirtKvmTool) reads it.

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
cd /proc/device-tree
hex() { hexdump -v -e '1/1 "%02x"' "$1"; }
node()
{
	find . -name compatible | while read -r f; do
		case $(tr '\0' ' ' <"$f") in
		"$1 "*) dirname "$f" ;;
		esac
	done | head -n 1
}
uart=$(tr '\0:' '\n\n' <chosen/stdout-path | head -n 1)
[ -e "./$uart" ] || uart=$(tr -d '\0' <aliases/$uart)
uart=./$uart
echo "@ uart $(tr '\0' ' ' <$uart/compatible)$(hex $uart/reg)" \
	"$(hex $uart/interrupts | wc -c) $(hex $uart/clock-frequency | wc -c)"
echo "@ clock $(hex $(node motorola,mc146818)/reg)"
flash=$(node cfi-flash)
echo "@ flash $(tr '\0' ' ' <$flash/label)$(hex $flash/reg)"
pci=$(node pci-host-ecam-generic)
echo "@ pci $(hex $pci/reg) $(hex $pci/bus-range)" \
	"$(hex $pci/interrupt-map-mask | wc -c) $(hex $pci/#interrupt-cells)"
echo "@ pins $(($(hex $pci/interrupt-map | wc -c) / 80))"
echo "@ windows $(hex $pci/ranges | sed 's/.\{56\}/&\n/g' |
	awk '{ print substr($0, 1, 2) (substr($0, 9, 16) == substr($0, 25, 16)) }' | xargs)"
echo "@ gic $(hex $(node arm,gic-v3)/reg | wc -c)" \
	"$(ls $(node arm,gic-v3-its)/msi-controller | wc -l)"
echo "@ timer $(($(hex $(node arm,armv8-timer)/interrupts | wc -c) / 24))"
echo "@ psci $(tr '\0' ' ' <psci/compatible)$(tr -d '\0' <psci/method)"
echo "@ cpu $(tr -d '\0' <cpus/cpu@0/compatible)"
echo "@ memory $(hex memory*/reg)"
poweroff -f
GUEST
expect_status 0
expect_eq "erased" 0xFFFFFFFF "$(value erased)"
expect_eq "CFI" "0x00510051 0x00520052 0x00590059" "$(value qry)"
expect_eq "status" 0x00800080 "$(value status)"
expect_eq "programmed" 0x12345678 "$(value programmed)"
expect_eq "in the file" 78563412 "$(hexdump -s 256 -n 4 -v -e '4/1 "%02x"' flash.img)"
expect_eq "UART" "ns16550a 00000000010000000000000000000008 24 8" "$(value uart)"
expect_eq "clock of firmware" 00000000010100000000000000000002 "$(value clock)"
expect_eq "flash" "System-firmware 00000000020000000000000000100000" \
	"$(value flash)"
expect_eq "ECAM, buses, mask, cells" \
	"00000000400000000000000010000000 0000000000000000 32 00000001" \
	"$(value pci)"
expect_least "pins with a line" 128 "$(value pins)"
# Ports, memory of 32 and 64 bits; PCI addresses are the CPU's.
expect_eq "windows" "011 021 031" "$(value windows)"
expect_eq "GIC: bytes of regions, ITS" "64 1" "$(value gic)"
expect_least "timer interrupts" 3 "$(value timer)"
expect_eq "PSCI" "arm,psci-1.0 arm,psci-0.2 arm,psci hvc" "$(value psci)"
expect_eq "CPU" arm,armv8 "$(value cpu)"
expect_eq "one range of RAM" 00000000800000000000000010000000 "$(value memory)"
truncate -s 512K flash.img
lk run -k "$LAB/vmlinuz" -F flash.img
expect_status 128
expect_err "truncate -s 1M"
