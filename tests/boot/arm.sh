# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Words of the arm-* cases.

# devices OPTION...: a guest that uses its disk and its random numbers, and says
# how their interrupts come.
devices()
{
	truncate -s 1M disk.raw
	guest --rng -d disk.raw "$@" <<'GUEST'
grep -E 'virtio|ttyS0' /proc/interrupts | sed 's/^/@irq /'
echo "@ stolen $(dmesg | grep -c 'using stolen time PV')"
echo "@ cpus $(nproc)"
dd if=/dev/vda of=/dev/null bs=64k 2>/dev/null && echo "@ disk read"
dd if=/dev/hwrng bs=16 count=1 2>/dev/null | wc -c | sed 's/^/@ rng /'
echo "@ devices $(ls /sys/bus/pci/devices | wc -l)"
poweroff -f
GUEST
	expect_status 0
	expect_eq "disk" read "$(value disk)"
	expect_eq "random bytes" 16 "$(value rng)"
}

ones()
{
	head -c 1048576 /dev/zero | tr '\000' '\377' >flash.img
}

# bare END STATUS [OPTION...]: the guest of tests/boot/arm/bare.c, which is to
# end in that way.
bare()
{
	end=$1
	want=$2
	shift 2
	ones
	lk run -k "$BARE/bare-$end.flat" -m 64 -c 2 -n none --rng \
		-F flash.img "$@"
	expect_status "$want"
	expect_out "@ bare ok"
	expect_no_out "wrong:"
}

# A guest without an operating system finds every device as it should be, at
# both ends of the PCI windows too, and its ends have their statuses.
bare_all()
{
	bare poweroff 0
	bare reset 0
	bare reset 32 --extended-status
	bare panic 34
	bare undecoded 33
	expect_err "single loads and stores"
}
