/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register accesses of a hostile driver to a legacy virtio device on PCI. Each
 * access is a byte that says what it is, one of the offset and, for writes, the
 * value.
 */
#include <linux/pci_regs.h>
#include <string.h>
#include "tests/support/fuzz_device.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static void switch_msix(struct fake_vm *fake, bool on)
{
	unsigned int cap = fake_config_read(fake, PCI_CAPABILITY_LIST, 1);

	while (fake_config_read(fake, cap, 1) != PCI_CAP_ID_MSIX)
		cap = fake_config_read(fake, cap + 1, 1);
	fake_config_write(fake, cap + PCI_MSIX_FLAGS, 2,
			  on ? PCI_MSIX_FLAGS_ENABLE : 0);
}

/*
 * First byte: bits 0 and 1 the width, bit 2 a write, bit 3 MSI-X off or on, which
 * moves what lies behind offset 20.
 */
static size_t one_access(struct fake_vm *fake, const u8 *data, size_t len)
{
	u8 width = 1U << (data[0] & 3);
	u64 value = 0;

	switch_msix(fake, data[0] & 8);
	if (!(data[0] & 4)) {
		fake_bar_read(fake, 0, data[1], width);
		return 2;
	}
	if (len >= 2U + width)
		memcpy(&value, data + 2, width);
	fake_bar_write(fake, 0, data[1], width, value);
	return 2U + width;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fuzz_device fuzz;

	fuzz_device_init(&fuzz, VIRTIO_TRANSPORT_PCI_LEGACY);
	fake_vm_start(&fuzz.fake);
	while (len >= 2) {
		size_t used = one_access(&fuzz.fake, data, len);

		if (used > len)
			break;
		data += used;
		len -= used;
	}
	fuzz_device_release(&fuzz);
	return 0;
}
