# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Queues that the host's kernel serves, vsock and SCSI: streams both ways with
# checksums, a disk compared outside; and again after BARs have moved, after the
# driver let go and took hold, after a rescan, and after a suspend with the root
# disk mounted.
# vhost_options and vhost_params are those of cases that come by here.

need_root
modprobe -a vhost_vsock vhost_scsi target_core_file 2>/dev/null ||
	skip "no vhost_vsock, vhost_scsi or target_core_file here"

cfs=/sys/kernel/config
wwpn=naa.6001405$(printf %09d $$)
core=$cfs/target/core/fileio_0/$wwpn
tpg=$cfs/target/vhost/$wwpn/tpgt_1
# The kernel's target, in front of a file. It outlives processes.
make_target()
{
	[ -d $cfs/target ] || mount -t configfs configfs $cfs
	mkdir -p "$core"
	echo "fd_dev_name=$1,fd_dev_size=$(stat -c %s "$1")" >"$core/control"
	echo 1 >"$core/enable"
	mkdir -p "$tpg/lun/lun_0"
	echo naa.6001405000000001 >"$tpg/nexus"
	ln -s "$core" "$tpg/lun/lun_0/disk"
}

remove_target()
{
	rm -f "$tpg/lun/lun_0/disk"
	echo NULL >"$tpg/nexus"
	rmdir "$tpg/lun/lun_0" "$tpg" "${tpg%/*}" "$core"
}

clean_up()
{
	for pid in $echo_pid $lkvm_pid; do
		kill "$pid" 2>/dev/null
		wait "$pid"
	done
	remove_target
}

root_disk
head -c 4194304 /dev/urandom >scsi.raw
head -c 2097152 /dev/urandom >stream
sum=$(md5sum <scsi.raw | cut -d' ' -f1)
"$LAB/vsock" echo 5000 &
echo_pid=$!
trap clean_up EXIT
make_target "$PWD/scsi.raw"
mkfifo in
exec 9<>in
# shellcheck disable=SC2086 # a list of options
pci_guest_start -d disk.img -d "scsi:$wwpn" --vsock 7 --name "vhost-$$" \
	${vhost_options:-} -p "quiet suspend.pm_test_delay=1 ${vhost_params:-}" \
	<<'GUEST'
modprobe -a virtio_scsi sd_mod vmw_vsock_virtio_transport
mount -t ext4 /dev/vda /mnt
cd /sys/bus/virtio/drivers
s=$(basename "$(readlink -f virtio_scsi/virtio*/..)")
v=$(basename "$(readlink -f vmw_vsock_virtio_transport/virtio*/..)")
head -c 1048576 /dev/urandom >/tmp/data

# The disk, each time elsewhere, past all caches.
stage=0
check_scsi()
{
	stage=$((stage + 1))
	for wait in 1 2 3 4 5; do [ -b /dev/sda ] || sleep 1; done
	dd if=/tmp/data of=/dev/sda bs=64k count=1 seek=$((40 + stage)) \
		oflag=direct conv=notrunc 2>/dev/null
	dd if=/dev/sda of=/tmp/back bs=64k count=1 skip=$((40 + stage)) \
		iflag=direct 2>/dev/null
	head -c 65536 /tmp/data | cmp -s - /tmp/back && scsi=ok || scsi=bad
}

# And a megabyte there and back, to the host's port.
check()
{
	check_scsi
	vsock call 2 5000 </tmp/data | cmp -s - /tmp/data && vsock=ok ||
		vsock=bad
	say $1 $scsi $vsock
}

say sum $(md5sum </dev/sda | cut -d' ' -f1)
check first
vsock echo 6000 &
read -r _
grep -E 'virtio' /proc/interrupts | sed 's/^/@irq /'
if [ -d /sys/bus/pci/devices/$s ]; then
	for d in $s $v; do
		echo $d >/sys/bus/pci/drivers/virtio-pci/unbind
		echo $d >/sys/bus/pci/drivers/virtio-pci/bind
	done
	check rebound
	i=0
	for d in $s $v; do
		echo $d >/sys/bus/pci/drivers/virtio-pci/unbind
		poke $d 0x10 $((0x9000 + i * 256))
		poke $d 0x14 $((0xc1000000 + i * 65536))
		i=$((i + 1))
	done
	again $s $v
	say moved $(bar $s 1)
	check rescanned
fi
echo kept >/mnt/file
suspend
# Linux 6.1 may stall vsock then: see vhost-vsock-suspend.
check_scsi
say resumed $scsi
! grep -q vsock_suspend /proc/cmdline || check resumed
say file $(cat /mnt/file)
sync
umount /mnt
say stages $stage
finish
GUEST
wait_out "@ listening" 150
# A pause in the middle: queues go on where they were.
"$LAB/vsock" call 7 6000 <stream >stream.back &
call_pid=$!
{ "$LKVM" pause -n "vhost-$$" && "$LKVM" resume -n "vhost-$$"; } ||
	fail "pause and resume"
wait "$call_pid" || fail "the stream broke"
echo >&9
lk_wait 300
expect_no_complaints
expect_eq "what the SCSI disk held" "$sum" "$(value sum)"
expect_eq "the first time" "ok ok" "$(value first)"
cmp stream stream.back || fail "2 MiB to the guest came back otherwise"
expect_eq "after a suspend" "${vhost_resumed:-ok}" "$(value resumed)"
expect_eq "the file on the root disk" kept "$(value file)"
case "${vhost_options:-}" in
*mmio*) ;;
*)
	expect_eq "with new drivers" "ok ok" "$(value rebound)"
	expect_eq "found elsewhere" "ok ok" "$(value rescanned)"
	;;
esac
# What the guest wrote last is in the image.
for n in $(seq "$(value stages)"); do
	dd if=scsi.raw bs=64k skip=$((40 + n)) count=1 2>/dev/null | md5sum
done | sort -u | wc -l >same
expect_eq "different blocks of the image" 1 "$(cat same)"
