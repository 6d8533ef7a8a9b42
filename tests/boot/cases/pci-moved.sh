# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# BARs that Linux moves at boot: memory BARs to an alignment of 64 KiB, both
# kinds away from where hogs sit. Every device works there, and ringing a
# doorbell costs no exit to lkvm, nor after a further move.

# Hogs sit where Linux would put the first BARs. On arm64 the windows themselves
# could not be had then; there Linux leaves out the first ports anyway.
hogs="reserve=0x6000,0x20,0xc0000000,0x8000"
ports=0x6020
if [ "$LAB_ARCH" = arm64 ]; then
	hogs=
	ports=0x1000
fi

# boot READS: the guest of this case, with that many single requests.
boot()
{
	truncate -s 8M disk.raw
	ids="16@pci:1af4:1042;16@pci:1af4:1043;16@pci:1af4:1044"
	pci_guest --rng --console virtio -d disk.raw --loglevel debug \
		-p "quiet $hogs pci=resource_alignment=$ids reads=$1" \
		<<-'GUEST'
	for d in vda rng console; do
		p=$(pci_of $d)
		# Where lkvm had put them is what the first scan found.
		say $d.port.before $(dmesg | grep "$p: BAR 0 \[io" |
			head -n 1 | sed 's/.*\[io  *\([^-]*\)-.*/\1/')
		say $d.memory.before $(dmesg | grep "$p: BAR 1 \[mem" |
			head -n 1 | sed 's/.*\[mem  *\([^-]*\)-.*/\1/')
		say $d.port $(($(bar $p 0)))
		say $d.memory $(($(bar $p 1)))
	done
	say disk $(disk_io 3)
	say rng $(rng_io)
	say console $(cat /sys/class/tty/console/active)
	# Elsewhere, then found there and moved back by Linux.
	p=$(pci_of vda)
	echo $p >/sys/bus/pci/drivers/virtio-pci/unbind
	poke $p 0x10 0x8000
	poke $p 0x14 $(at 0x1000000)
	again $p
	say found $(dmesg | grep -cE "$p: BAR (0 .io  0x8000|1 .mem $(at 0x1000000))-.*]$")
	say again.port $(($(bar $p 0)))
	say again.memory $(($(bar $p 1)))
	say again.disk $(disk_io 40)
	n=$(sed 's/.*reads=\([0-9]*\).*/\1/' /proc/cmdline)
	irqs() { awk '/virtio.*-req/ { n += $2 } END { print n }' /proc/interrupts; }
	before=$(irqs)
	[ $n = 0 ] || dd if=/dev/vda of=/dev/null bs=4k count=$n iflag=direct
	say reads $(($(irqs) - before))
	finish
	GUEST
	# "resource sanity check" and the like stay complaints.
	expect_no_complaints
	exits=$(sed -n 's/.*vCPU 0: \([0-9]*\) exits to lkvm.*/\1/p' err)
	echo "reads: $1, exits: $exits"
}

boot 0
for d in vda rng console; do
	echo "$d: ports $(value $d.port.before) -> $(value $d.port)," \
		"memory $(value $d.memory.before) -> $(value $d.memory)"
	expect_least "$d: port BAR, behind the hog" $((ports)) \
		"$(value $d.port)"
	expect_most "$d: port BAR before" $((ports - 1)) \
		"$(($(value $d.port.before)))"
	expect_eq "$d: memory BAR's place in 64 KiB" 0 \
		$(($(value $d.memory) % 65536))
	# Where no hog sits, the first one has its alignment already.
	[ "$(value $d.memory)" != "$(($(value $d.memory.before)))" ] ||
		[ "$d$hogs" = vda ] || fail "$d: the memory BAR did not move"
done
expect_eq "disk" ok "$(value disk)"
expect_eq "bytes from the rng" 64 "$(value rng)"
value console | grep -q hvc0 || fail "expected hvc0 to be a console"
expect_eq "BARs of the disk found elsewhere" 2 "$(value found)"
expect_eq "port BAR moved back" "$(value vda.port)" "$(value again.port)"
expect_eq "memory BAR moved back" "$(value vda.memory)" \
	"$(value again.memory)"
expect_eq "disk after that" ok "$(value again.disk)"

without=$exits
boot 600
expect_least "interrupts of 600 reads" 600 "$(value reads)"
# Each would be one more, if the eventfds had not moved along. What remains is
# the guest's own: the console, and clocks.
expect_most "exits that 600 reads cost" 150 $((exits - without))
