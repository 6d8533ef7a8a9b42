/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables that describe the machine to the guest (ACPI 6.4, chapter 5), as
 * one block that starts with the RSDP.
 */
#ifndef LKVM_X86_ACPI_H
#define LKVM_X86_ACPI_H

#include "lkvm/pci.h"
#include "lkvm/types.h"

/* What differs from one VM to another. */
struct acpi_machine {
	unsigned int cpus;
	struct pci_window mem64; /* len 0: none */
	bool has_keyboard;	 /* and a mouse, at the keyboard controller */
};

/*
 * Write the tables to @buf, @len zeroed bytes that the guest sees at @gpa (a
 * multiple of 64). -ENOSPC if they do not fit.
 */
int acpi_build(u8 *buf, size_t len, u32 gpa,
	       const struct acpi_machine *machine);

/*
 * Call @each for the RSDP and every table reachable from it, until it returns
 * non-zero, which is the result. -EINVAL when they are not as acpi_build()
 * writes them.
 */
int acpi_walk(const u8 *buf, size_t len, u32 gpa,
	      int (*each)(const char *signature, const u8 *table, size_t len,
			  void *opaque),
	      void *opaque);

#endif
