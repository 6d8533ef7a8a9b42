/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device says of itself: its configuration space, which becomes the
 * guest's, and the capabilities in answers of VFIO.
 */
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/pci.h"
#include "vfio/vfio_priv.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static u32 get32(const u8 *config, unsigned int at)
{
	u32 value;

	memcpy(&value, &config[at], sizeof(value));
	return value;
}

/* The lists that are left end, and hold no capability that is hidden. */
static void check_lists(const u8 *config, const u8 *held)
{
	unsigned int at = config[PCI_CAPABILITY_LIST];
	unsigned int steps = 0;

	while (at) {
		if (at & 3 || at < PCI_STD_HEADER_SIZEOF || ++steps > 48 ||
		    held[at] != 0xff || held[at + 1] != 0xff ||
		    config[at] == PCI_CAP_ID_EA)
			abort();
		at = config[at + PCI_CAP_LIST_NEXT];
	}
	steps = 0;
	for (at = PCI_CFG_SPACE_SIZE; at; at = get32(config, at) >> 20) {
		if (at & 3 || at < PCI_CFG_SPACE_SIZE || ++steps > 960 ||
		    held[at] != 0xff || held[at + 3] != 0xff ||
		    (get32(config, at) & 0xffff) == PCI_EXT_CAP_ID_SRIOV)
			abort();
	}
}

/* The core adopts what is left, or refuses it. */
static void adopt(const u8 *config)
{
	static const struct pci_identity id = { .vendor = 1 };
	static const struct pci_function_ops ops = { .bar_access = NULL };
	static struct pci_function fn;
	unsigned int cap;

	pci_function_init(&fn, "fuzz", &ops, &id);
	pci_bar_init(&fn, 0, PCI_BAR_MEM64, false, 64 * KIB);
	pci_bar_init(&fn, 4, PCI_BAR_MEM32, false, 4 * KIB);
	memcpy(&fn.config[0x40], &config[0x40], PCI_CONFIG_LEN - 0x40);
	fn.config[PCI_CAPABILITY_LIST] = config[PCI_CAPABILITY_LIST];
	fn.config[PCI_STATUS] = config[PCI_STATUS];
	cap = vfio_config_find(fn.config, PCI_CAP_ID_MSI);
	if (cap)
		(void)!pci_adopt_msi(&fn, cap);
	cap = vfio_config_find(fn.config, PCI_CAP_ID_MSIX);
	if (cap)
		(void)!pci_adopt_msix(&fn, cap);
	pci_remove(&fn);
}

/* An answer that is exactly as long as it says, so that ASan sees its end. */
static void walk_answer(const u8 *data, size_t len)
{
	const struct vfio_info_cap_header *cap;
	u32 cap_len;
	u8 *exact;

	if (len < 4)
		return;
	exact = malloc(len);
	if (!exact)
		return;
	memcpy(exact, data, len);
	cap = vfio_find_cap(exact, (u32)len, data[0], data[1] & 3, &cap_len);
	if (cap && (cap_len > len || cap_len < sizeof(*cap) ||
		    cap->id != (data[1] & 3)))
		abort();
	free(exact);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	u8 config[PCI_CONFIG_LEN] = { 0 }, held[PCI_CONFIG_LEN];

	memcpy(config, data, len < sizeof(config) ? len : sizeof(config));
	vfio_config_sanitize(config,
			     len > PCI_CFG_SPACE_SIZE ? PCI_CONFIG_LEN
						      : PCI_CFG_SPACE_SIZE,
			     held);
	check_lists(config, held);
	adopt(config);
	walk_answer(data, len);
	return 0;
}
