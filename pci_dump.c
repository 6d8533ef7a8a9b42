/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI tree as text, for people who debug a guest: what each register says,
 * and what has come of it on the buses.
 */
#include <inttypes.h>
#include <linux/pci_regs.h>
#include "lkvm/log.h"
#include "pci_priv.h"

static const char *kind_name(enum pci_bar_kind kind)
{
	switch (kind) {
	case PCI_BAR_IO:
		return "I/O";
	case PCI_BAR_MEM32:
		return "32-bit memory";
	case PCI_BAR_MEM64:
		return "64-bit memory";
	default:
		return "expansion ROM";
	}
}

static void dump_bar(const struct text_sink *sink, const struct pci_bar *bar)
{
	struct pci_piece piece;

	text_emit(sink,
		  "  BAR %u: %s%s, 0x%" PRIx64 " bytes at 0x%" PRIx64 "%s",
		  bar->index, kind_name(bar->kind),
		  bar->prefetchable ? ", prefetchable" : "", bar->size,
		  bar->address, bar->fragments ? "" : ": answers nowhere");
	for (const struct pci_fragment *f = bar->fragments; f;) {
		f = pci_bar_next_piece(f, &piece);
		text_emit(sink,
			  "    answers at 0x%" PRIx64 "-0x%" PRIx64
			  ", %u memory slots",
			  piece.start, piece.start + piece.len - 1,
			  piece.nr_slots);
	}
	for (const struct pci_doorbell *db = bar->doorbells; db; db = db->next)
		text_emit(sink, "    doorbell +0x%" PRIx64 ": %s", db->offset,
			  db->armed ? "eventfd" : "traps");
}

static void dump_interrupts(const struct text_sink *sink,
			    const struct pci_function *fn)
{
	if (fn->intx.hub)
		text_emit(sink, "  INTx: pin A to interrupt %u, %s",
			  fn->intx.hub->gsi, fn->intx_level ? "high" : "low");
	if (fn->msi_cap) {
		struct pci_msi_state msi = pci_msi_state_locked(fn);

		text_emit(sink,
			  "  MSI: control 0x%04x, address 0x%016" PRIx64
			  ", data 0x%04x, pending 0x%x",
			  msi.control, msi.address, msi.data, msi.pending);
	}
}

static void dump_msix(const struct text_sink *sink, struct pci_function *fn)
{
	unsigned int nr = pci_msix_vectors(fn);

	if (!nr)
		return;
	text_emit(sink, "  MSI-X: %u vectors, %s", nr,
		  pci_msix_enabled(fn) ? "enabled" : "disabled");
	for (unsigned int i = 0; i < nr; i++) {
		struct pci_msix_state v = pci_msix_state(fn, i);

		/* Vectors that nobody has set up say nothing. */
		if (!v.address && !v.pending)
			continue;
		text_emit(sink, "    %u: address 0x%" PRIx64 ", data 0x%x%s%s",
			  i, v.address, v.data, v.masked ? ", masked" : "",
			  v.pending ? ", pending" : "");
	}
}

static void dump_function(const struct text_sink *sink,
			  const struct pci_function *fn)
{
	u32 command = pci_get_le(&fn->config[PCI_COMMAND], 2);

	text_emit(sink, "00:%02x.%u %04x:%04x class %06x %s: %s%s%s", fn->slot,
		  fn->function, pci_get_le(&fn->config[PCI_VENDOR_ID], 2),
		  pci_get_le(&fn->config[PCI_DEVICE_ID], 2),
		  pci_get_le(&fn->config[PCI_CLASS_PROG], 3), fn->name,
		  command & PCI_COMMAND_IO ? "I/O+" : "I/O-",
		  command & PCI_COMMAND_MEMORY ? " memory+" : " memory-",
		  command & PCI_COMMAND_MASTER ? " master+" : " master-");
	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (fn->bars[i].kind != PCI_BAR_NONE)
			dump_bar(sink, &fn->bars[i]);
	dump_interrupts(sink, fn);
}

void pci_dump(struct pci_bus *bus, const struct text_sink *sink)
{
	for (unsigned int devfn = 0; devfn < PCI_DEVFNS; devfn++) {
		struct pci_function *fn;

		pthread_mutex_lock(&bus->lock);
		fn = bus->functions[devfn];
		if (fn) {
			dump_function(sink, fn);
			dump_msix(sink, fn);
		}
		pthread_mutex_unlock(&bus->lock);
	}
}
