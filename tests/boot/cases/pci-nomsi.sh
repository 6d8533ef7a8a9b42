# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2094
# pci=nomsi: interrupt lines by _PRT or interrupt-map, level-triggered. On x86
# slots 1 and 9, a disk and the random numbers, share one of eight; on arm64 every
# slot has its own.

disks=
for i in 1 2 3 4 5 6 7 8; do
	truncate -s 4M "$i.raw"
	disks="$disks -d $i.raw"
done
# shellcheck disable=SC2086 # a list of words
pci_guest --rng $disks -p "quiet pci=nomsi" <<'GUEST'
say disk $(disk_io 3)
say rng $(rng_io)
# Both at once, on one line.
for i in 1 2 3 4 5; do
	rng_io >/tmp/rng.$i
done &
both=0
for i in 1 2 3 4 5; do
	[ "$(disk_io $((i * 20)))" = ok ] && both=$((both + 1))
done
wait
say both $both $(cat /tmp/rng.* | xargs)
for d in b c d e f g h; do
	dd if=/dev/vd$d bs=4k count=8 iflag=direct 2>/dev/null | wc -c
done >/tmp/others
say others $(xargs </tmp/others)
echo "@begin irqs"
grep virtio /proc/interrupts
echo "@end irqs"
finish
GUEST
expect_no_complaints
section irqs >irqs
cat irqs
expect_eq "disk" ok "$(value disk)"
expect_eq "bytes from the rng" 64 "$(value rng)"
expect_eq "both at once" "5 64 64 64 64 64" "$(value both)"
expect_eq "bytes of the other disks" \
	"32768 32768 32768 32768 32768 32768 32768" "$(value others)"
line='IO-APIC +[0-9]+-fasteoi'
lines=8
if [ "$LAB_ARCH" = arm64 ]; then
	line='GIC.* Level'
	lines=9
fi
expect_eq "interrupt lines" $lines "$(grep -cE "$line" irqs)"
expect_eq "other virtio interrupts" 0 "$(grep -vcE "$line" irqs)"
[ "$LAB_ARCH" = arm64 ] || grep -qE '17-fasteoi +virtio0, virtio8$' irqs ||
	fail "expected the disk and the rng on line 17"
