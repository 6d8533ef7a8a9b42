# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What a guest tells of its machine, for the machine-* cases. Sections of
# lines, and single values after "@".

dmesg -n 1
echo "@begin dmesg"
dmesg -r
echo "@end dmesg"
echo "@begin interrupts"
cat /proc/interrupts
echo "@end interrupts"
echo "@begin pci"
for d in /sys/bus/pci/devices/*; do
	echo "${d##*/} $(stat -c %s "$d/config") $(wc -c <"$d/config") $(cat "$d/class")"
done
echo "@end pci"
# Queues: those that show up as a vector's name are what is checked; the
# expected number is that of the device's kind. 2: block, 1 queue per CPU up
# to what the device has; 4: rng; 3: console.
echo "@begin virtio"
for d in /sys/bus/virtio/devices/*; do
	case $(cat "$d/device") in
	0x0002) set -- /sys/block/vda/mq/*
		queues=$# ;;
	0x0003) queues=2 ;;
	*) queues=1 ;;
	esac
	[ -e "$d/driver" ] && echo "${d##*/} $queues"
done
echo "@end virtio"
echo "@begin lspci"
lspci -vv
echo "@end lspci"
echo "@ rng $(cat /sys/class/misc/hw_random/rng_current)"
dd if=/dev/hwrng of=/tmp/random bs=4096 count=1 iflag=fullblock 2>/dev/null
echo "@ rngbytes $(stat -c %s /tmp/random)"
echo "@ rnggzip $(gzip </tmp/random | wc -c)"
poweroff -f
