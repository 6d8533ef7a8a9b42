/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lkvm/types.h"
#include "x86/acpi.h"
#include "x86/machine.h"

struct found {
	char names[128]; /* signatures, each with a space behind it */
	const u8 *madt;
	size_t madt_len;
	bool bad_checksum;
};

static u8 sum(const u8 *bytes, size_t len)
{
	u8 total = 0;

	for (size_t i = 0; i < len; i++)
		total = (u8)(total + bytes[i]);
	return total;
}

static int look_at(const char *signature, const u8 *table, size_t len,
		   void *opaque)
{
	struct found *found = opaque;

	size_t used = strlen(found->names);

	snprintf(found->names + used, sizeof(found->names) - used, "%s ",
		 signature);
	/* FACS has none. */
	if (strcmp(signature, "FACS") && sum(table, len))
		found->bad_checksum = true;
	if (!strcmp(signature, "APIC")) {
		found->madt = table;
		found->madt_len = len;
	}
	return 0;
}

static unsigned int count_madt(const struct found *found, u8 type)
{
	unsigned int count = 0;
	size_t at = 44;

	while (at < found->madt_len) {
		const u8 *entry = found->madt + at;

		assert_in_range(entry[1], 2, found->madt_len - at);
		count += entry[0] == type;
		at += entry[1];
	}
	assert_int_equal(at, found->madt_len);
	return count;
}

static u8 *build(unsigned int cpus, struct found *found)
{
	const struct acpi_machine machine = {
		.cpus = cpus,
		.mem64 = { 256 * GIB, 256 * GIB },
	};
	u8 *buf = calloc(1, ACPI_MAX);

	assert_non_null(buf);
	assert_int_equal(acpi_build(buf, ACPI_MAX, ACPI_GPA, &machine), 0);
	assert_int_equal(acpi_walk(buf, ACPI_MAX, ACPI_GPA, look_at, found), 0);
	return buf;
}

static void test_acpi__links_all_tables_with_good_checksums(void **state)
{
	struct found found = { .bad_checksum = false };
	u8 *buf = build(4, &found);

	assert_string_equal(found.names,
			    "RSDP XSDT FACP FACS DSDT APIC MCFG SSDT ");
	assert_false(found.bad_checksum);
	assert_memory_equal(buf, "RSD PTR ", 8);
	assert_int_equal(sum(buf, 20), 0);
	free(buf);
}

static void test_acpi__madt_names_every_cpu(void **state)
{
	static const struct {
		unsigned int cpus, lapics, x2apics, nmis;
	} cases[] = {
		{ 1, 1, 0, 1 },		{ 255, 255, 0, 1 },
		{ 256, 255, 1, 1 },	{ 1024, 255, 769, 1 },
		{ 4096, 255, 3841, 1 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct found found = { .bad_checksum = false };
		u8 *buf = build(cases[i].cpus, &found);

		assert_int_equal(count_madt(&found, 0), cases[i].lapics);
		assert_int_equal(count_madt(&found, 9), cases[i].x2apics);
		assert_int_equal(count_madt(&found, 1), 1);
		assert_int_equal(count_madt(&found, 2), 2);
		assert_int_equal(count_madt(&found, 4), cases[i].nmis);
		assert_false(found.bad_checksum);
		free(buf);
	}
}

static void test_acpi__refuses_a_buffer_that_is_too_small(void **state)
{
	const struct acpi_machine machine = { .cpus = 4 };

	for (size_t len = 0; len < 3000; len += 7) {
		u8 *buf = calloc(1, len + 1);

		assert_non_null(buf);
		assert_int_equal(acpi_build(buf, len, ACPI_GPA, &machine),
				 -ENOSPC);
		free(buf);
	}
}

static void test_acpi__walk_stops_at_a_wild_pointer(void **state)
{
	struct found found = { .bad_checksum = false };
	u8 *buf = build(1, &found);

	memset(buf + 24, 0xff, 8); /* the RSDP's XSDT */
	assert_int_equal(acpi_walk(buf, ACPI_MAX, ACPI_GPA, look_at, &found),
			 -EINVAL);
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_acpi__links_all_tables_with_good_checksums),
		cmocka_unit_test(test_acpi__madt_names_every_cpu),
		cmocka_unit_test(test_acpi__refuses_a_buffer_that_is_too_small),
		cmocka_unit_test(test_acpi__walk_stops_at_a_wild_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
