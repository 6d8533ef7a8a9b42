# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# l1: vfio
# default: x86
# timeout: 200
#
# Twenty VMs, one after the other, with the same two devices, of a guest that
# resets at once; and one VM that starts again. Nothing stays behind in the host.

# shellcheck source=tests/boot/vfio.sh
. "$CASES/../vfio.sh"
vfio_bind "$gigabit" "$nvme"

if [ "$LAB_ARCH" = x86 ]; then
	# mov dx, 0xcf9; mov al, 6; out dx, al; hlt
	printf '\272\371\014\260\006\356\364' >guest.flat
else
	# mov x0, 0x84000009 (PSCI's SYSTEM_RESET); hvc 0; b .
	printf '\000\200\260\322\040\001\200\362\002\000\000\324' >guest.flat
	printf '\000\000\000\024' >>guest.flat
fi

# The pages that the kernel has given out and not got back.
in_use()
{
	awk '/^Mem(Total|Free)|^(Buffers|Cached|SReclaimable)/ {
		n += ($1 == "MemTotal:" ? 1 : -1) * $2 } END { print n }' \
		/proc/meminfo
}

start()
{
	lk run -k guest.flat -m 128 -c 1 --extended-status --timeout 60 \
		--vfio-pci "$gigabit" --vfio-pci "$nvme"
}

start
expect_status 32
before=$(in_use)
for _ in $(seq 20); do
	start
	expect_status 32
done
expect_most 'memory that stays, KiB' 40000 $(($(in_use) - before))
if pidof lkvm; then
	fail "an lkvm is left"
fi
# The group is free: nobody has its file open.
for fd in /proc/[0-9]*/fd/*; do
	case $(readlink "$fd") in
	/dev/vfio/*) fail "$fd is open" ;;
	esac
done

# --reboot=restart: the guest's reset is the devices' too.
lkvm_pid=
lk_start run -k guest.flat -m 128 -c 1 --reboot=restart --debug \
	--vfio-pci "$gigabit" --vfio-pci "$nvme"
several_resets()
{
	[ "$(grep -c "$nvme: reset by" err)" -ge 4 ]
}
wait_until 60 'four starts' several_resets
kill -TERM "$lkvm_pid"
lk_wait 30

vfio_unbind "$nvme"
modprobe nvme
echo "$nvme" >/sys/bus/pci/drivers_probe
since=$(now)
until [ -b /dev/nvme0n1 ]; do
	[ $(($(now) - since)) -lt 20 ] || fail "the host lost its disk"
	sleep 0.1
done
expect_eq 'NVMe, in the host' "$(sum /out/vfio/nvme.img)" "$(sum /dev/nvme0n1)"
