# SPDX-License-Identifier: GPL-2.0-only
# default: x86
# shellcheck shell=sh disable=SC2154,SC2034
# The same with legacy drivers that have INTx only: the kernel's interrupts come
# through the event loop.

vhost_options=--virtio-legacy
vhost_params=pci=nomsi
# shellcheck source=/dev/null
. "$CASES/vhost.sh"
expect_out "@irq.*\(IO-APIC\|GICv\).*virtio"
expect_no_out "@irq.*PCI-MSI"
