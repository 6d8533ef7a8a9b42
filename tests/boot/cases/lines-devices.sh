# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154
# l1: vfio
# arch: x86
# timeout: 200
#
# Command lines that people were found to use, of those that tests/cli/lines.sh
# has: the ones with devices of the host's, tap and vhost. Their kernel says Hi and
# resets.

# shellcheck source=tests/boot/vfio.sh
. "$CASES/../vfio.sh"
vfio_bind "$gigabit" "$nvme"
modprobe -a tun macvtap vhost_net vhost_vsock virtio_net null_blk
export HOME="$T" XDG_RUNTIME_DIR="$T"

printf '\272\370\003\260H\356\260i\356\260\n\356\260\376\346\144\364\353\375' >k
truncate -s 1M store.img
ln -s /dev/nullb0 vol.img # files of L1's have no O_DIRECT
printf 'no archive' >initrd
mkdir src

# line NUMBER ARGUMENT...: it starts, does its work and ends.
line()
{
	number=$1
	shift
	lk run --timeout 60 "$@"
	[ "$status" = 0 ] || fail "line $number: status $status"
	tr -d '\0\r' <out | grep -q '^Hi$' || fail "line $number: no output"
	! grep -E 'Error|Fatal' err || fail "line $number"
}

# 9, with a macvtap of L1's own card.
own=$(ls /sys/bus/pci/devices/0000:00:0f.0/virtio*/net)
ip link set "$own" up
ip link add link "$own" name mv0 type macvtap || fail "no macvtap"
ip link set mv0 up
tap=/dev/tap$(cat /sys/class/net/mv0/ifindex)
line 9 --name H -m 512 -c 1 --console serial --rng -k k -i initrd \
	-p "console=ttyS0 reboot=k panic=1" -d store.img,ro --balloon \
	-d vol.img,direct,ro --9p "$T/src,tag" \
	-n "mode=tap,tapif=$tap,guest_mac=02:00:00:00:00:01" \
	--vfio-pci=$nvme --vsock 3
ip link del mv0
line 10 -m 128 -p 'nokaslr console=ttyS0 root=/dev/nvme0n1' -k k \
	--vfio-pci=$nvme --debug
exec 3<k
line 12 --debug -k /proc/self/fd/3 -m 210 -c 1 --name yocto_gui_guest \
	--vfio-pci $gigabit --vfio-pci $nvme \
	-p "root=/dev/vda rw console=tty0 console=hvc0"
exec 3<&-
# 19: the tap is there before.
mkdir testdir
[ -e /dev/net/tun ] || fail "no tun"
line 19 -k k --disk store.img --9p testdir,tagmount \
	-n mode=tap,tapif=tap0,vhost=1 --vfio-pci $gigabit
# Groups are free again.
line 'after them' -k k -m 64 --vfio-pci $nvme --vfio-pci $gigabit
