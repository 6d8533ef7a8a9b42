# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Words of the vfio-* cases: the devices of an L1 that "# l1: vfio" asks for, see
# lab_make_vfio in tests/lib/lab.sh.
# shellcheck disable=SC2034 # for the cases

[ -d /out/vfio ] || skip "needs the devices of the lab"
gigabit=0000:00:10.0 # e1000e: MSI-X, MSI, I/O BAR, ROM
nvme=0000:00:11.0
sata=0000:00:12.0 # ich9-ahci: MSI
fast=0000:00:13.0 # rtl8139: INTx
twin=0000:00:14.0 # rtl8139, in one group with the next
twin2=0000:00:14.1

# vfio_bind DEVICE...: gives devices to vfio-pci.
vfio_bind()
{
	modprobe -a vfio-pci vfio_iommu_type1
	for d; do
		echo vfio-pci >"/sys/bus/pci/devices/$d/driver_override"
		[ ! -e "/sys/bus/pci/devices/$d/driver" ] ||
			echo "$d" >"/sys/bus/pci/devices/$d/driver/unbind"
		echo "$d" >/sys/bus/pci/drivers_probe
	done
}

# vfio_unbind DEVICE...: takes them back.
vfio_unbind()
{
	for d; do
		[ ! -e "/sys/bus/pci/devices/$d/driver" ] ||
			echo "$d" >"/sys/bus/pci/devices/$d/driver/unbind"
		echo >"/sys/bus/pci/devices/$d/driver_override"
	done
}

# own_network: L1's own card, 10.77.0.1, and a file to fetch, $www/down. It stays
# for the cases that follow in this L1.
www=/run/own-network
own_network()
{
	[ ! -e "$www" ] || return 0
	mkdir "$www"
	head -c 1048576 /dev/urandom >"$www/down"
	modprobe virtio_net
	wait_net=$(now)
	until own=$(ls /sys/bus/pci/devices/0000:00:0f.0/virtio*/net); do
		[ $(($(now) - wait_net)) -lt 20 ] || fail "L1 has no network"
		sleep 0.1
	done
	ip addr add 10.77.0.1/24 dev "$own"
	ip link set "$own" up
	httpd -p 10.77.0.1:80 -h "$www"
}

# receive FILE: takes what one guest sends to port 5000, in the background;
# received FILE: waits for the end of that, and prints its checksum.
receive()
{
	# It ends when the guest does, not when there is nothing to send.
	tail -f /dev/null | nc -l -p 5000 >"$1" &
	receiver=$!
}

received()
{
	wait "$receiver"
	md5sum <"$1" | cut -d' ' -f1
}

# sum FILE
sum()
{
	md5sum <"$1" | cut -d' ' -f1
}

# vfio_guest OPTION...: as guest, with the drivers of the devices and the words of
# guest/vfio.sh before the script.
vfio_guest()
{
	vfio_script
	guest "$@" <vfio-script
}

vfio_guest_start()
{
	vfio_script
	guest_start "$@" <vfio-script
}

vfio_script()
{
	parts=$LAB/drivers.cpio
	cat "$CASES/../guest/pci.sh" "$CASES/../guest/vfio.sh" - >vfio-script
}
