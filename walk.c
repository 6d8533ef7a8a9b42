// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include "lkvm/log.h"
#include "lkvm/memory.h"

#define CODE_BYTES 16U
#define STACK_LINES 8U
#define STACK_LINE_BYTES 32U

/* Up to @nr bytes at @address, as @text with room for them: " xx xx". */
static void bytes_as_text(const struct memory *mem,
			  const struct walk_regime *regime, u64 address,
			  unsigned int nr, char *text)
{
	struct walk walk;

	text[0] = '\0';
	for (unsigned int i = 0; i < nr; i++) {
		const u8 *byte;

		walk_address(mem, regime, address + i, &walk);
		byte = walk.fault ? NULL : guest_ptr(mem, walk.gpa, 1);
		if (!byte)
			return;
		snprintf(text + 3 * i, 4, " %02x", *byte);
	}
}

void walk_print_code(const struct memory *mem, const struct walk_regime *regime,
		     const struct text_sink *sink, u64 address)
{
	char text[3 * CODE_BYTES + 1];

	bytes_as_text(mem, regime, address, CODE_BYTES, text);
	text_emit(sink, "code at %016" PRIx64 ":%s", address,
		  text[0] ? text : " not in RAM");
}

void walk_print_stack(const struct memory *mem,
		      const struct walk_regime *regime,
		      const struct text_sink *sink, u64 address)
{
	char text[3 * STACK_LINE_BYTES + 1];

	for (unsigned int i = 0; i < STACK_LINES; i++) {
		bytes_as_text(mem, regime, address, STACK_LINE_BYTES, text);
		text_emit(sink, "stack at %016" PRIx64 ":%s", address,
			  text[0] ? text : " not in RAM");
		if (!text[0])
			return;
		address += STACK_LINE_BYTES;
	}
}

void walk_print_tables(const struct memory *mem,
		       const struct walk_regime *regime,
		       const struct text_sink *sink, u64 address)
{
	struct walk walk;

	walk_address(mem, regime, address, &walk);
	text_emit(sink, "page tables for %016" PRIx64 ":", address);
	for (unsigned int i = 0; i < walk.nr_steps; i++)
		text_emit(sink,
			  "%s, %4u of the table at %012" PRIx64 ": %016" PRIx64,
			  walk.steps[i].name, walk.steps[i].index,
			  walk.steps[i].table_gpa, walk.steps[i].entry);
	if (walk.fault)
		text_emit(sink, "%s", walk.fault);
	else
		text_emit(sink, "physical %012" PRIx64, walk.gpa);
}
