/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared libraries that are loaded when they are first needed: library.c or, in
 * a static program, library_none.c.
 */
#ifndef LKVM_LIBRARY_H
#define LKVM_LIBRARY_H

/* One name that is looked up in a library, and where to put its address. */
struct library_symbol {
	const char *name;
	void **address;
};

/*
 * Load library @file and look up the names in @symbols, which ends with a NULL
 * name. NULL unless all of them are there. Before the process is confined.
 */
void *library_open(const char *file, const struct library_symbol *symbols);
/* Accepts NULL. */
void library_close(void *library);

#endif
