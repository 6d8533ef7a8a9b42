# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Runs in L1: for each VMM in the image a boot and the disk requests, as lines
# "@ VMM WORK NANOSECONDS".

# timed NAME-WHAT COMMAND...: sets $ns. The output goes to memory first: with
# the share to the host the wait for the host would count. In this lab a guest
# sometimes stands still: it got an interrupt while these were off, and waits for
# the lock that it holds. Then once more.
timed()
{
	name=${1%-*} what=${1#*-}
	shift
	for _ in 1 2 3; do
		stopwatch "/tmp/$name-$what.log" "$@" >/tmp/time
		read -r ns status </tmp/time
		cp "/tmp/$name-$what.log" /out/
		[ "$status" != 0 ] || break
		echo "$name: $what ended with status $status"
	done
}

# wanted WORK: boot, disk or net.
wanted()
{
	grep -qw "$1" /bench/work && echo "$vmm: $1"
}

boot_result()
{
	[ "$status" = 0 ] && echo "@ $name boot $ns"
}

disk_results()
{
	sed -n "s/^@ /@ $name /p" "/tmp/$name-disk.log" | tr -d '\r'
}

net_results()
{
	sed -n "s/^.*@ net/@ $name net/p" "/tmp/$name-net.log" | tr -d '\r'
}

# The host's end of the network: a tap that stays.
modprobe tun
tunctl -t bench0 >/dev/null
ip addr add 10.77.0.1/24 dev bench0
ip link set bench0 up
nettest serve 7070 &

# 32 MiB that are not holes.
while [ "$(stat -c %s /tmp/disk.raw 2>/dev/null || echo 0)" -lt 33554432 ]; do
	cat /bench/vmlinuz >>/tmp/disk.raw
done
truncate -s 32M /tmp/disk.raw

mkdir -p /tmp/share/files
cp /tmp/disk.raw /tmp/share/data
for n in $(seq 0 499); do
	echo "$n" >"/tmp/share/files/$n"
done

if [ -e /bench/qemu ]; then
	vmm=qemu
	set -- /usr/bin/qemu-system-x86_64 -M pc -bios qboot.rom -accel kvm \
		-cpu host -m 256 -smp 1 -display none -nodefaults -no-reboot \
		-serial stdio -kernel /bench/vmlinuz -append console=ttyS0
	if wanted boot; then
		timed qemu-boot "$@" -initrd /bench/boot.cpio
		boot_result
	fi
	if wanted disk; then
		timed qemu-disk "$@" -initrd /bench/disk.cpio \
			-drive if=none,id=d,format=raw,file=/tmp/disk.raw \
			-device virtio-blk-pci,drive=d -virtfs \
			local,path=/tmp/share,mount_tag=bench,security_model=none
		disk_results
	fi
	if wanted net; then
		timed qemu-net "$@" -initrd /bench/net.cpio \
			-netdev tap,id=n,ifname=bench0,script=no,downscript=no \
			-device virtio-net-pci,netdev=n,romfile=
		net_results
	fi
fi
for vmm in lkvm peer; do
	[ -e "/bench/$vmm" ] || continue
	set -- "/bench/$vmm" run -k /bench/vmlinuz -m 256 -c 1
	if wanted boot; then
		timed "$vmm-boot" "$@" -n mode=none -i /bench/boot.cpio
		boot_result
	fi
	if wanted disk; then
		timed "$vmm-disk" "$@" -n mode=none -i /bench/disk.cpio \
			-d /tmp/disk.raw --9p /tmp/share,bench
		disk_results
	fi
	if wanted net; then
		timed "$vmm-net" "$@" -i /bench/net.cpio \
			-n mode=tap,tapif=bench0
		net_results
	fi
done
echo "@done"
