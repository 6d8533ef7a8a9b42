# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Words for the guests of the pci-* cases, whose scripts come behind this.

dmesg -n 1

# at OFFSET: an address in the 32-bit memory window, of which the guest's bus
# says where it begins.
window=$(dmesg | sed -n 's/.*root bus resource \[mem \(0x[0-9a-f]\{8\}\)-.*/\1/p' |
	tail -n 1)
at()
{
	printf '0x%x' $((window + $1))
}

# say KEY VALUE...: for value() of the host.
say()
{
	echo "@ $*"
}

# pci_of BLOCK-DEVICE|rng|console: the PCI device's name.
pci_of()
{
	case $1 in
	rng) set -- /sys/bus/virtio/drivers/virtio_rng/virtio* ;;
	console) set -- /sys/bus/virtio/drivers/virtio_console/virtio* ;;
	*) set -- "/sys/block/$1/device" ;;
	esac
	basename "$(readlink -f "$1/..")"
}

# bar NAME NUMBER: where Linux says that a BAR is.
bar()
{
	sed -n "$(($2 + 1))p" "/sys/bus/pci/devices/$1/resource" |
		cut -d' ' -f1
}

# disk_io BLOCK: "ok" after 64 KiB were written to the disk at a block of
# 4 KiB and read again, past all caches.
disk_io()
{
	head -c 65536 /dev/urandom >/tmp/written
	dd if=/tmp/written of=/dev/vda bs=4k seek="$1" oflag=direct \
		conv=notrunc 2>/dev/null
	dd if=/dev/vda of=/tmp/read bs=4k skip="$1" count=16 iflag=direct \
		2>/dev/null
	cmp -s /tmp/written /tmp/read && echo ok
}

# rng_io: how many bytes the random number device gave of 64.
rng_io()
{
	dd if=/dev/hwrng bs=64 count=1 iflag=fullblock 2>/dev/null | wc -c
}

# poke NAME OFFSET VALUE: writes 4 bytes of configuration space.
poke()
{
	pokev=$(printf '\\%03o\\%03o\\%03o\\%03o' $(($3 & 255)) \
		$(($3 >> 8 & 255)) $(($3 >> 16 & 255)) $(($3 >> 24 & 255)))
	# shellcheck disable=SC2059 # octal bytes
	printf "$pokev" | dd of="/sys/bus/pci/devices/$1/config" bs=4 \
		seek=$(($2 / 4)) conv=notrunc 2>/dev/null
}

# again NAME...: takes the devices out of Linux, and finds them again.
again()
{
	for again in "$@"; do
		echo 1 >"/sys/bus/pci/devices/$again/remove"
	done
	echo 1 >/sys/bus/pci/rescan
}

# finish: tells what the kernel complained about, and ends the VM.
finish()
{
	echo "@begin complaints"
	dmesg -r | grep -E '^<[0-4]>' | sed 's/^<.>\[[^]]*\] //' |
		grep -iE -e 'pci|bar\b|resource|irq|virtio|vd[a-z]|hwrng' \
			-e 'mptable|mp-table|apic|acpi|hung|tim(ed|ing) out'
	echo "@end complaints"
	say finished
	# Not poweroff: without ACPI there is none.
	reboot -f
}

# suspend: all devices are put to sleep and woken again, by their drivers.
suspend()
{
	echo devices >/sys/power/pm_test
	echo freeze >/sys/power/state || say "suspend failed"
	echo none >/sys/power/pm_test
}
