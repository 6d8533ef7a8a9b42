/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands for a program of kvm-unit-tests: a flat image without a header, which
 * takes its arguments from the command line and its environment from an initrd
 * that is plain text. Prints where it is, what RAM it has, and both of them.
 */
#include "guest.h"

#define FDT_BEGIN_NODE 1
#define FDT_END_NODE 2
#define FDT_PROP 3
#define FDT_NOP 4

static u32 be32(const u8 *at)
{
	return (u32)at[0] << 24 | (u32)at[1] << 16 | (u32)at[2] << 8 | at[3];
}

static u64 be64(const u8 *at)
{
	return (u64)be32(at) << 32 | be32(at + 4);
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static u32 padded(u32 len)
{
	return (len + 3) & ~3U;
}

static u32 text_len(const char *text)
{
	u32 len = 0;

	while (text[len])
		len++;
	return len + 1;
}

/* The first property @name of a node that has one, and its length; 0: none. */
static const u8 *find(u64 fdt, const char *name, u32 *len)
{
	const u8 *tree = (const u8 *)fdt;
	const char *names = (const char *)tree + be32(tree + 12);
	const u8 *at = tree + be32(tree + 8);

	for (;; at += 4) {
		switch (be32(at)) {
		case FDT_BEGIN_NODE:
			at += padded(text_len((const char *)at + 4));
			break;
		case FDT_PROP:
			*len = be32(at + 4);
			if (same(names + be32(at + 8), name))
				return at + 12;
			at += 8 + padded(*len);
			break;
		case FDT_END_NODE:
		case FDT_NOP:
			break;
		default:
			return 0;
		}
	}
}

static u64 number(u64 fdt, const char *name)
{
	u32 len;
	const u8 *value = find(fdt, name, &len);

	if (!value)
		return 0;
	return len == 8 ? be64(value) : be32(value);
}

void guest_exception(u64 esr, u64 elr, u64 far)
{
	print("exception\r\n");
	hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
}

void guest_main(u64 fdt)
{
	u64 start = number(fdt, "linux,initrd-start");
	u64 end = number(fdt, "linux,initrd-end");
	const u8 *args;
	u64 here;
	u32 len;

	__asm__("adr %0, _start" : "=r"(here));
	print("@ at ");
	print_hex(here);
	args = find(fdt, "bootargs", &len);
	print("\r\n@ args ");
	print(args ? (const char *)args : "");
	print("\r\n@ initrd ");
	for (; start < end; start++)
		out8(UART, *(const u8 *)start);
	print("\r\nEXIT: STATUS=1\r\n");
	hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
}
