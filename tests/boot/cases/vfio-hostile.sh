# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# l1: vfio
# default: never
# timeout: 400
#
# A guest that moves and switches a card's BARs under its own accesses, and then
# writes garbage wherever it can: to configuration space, the MSI-X table,
# registers. lkvm and the host live, and the next guest finds cards that work.

# shellcheck source=tests/boot/vfio.sh
. "$CASES/../vfio.sh"
own_network
vfio_bind "$gigabit" "$fast"
# shellcheck disable=SC2034 # for lk
limit=300
vfio_guest -c 2 -p quiet --vfio-pci "$gigabit" --vfio-pci "$fast" <<'GUEST'
gigabit=$(device_of 8086:10d3)
fast=$(device_of 10ec:8139)
base=$(bar "$gigabit" 0)
table=$(bar "$gigabit" 3)

# The status register, while decoding comes and goes and the BAR moves.
(while :; do devmem $((base + 8)) 32; devmem $((table + 12)) 32; done) \
	>/tmp/read &
reader=$!
for i in $(seq 25); do
	poke "$gigabit" 4 0
	poke "$gigabit" 16 $((base + (i & 1) * 0x1000000))
	poke "$gigabit" 4 $((i & 3 | 6))
done
kill "$reader"
poke "$gigabit" 16 $((base))
poke "$gigabit" 4 6
say reads "$(sort /tmp/read | uniq -c | wc -l)"
say status "$(devmem $((base + 8)) 32)"

rand()
{
	od -An -N4 -tu4 /dev/urandom | tr -d ' '
}
for i in $(seq 25); do
	devmem $((table + $(rand) % 4096 * 4)) 32 "$(rand)"
	devmem $((base + $(rand) % 32768 * 4)) 32 "$(rand)"
	for device in "$gigabit" "$fast"; do
		poke "$device" $(($(rand) % 64 * 4)) "$(rand)"
		poke "$device" $((160 + $(rand) % 3 * 4)) "$(rand)"
		poke "$device" 4 $(($(rand) & 0x407))
	done
done
finish
GUEST
expect_status 0
expect_out '@ finished'
expect_least 'values read' 1 "$(value reads)"
if [ "$(value status)" = 0xFFFFFFFF ]; then
	fail "the card answers no more"
fi
vfio_guest -p quiet --vfio-pci "$gigabit" --vfio-pci "$fast" <<'GUEST'
modprobe -a e1000e 8139cp
net_up "$(device_of 8086:10d3)" 10.77.0.2
say gigabit "$(fetch)"
net_down
net_up "$(device_of 10ec:8139)" 10.77.0.3
say fast "$(fetch)"
finish
GUEST
expect_status 0
expect_eq 'e1000e' "$(sum "$www/down")" "$(value gigabit)"
expect_eq 'rtl8139' "$(sum "$www/down")" "$(value fast)"
