# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154,SC2034,SC2016
# Every virtio queue has an MSI-X vector of its own.

machine_boot
section interrupts | grep virtio >irqs || fail "no virtio interrupts"
cat irqs
section virtio >devices
expect_least "virtio devices" 2 "$(wc -l <devices)"
while read -r device queues; do
	expect_eq "vectors for the $queues queues and the configuration of $device" \
		$((queues + 1)) "$(grep -c " $device-" irqs)"
done <devices
expect_eq "virtio interrupts that are not MSI" 0 "$(grep -vcE '(PCI|ITS)-MSI' irqs)"
expect_eq "interrupts that queues share" 0 "$(grep -c virtqueues irqs)"
