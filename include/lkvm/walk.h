/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own page tables, followed in software, and what lies at its virtual
 * addresses, as text. For people who debug a guest, not for devices: no
 * permissions are checked. All of it is hostile; whatever tables say, at most
 * WALK_MAX_STEPS are read.
 */
#ifndef LKVM_WALK_H
#define LKVM_WALK_H

#include "lkvm/types.h"

struct memory;
struct text_sink;

/* The registers that say how to translate: the architecture's, in its walk.h. */
struct walk_regime;

struct walk_step {
	const char
		*name; /* of the level, as the architecture's manual has it */
	unsigned int index;
	u64 table_gpa;
	u64 entry;
};

#define WALK_MAX_STEPS 5

struct walk {
	/* What was looked at, from the first level on; none without paging. */
	unsigned int nr_steps;
	struct walk_step steps[WALK_MAX_STEPS];
	const char *fault; /* why there is no address, or NULL */
	u64 gpa;	   /* without a fault */
};

/* Each architecture's. */
void walk_address(const struct memory *mem, const struct walk_regime *regime,
		  u64 address, struct walk *out);

/* The instructions at @address, ... */
void walk_print_code(const struct memory *mem, const struct walk_regime *regime,
		     const struct text_sink *sink, u64 address);
/* ... some of the stack that grows down to it, ... */
void walk_print_stack(const struct memory *mem,
		      const struct walk_regime *regime,
		      const struct text_sink *sink, u64 address);
/* ... and how it is translated. */
void walk_print_tables(const struct memory *mem,
		       const struct walk_regime *regime,
		       const struct text_sink *sink, u64 address);

#endif
