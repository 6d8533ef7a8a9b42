# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Networks for a user who has no privilege but /dev/kvm. User mode: DHCP, DNS, TCP,
# a port of the host that leads to the guest, IPv6; and a tap that root has opened.

need_root
modprobe tun 2>/dev/null
transport=${transport:-pci}
chmod 666 /dev/kvm
mkdir -p /etc
[ -e /etc/resolv.conf ] || echo "nameserver 127.0.0.1" >/etc/resolv.conf
ip addr add 10.99.0.1/32 dev lo
"$LAB/nettest" serve 7071 &
pids=$!
"$LAB/nettest" dns 10.99.0.1 &
pids="$pids $!"
trap 'kill $pids; ip addr del 10.99.0.1/32 dev lo' EXIT

chmod 755 .
touch out err
chmod 666 out err
prefix="$LAB/nettest tapfd lkvmtap9 $LAB/nettest as 12345"
guest_start --virtio-transport "$transport" \
	-n mode=user,hostfwd=tcp:7072:7073 -n fd=3 --timeout 120 <<'GUEST'
dmesg -n 1
modprobe virtio_net
mkdir -p /etc
cat >/tmp/dhcp <<-'SH'
	#!/bin/sh
	[ "$1" = bound ] || exit 0
	ip addr add "$ip/$mask" dev "$interface"
	ip route add default via "$router"
	echo "nameserver $dns" >/etc/resolv.conf
	echo "@ lease $ip $router $mask"
SH
chmod +x /tmp/dhcp
echo "@ net $(cat /sys/class/net/eth0/address) $(ls /sys/class/net | xargs)"
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -q -n -s /tmp/dhcp
echo "@ dns $(nslookup some.example | awk '/^Address/ { a = $NF } END { print a }')"
echo "@ out $(nettest out 10.99.0.1 7071 8)"
echo "@ in $(nettest in 192.168.33.1 7071 8)"
n=0
until ip -6 addr show dev eth0 | grep -q 'inet6 fd33.*scope global'; do
	n=$((n + 1))
	[ $n -lt 30 ] || break
	sleep 1
done
ip -6 addr show dev eth0
ping6 -c 1 -q fd33:3333:3333::1
echo "@ ping6 $(ping6 -c 2 -q fd33:3333:3333::1 | grep -c ' 0% packet loss')"
echo "@ in6 $(nettest in fd33:3333:3333::1 7071 1)"
ip link set eth1 up
ip addr add 10.97.0.2/24 dev eth1
nettest serve 7073 &
echo "@ serving"
read -r _
GUEST
wait_out "@ serving" 90
forwarded=$("$LAB/nettest" in 127.0.0.1 7072 2)
ip addr add 10.97.0.1/24 dev lkvmtap9
ip link set lkvmtap9 up
over_fd=$("$LAB/nettest" in 10.97.0.2 7073 2)
uid=$(awk '/^Uid/ { print $2 }' "/proc/$lkvm_pid/status")
kill "$lkvm_pid"
lk_wait 30
expect_eq "user" 12345 "$uid"
expect_eq "lease" "192.168.33.15 192.168.33.1 24" "$(value lease)"
expect_eq "name" "10.99.0.1" "$(value dns)"
case $(value net) in 02:*eth0*) ;; *) fail "card: $(value net)" ;; esac
for what in out in in6; do
	case $(value $what) in
	"ok "*) ;;
	*) fail "$what: $(value $what)" ;;
	esac
done
expect_eq "ping over IPv6" 1 "$(value ping6)"
case $over_fd in "ok "*) ;; *) fail "tap by descriptor: $over_fd" ;; esac
case $forwarded in "ok "*) ;; *) fail "hostfwd: $forwarded" ;; esac
