/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register accesses of a hostile driver to a virtio device on PCI: each four
 * or more bytes of the input are one access to configuration space or a BAR.
 */
#include <string.h>
#include "tests/support/fuzz_device.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/*
 * First byte: what is accessed (configuration space, port BAR, memory BAR),
 * write or read, and the width; then an offset of two bytes, and for writes the
 * value.
 */
static size_t one_access(struct fake_vm *fake, const u8 *data, size_t len)
{
	u8 width = 1U << (data[0] >> 4 & 3);
	u32 offset = data[1] | (u32)data[2] << 8;
	bool is_write = data[0] & 4;
	u8 target = data[0] & 3;
	u64 value = 0;

	if (is_write && len >= 3U + width)
		memcpy(&value, data + 3, width);
	if (target == 0) {
		if (width == 8)
			width = 4;
		offset = offset % 4096 & ~(width - 1U);
		/* Moving BARs is the PCI core's business, and its fuzzer's. */
		if (is_write && offset >= 0x40)
			fake_config_write(fake, offset, width, (u32)value);
		else
			fake_config_read(fake, offset, width);
	} else if (is_write) {
		fake_bar_write(fake, target == 1 ? 0 : 1, offset % 0x6000,
			       width, value);
	} else {
		fake_bar_read(fake, target == 1 ? 0 : 1, offset % 0x6000,
			      width);
	}
	return 3 + (is_write ? width : 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fuzz_device fuzz;

	fuzz_device_init(&fuzz, VIRTIO_TRANSPORT_PCI);
	fake_vm_start(&fuzz.fake);
	while (len >= 3) {
		size_t used = one_access(&fuzz.fake, data, len);

		if (used > len)
			break;
		data += used;
		len -= used;
	}
	fuzz_device_release(&fuzz);
	return 0;
}
