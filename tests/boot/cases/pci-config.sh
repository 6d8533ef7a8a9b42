# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# BARs moved by hand under unbound devices, through sysfs: the device answers
# at the new address only, others keep answering, and drivers work afterwards.

truncate -s 8M disk.raw
truncate -s 4M second.raw
pci_guest --rng -d disk.raw -d second.raw -p "quiet iomem=relaxed" <<'GUEST'
a=$(pci_of vda)
b=$(pci_of vdb)
r=$(pci_of rng)
ma=$(($(bar $a 1)))
mb=$(($(bar $b 1)))
mr=$(($(bar $r 1)))
pa=$(($(bar $a 0)))
cd /sys/bus/pci/drivers/virtio-pci
unbind() { for d in "$@"; do echo $d >unbind; done; }
bind() { for d in "$@"; do echo $d >bind; done; }
# A disk's capacity, and what a port reads.
size() { printf '%d\n' "$(devmem $(printf '0x%x' $(($1 + 0x2000))) 32)"; }
port() { dd if=/dev/port bs=1 count=1 skip=$(($1)) 2>/dev/null | xxd -p; }

unbind $a $b
say at.home $(size $ma) $(size $mb)
poke $a 0x14 $(at 0x1000000)
say memory.moved $(size $ma) $(size $(at 0x1000000)) $(size $mb)
say port.home $(port $pa) $(port 0x7000)
poke $a 0x10 0x7000
say port.moved $(port $pa) $(port 0x7000)
# A byte of it.
printf "\\$(printf %03o $(($(at 0x2000000) >> 24)))" | dd of=/sys/bus/pci/devices/$a/config bs=1 seek=23 conv=notrunc 2>/dev/null
say byte.moved $(size $(at 0x1000000)) $(size $(at 0x2000000))
# Nowhere, and all ones as in sizing.
poke $a 0x14 0
say nowhere $(size $(at 0x2000000))
poke $a 0x14 0xffffffff
say ones $(size $mb) $(devmem $(printf '0x%x' $((0xffff8000 + 0x2000))))
# Onto the other one, and away again.
poke $a 0x14 $mb
say onto $(size $mb)
poke $a 0x14 $ma
say away $(size $ma) $(size $mb)
# Changed places, with decoding off.
poke $a 4 0
poke $b 4 0
say off $(size $ma) $(size $mb)
poke $a 0x14 $mb
poke $b 0x14 $ma
poke $a 4 3
poke $b 4 3
say swapped $(size $ma) $(size $mb)
# Home: drivers work where Linux thinks that the BARs are.
poke $a 0x14 $ma
poke $b 0x14 $mb
poke $a 0x10 $pa
say home $(size $ma) $(size $mb) $(port 0x7000)
bind $a $b
say disk $(disk_io 7)
# Over a BAR that is in use, for a moment.
unbind $b
poke $b 0x14 $mr
say over $(size $mr)
poke $b 0x14 $mb
bind $b
say rng $(rng_io)
# Left elsewhere: Linux finds it there.
unbind $a
poke $a 0x14 $(at 0x3000000)
poke $a 0x10 0x7700
again $a
say found $(dmesg | grep -cE "$a: BAR (0 .io  0x7700|1 .mem $(at 0x3000000))-.*]$")
say again.disk $(disk_io 70)
finish
GUEST
expect_no_complaints
none=4294967295
expect_eq "capacities" "16384 8192" "$(value at.home)"
expect_eq "old, new, other BAR" "$none 16384 8192" "$(value memory.moved)"
expect_eq "ports at first" "00 ff" "$(value port.home)"
expect_eq "ports after the move" "ff 00" "$(value port.moved)"
expect_eq "moved by one byte: old, new" "$none 16384" "$(value byte.moved)"
expect_eq "with the BAR at 0" "$none" "$(value nowhere)"
expect_eq "with all ones: the other, the top" "8192 0xFFFFFFFF" "$(value ones)"
expect_eq "one on top of the other" 16384 "$(value onto)"
expect_eq "both after it left" "16384 8192" "$(value away)"
expect_eq "with decoding off" "$none $none" "$(value off)"
expect_eq "swapped" "8192 16384" "$(value swapped)"
expect_eq "home again" "16384 8192 ff" "$(value home)"
expect_eq "disk" ok "$(value disk)"
expect_eq "disk over the rng" 8192 "$(value over)"
expect_eq "bytes from the rng after that" 64 "$(value rng)"
expect_eq "BARs found elsewhere" 2 "$(value found)"
expect_eq "disk after that" ok "$(value again.disk)"
