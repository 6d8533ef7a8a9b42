# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# l1: vfio
# timeout: 400
#
# Four devices of the host in one guest: a card with MSI-X, then with MSI, then
# with INTx, and after it was removed and found again; an NVMe disk, whose
# registers lie beside its MSI-X table; a SATA disk; a card with INTx and an I/O
# BAR only. A ROM, byte for byte. After the guest they are the host's again.

# shellcheck source=tests/boot/vfio.sh
. "$CASES/../vfio.sh"
own_network
vfio_bind "$gigabit" "$nvme" "$sata" "$fast"
nvme_before=$(sum /out/vfio/nvme.img)
receive up
# shellcheck disable=SC2034 # for lk
limit=300
vfio_guest -p quiet --debug --vfio-pci "$gigabit" --vfio-pci "$nvme" \
	--vfio-pci "$sata" --vfio-pci "$fast" <<'GUEST'
modprobe -a e1000e nvme ahci sd_mod 8139cp
gigabit=$(device_of 8086:10d3)
net_up "$gigabit" 10.77.0.2
say msix "$(fetch)" "$(ls "/sys/bus/pci/devices/$gigabit/msi_irqs" | wc -l)"
say sent "$(send)"
echo 1 >"/sys/bus/pci/devices/$gigabit/rom"
say rom "$(md5sum <"/sys/bus/pci/devices/$gigabit/rom" | cut -d' ' -f1)"
net_down

wait_for /dev/nvme0n1
say nvme "$(md5sum </dev/nvme0n1 | cut -d' ' -f1)"
dd if=/tmp/up of=/dev/nvme0n1 bs=64k seek=4 conv=fsync 2>/dev/null
say nvme-irqs "$(interrupts nvme0q1)"
wait_for /dev/sda
say sata "$(md5sum </dev/sda | cut -d' ' -f1)"

fast=$(device_of 10ec:8139)
net_up "$fast" 10.77.0.3
say intx "$(fetch)"
say intx-irqs "$(interrupts "$card")"
net_down

for mode in 1 0; do
	rmmod e1000e
	modprobe e1000e IntMode=$mode
	net_up "$gigabit" 10.77.0.2
	say mode$mode "$(fetch)" "$(interrupts "$card")"
	grep "$card" /proc/interrupts
	net_down
done
rmmod e1000e
again "$gigabit"
modprobe e1000e
net_up "$gigabit" 10.77.0.2
say again "$(fetch)"
finish
GUEST
expect_status 0
expect_out '@ finished'
down=$(sum "$www/down")
expect_eq 'down, MSI-X' "$down 3" "$(value msix)"
expect_eq 'up' "$(value sent)" "$(received up)"
expect_eq 'ROM' "$(sum /out/vfio/rom.bin)" "$(value rom)"
expect_eq 'NVMe, read' "$nvme_before" "$(value nvme)"
dd if=/out/vfio/nvme.img of=written bs=64k skip=4 count=16 2>/dev/null
expect_eq 'NVMe, written' "$(value sent)" "$(sum written)"
expect_least 'NVMe, interrupts' 1 "$(value nvme-irqs)"
expect_eq 'SATA, read' "$(sum /out/vfio/sata.img)" "$(value sata)"
expect_eq 'down, INTx' "$down" "$(value intx)"
expect_least 'INTx, interrupts' 1 "$(value intx-irqs)"
for mode in 1 0; do
	# shellcheck disable=SC2046 # two words
	set -- $(value "mode$mode")
	expect_eq "down, IntMode=$mode" "$down" "$1"
	expect_least "IntMode=$mode, interrupts" 10 "$2"
done
expect_eq 'down, after a rescan' "$down" "$(value again)"
expect_err "Debug: $nvme: reset by flr"

# Its own driver finds the disk as the guest left it.
vfio_unbind "$nvme"
modprobe nvme
echo "$nvme" >/sys/bus/pci/drivers_probe
wait_net=$(now)
until [ -b /dev/nvme0n1 ]; do
	[ $(($(now) - wait_net)) -lt 20 ] || fail "the host lost its disk"
	sleep 0.1
done
expect_eq 'NVMe, in the host' "$(sum /out/vfio/nvme.img)" "$(sum /dev/nvme0n1)"
vfio_bind "$nvme"
