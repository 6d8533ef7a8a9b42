# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# l1: vfio
# timeout: 300
#
# Two VMs with a device each, at the same time. Linux moves the card's BARs at
# boot, and there are no messages: INTx.

# shellcheck disable=SC2030,SC2031,SC2034 # T and limit are for lk
# shellcheck source=tests/boot/vfio.sh
. "$CASES/../vfio.sh"
own_network
vfio_bind "$gigabit" "$nvme"
limit=200

mkdir one two
(
	cd one || exit 1
	T=$T/one
	vfio_guest --vfio-pci "$gigabit" --dump-pci -p "quiet pci=nomsi \
		pci.resource_alignment=16@pci:8086:10d3" <<'GUEST'
modprobe e1000e
gigabit=$(device_of 8086:10d3)
net_up "$gigabit" 10.77.0.2
say down "$(fetch)"
say bar "$(bar "$gigabit" 0)"
say lines "$(grep -c "IO-APIC.*$card\|GIC.*$card" /proc/interrupts)"
finish
GUEST
	expect_status 0
	expect_eq 'down' "$(sum "$www/down")" "$(value down)"
	expect_eq 'interrupt lines' 1 "$(value lines)"
	case $(value bar) in
	*0000) ;;
	*) fail "BAR 0 is not where Linux put it: $(value bar)" ;;
	esac
) &
first=$!
(
	cd two || exit 1
	T=$T/two
	vfio_guest --vfio-pci "$nvme,rom=off" -p quiet <<'GUEST'
modprobe nvme
wait_for /dev/nvme0n1
say nvme "$(md5sum </dev/nvme0n1 | cut -d' ' -f1)"
finish
GUEST
	expect_status 0
	expect_eq 'NVMe' "$(sum /out/vfio/nvme.img)" "$(value nvme)"
) &
second=$!
failed=0
wait "$first" || failed=1
wait "$second" || failed=1
cp one/out out
cp one/err err
exit "$failed"
