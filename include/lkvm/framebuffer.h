/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The picture that is there before the guest has a driver: what firmware would
 * have set up, for the machine's description.
 */
#ifndef LKVM_FRAMEBUFFER_H
#define LKVM_FRAMEBUFFER_H

#include "lkvm/types.h"

struct display_source_ops;
struct pci_function;

/* 32-bit pixels 0x00RRGGBB at the start of a memory BAR. */
struct framebuffer {
	struct pci_function *fn; /* NULL: there is none */
	unsigned int bar;
	u64 len;	   /* bytes of the BAR */
	u32 width, height; /* pixels */
	u32 stride;	   /* bytes */
	/* What is to be seen at any time: source->frame(opaque, ...). */
	const struct display_source_ops *source;
	void *opaque;
};

#endif
