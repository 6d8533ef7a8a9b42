# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Network cards on taps: lkvm serves the first, with four pairs of queues, and one on
# a macvtap, the kernel (vhost) the others, of which the last has another transport.
# Both ways with checksums, IPv6, VLANs; and again after the driver let go and took hold, after
# BARs have moved and after a suspend.

need_root
modprobe -a tun vhost_net 8021q macvtap veth 2>/dev/null
[ -e /dev/vhost-net ] || skip "no vhost-net"
transport=${transport:-pci}
other="pci-legacy"
[ "$LAB_ARCH" = x86 ] || other="mmio-legacy"

cat >up <<-'SH'
	#!/bin/sh
	n=${1#lkvmtap}
	ip addr add 10.77.$n.1/24 dev "$1"
	echo 0 >"/proc/sys/net/ipv6/conf/$1/accept_dad"
	ip -6 addr add fd77:$n::1/64 dev "$1"
	ip link set "$1" up
	ip link add link "$1" name "$1.5" type vlan id 5
	ip addr add 10.78.$n.1/24 dev "$1.5"
	ip link set "$1.5" up
SH
cat >down <<-'SH'
	#!/bin/sh
	echo "$1" >>downs
SH
chmod +x up down
"$LAB/nettest" serve 7070 &
server=$!
trap 'kill $server; ip link del wire' EXIT

# A macvtap, and a cable to what it is on.
ip link add name wire type veth
ip link set veth0 name lkvmtap2
ip link set wire up
./up lkvmtap2
ip link add link wire name lkvmmv type macvtap
ip link set lkvmmv up
macvtap=/sys/class/net/lkvmmv
node=/dev/tap$(cat $macvtap/ifindex)
[ -c "$node" ] || fail "no $node"

limit=240
pci_guest --virtio-transport "$transport" -c 4 \
	-n "mode=tap,tapif=lkvmtap0,mq=4,script=./up,downscript=./down" \
	-n "tapif=lkvmtap1,vhost=1,script=./up,downscript=./down,guest_mac=02:aa:bb:cc:dd:ee" \
	-n "tapif=$node,guest_mac=$(cat $macvtap/address)" \
	-n "tapif=lkvmtap3,vhost=1,script=./up,trans=$other" \
	-p "quiet suspend.pm_test_delay=1" <<'GUEST'
modprobe -a virtio_net 8021q
up()
{
	echo 0 >"/proc/sys/net/ipv6/conf/$1/accept_dad"
	ip link set "$1" up
	ip addr add "10.77.$2.2/24" dev "$1"
	ip -6 addr add "fd77:$2::2/64" dev "$1"
}
up eth0 0
echo "@ macs $(cat /sys/class/net/eth0/address) $(cat /sys/class/net/eth1/address)"
echo "@ link $(cat /sys/class/net/eth0/carrier) $(cat /sys/class/net/eth0/mtu)"
echo "@ channels $(nettest channels eth0)"
echo "@ channels4 $(nettest channels eth0 4)"
echo "@ queues $(ls /sys/class/net/eth0/queues | xargs)"
for n in 1 2 3; do
	up eth$n $n
done
# rates OUT-HOST IN-HOST MIB: there and back.
rates() { echo $(nettest out $1 7070 $3) $(nettest in $2 7070 $3); }
for n in 0 1 2 3; do
	echo "@ first$n $(rates 10.77.$n.1 fd77:$n::1 8)"
	echo "@ ping$n $(ping6 -c 2 -q fd77:$n::1 | grep -c ' 0% packet loss')"
	ip link add link eth$n name vlan$n type vlan id 5
	ip addr add 10.78.$n.2/24 dev vlan$n
	ip link set vlan$n up
	echo "@ vlan$n $(rates 10.78.$n.1 10.78.$n.1 1)"
done
check() { echo "@ $1$2 $(rates 10.77.$2.1 10.77.$2.1 1)"; }
# Resets: a driver that lets go sets everything up again.
for n in 0 1 2 3; do
	path=$(readlink -f /sys/class/net/eth$n/device)
	dev=${path##*/}
	echo "$dev" >/sys/bus/virtio/drivers/virtio_net/unbind
	echo "$dev" >/sys/bus/virtio/drivers/virtio_net/bind
	up eth$n $n
	check again $n
done
# Elsewhere, where Linux finds it and moves it once more.
cd /sys/bus/pci
echo "16@pci:1af4:1041;16@pci:1af4:1000" >resource_alignment
for n in 1 3; do
	p=$(basename "$(readlink -f /sys/class/net/eth$n/device/..)")
	[ -d devices/$p ] || continue
	echo $p >drivers/virtio-pci/unbind
	echo $p >drivers/virtio-pci/bind
	up eth$n $n
	check rebound $n
	echo $p >drivers/virtio-pci/unbind
	poke $p 0x10 $((0x9000 + n * 256))
	place=$(at $((0x1000000 + n * 65536)))
	poke $p 0x14 $place
	again $p
	up eth$n $n
	dmesg | grep -q "$p: BAR 1 .mem $place-" || echo "@ not found at $place"
	echo "@ place$n $(($(bar $p 1) % 65536))"
	check moved $n
done
echo "@ channels2 $(nettest channels eth0 2)"
echo "@ two $(nettest out 10.77.0.1 7070 1)"
suspend
for n in 0 1 2 3; do
	check resumed $n
done
finish
GUEST
expect_status 0
expect_eq "mac" 02:aa:bb:cc:dd:ee "$(value macs | cut -d' ' -f2)"
case $(value macs) in 02:*) ;; *) fail "mac $(value macs)" ;; esac
expect_eq "carrier and MTU" "1 1500" "$(value link)"
expect_eq "queue pairs that there are" 4 "$(value channels | cut -d' ' -f2)"
expect_eq "queue pairs, switched on" "4 4" "$(value channels4)"
expect_eq "queues" "rx-0 rx-1 rx-2 rx-3 tx-0 tx-1 tx-2 tx-3" "$(value queues)"
pci=$transport
for n in 0 1 2 3; do
	[ $n != 3 ] || pci=$other
	whats="first vlan again resumed"
	case $n$pci in
	[13]pci*)
		whats="$whats rebound moved"
		expect_eq "place of card $n in 64 KiB" 0 "$(value place$n)"
		;;
	esac
	for what in $whats; do
		case $(value "$what$n") in
		"ok "*" ok "*) ;;
		*) fail "$what, card $n: '$(value "$what$n")'" ;;
		esac
	done
	expect_eq "pings over card $n" 1 "$(value ping$n)"
done
expect_no_out "@ not found at"
expect_eq "queue pairs, fewer" "2 4" "$(value channels2)"
case $(value two) in "ok "*) ;; *) fail "with two pairs: $(value two)" ;; esac
expect_eq "downscripts" "lkvmtap0 lkvmtap1" "$(sort downs | xargs)"
