# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Words for the guests of the vfio-* cases, behind those of pci.sh.

# device_of VENDOR:DEVICE: the name of the first such function.
device_of()
{
	for df in /sys/bus/pci/devices/*; do
		[ "$(cat "$df/vendor"):$(cat "$df/device")" = \
			"0x${1%:*}:0x${1#*:}" ] || continue
		basename "$df"
		return
	done
}

# wait_for PATH: until it is there, at most 30 s.
wait_for()
{
	for _ in $(seq 300); do
		[ ! -e "$1" ] || return 0
		sleep 0.1
	done
	echo "no $1"
	return 1
}

# net_up NAME ADDRESS: the card of that device; sets $card. Waits for the link.
net_up()
{
	wait_for "/sys/bus/pci/devices/$1/net"
	card=$(basename "/sys/bus/pci/devices/$1/net/"*)
	ip addr add "$2/24" dev "$card"
	ip link set "$card" up
	for _ in $(seq 300); do
		[ "$(cat "/sys/class/net/$card/carrier" 2>/dev/null)" != 1 ] ||
			return 0
		sleep 0.1
	done
	echo "no link"
}

net_down()
{
	ip link set "$card" down
	ip addr flush dev "$card"
}

# fetch: the checksum of what L1 serves.
fetch()
{
	wget -q -O /tmp/down http://10.77.0.1/down
	md5sum </tmp/down | cut -d' ' -f1
}

# send: sends a file to L1's port 5000, and gives its checksum.
send()
{
	head -c 1048576 /dev/urandom >/tmp/up
	nc 10.77.0.1 5000 </tmp/up
	md5sum </tmp/up | cut -d' ' -f1
}

# interrupts PATTERN: how many there were, of lines that match.
interrupts()
{
	grep -E "$1" /proc/interrupts |
		awk '{ for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }'
}
