# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# Ten times out of Linux and in again, each time found elsewhere and moved:
# disk and random numbers work between, and lkvm leaks nothing.

# state NAME: what lkvm has open, and its PCI tree, to files.
state()
{
	trees=$(grep -c "host bridge" err)
	kill -USR2 "$lkvm_pid"
	wait_until 60 "the PCI tree" more_trees
	sleep 0.3
	find "/proc/$lkvm_pid/fd" | wc -l >"$1.fds"
	# The last tree; which vectors Linux takes is its own choice.
	tac err | sed '/host bridge/q' | tac |
		sed 's/, data 0x[0-9a-f]*//' >"$1.tree"
}

more_trees()
{
	[ "$(grep -c "host bridge" err)" -gt "$trees" ]
}

truncate -s 8M disk.raw
mkfifo in
exec 9<>in
pci_guest_start --rng -d disk.raw -p quiet <<'GUEST'
v=$(pci_of vda)
r=$(pci_of rng)
cd /sys/bus/pci
dd if=/dev/urandom of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null
sum=$(head -c 1048576 /dev/vda | md5sum)
worked=0
for i in $(seq 10); do
	echo $v >drivers/virtio-pci/unbind
	echo $r >drivers/virtio-pci/unbind
	poke $v 0x10 $((0x7000 + i * 16))
	poke $v 0x14 $(at $((0x1000000 + i * 65536)))
	poke $r 0x10 $((0x7800 + i * 16))
	poke $r 0x14 $(at $((0x2000000 + i * 65536)))
	# Every other time the disk takes more, and puts the other elsewhere.
	if [ $((i % 2)) = 1 ]; then
		echo "16@pci:1af4:1042" >resource_alignment
	else
		echo >resource_alignment
	fi
	again $v $r
	say place$i $(bar $r 1)
	[ "$(head -c 1048576 /dev/vda | md5sum)" = "$sum" ] && [ "$(disk_io 500)" = ok ] &&
		[ "$(rng_io)" = 64 ] && worked=$((worked + 1))
	if [ $i = 2 ]; then
		say second
		read -r _
	fi
done
say worked $worked
say places $(dmesg | grep -cE "$v: BAR 1 .mem 0x[c5]10[1-9a]0000-.*]$")
say tenth
read -r _
finish
GUEST
wait_out "@ second"
state second
echo >&9
wait_out "@ tenth"
state tenth
echo >&9
lk_wait 120
expect_no_complaints
expect_eq "times that everything worked" 10 "$(value worked)"
expect_eq "places where Linux found the disk" 10 "$(value places)"
[ "$(value place9)" != "$(value place10)" ] ||
	fail "the memory BAR was always put to the same place"
cat tenth.tree
diff second.tree tenth.tree || fail "the PCI tree is another one"
grep -q "doorbell .* eventfd" tenth.tree || fail "no doorbells"
expect_eq "open files" "$(cat second.fds)" "$(cat tenth.fds)"
