/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What users forget, over a model of sysfs: each is named, with its cure.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/failure.h"
#include "tests/support/fake_vfio.h"
#include "vfio/vfio_priv.h"
#include <cmocka.h> /* last: it has a macro named fail */

static int setup(void **state)
{
	fake_vfio_init();
	return 0;
}

static int teardown(void **state)
{
	fake_vfio_release();
	return 0;
}

static struct vfio_host_device look(void)
{
	struct vfio_host_device host;

	assert_int_equal(vfio_sysfs_device(FAKE_VFIO_NAME, &host), 0);
	return host;
}

static void expect(const char *text)
{
	struct failure why = FAILURE_INIT;
	struct vfio_host_device host = look();

	assert_true(vfio_check(&host, 0, false, &why) < 0);
	if (!strstr(why.text, text) || !strstr(why.text, FAKE_VFIO_NAME))
		fail_msg("%s", why.text);
}

static void expect_ready(void)
{
	struct failure why = FAILURE_INIT;
	struct vfio_host_device host = look();

	if (vfio_check(&host, 64 * MIB, false, &why))
		fail_msg("%s", why.text);
}

#define DEVICE "/sys/bus/pci/devices/" FAKE_VFIO_NAME

static void test_address__forms(void **state)
{
	static const char *const bad[] = { "",	      ".",	"1",
					   "1:2",     "1:2.8",	"1:20.0",
					   "0x1:0.0", "1:2.3 ", "1:2:3:4.0",
					   "-1:0.0" };
	char name[VFIO_NAME_LEN];

	assert_true(vfio_parse_address("2.1", name));
	assert_string_equal(name, "0000:00:02.1");
	assert_true(vfio_parse_address("a1:1f.7", name));
	assert_string_equal(name, "0000:a1:1f.7");
	assert_true(vfio_parse_address("ffff:00:02.0", name));
	assert_string_equal(name, "ffff:00:02.0");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(vfio_parse_address(bad[i], name));
}

static void test_sysfs__device(void **state)
{
	struct vfio_host_device host = look();

	assert_int_equal(host.vendor, 0x8086);
	assert_int_equal(host.class_code, 0x020000);
	assert_int_equal(host.group, 7);
	assert_string_equal(host.driver, "vfio-pci");
	assert_string_equal(host.cdev, "");
	assert_int_equal(vfio_sysfs_device("0000:09:00.0", &host), -ENODEV);
}

static void test_sysfs__reserved_ranges(void **state)
{
	struct vfio_reserved range;

	assert_false(vfio_sysfs_reserved(7, 0, 0xfee00000, &range));
	assert_true(vfio_sysfs_reserved(7, 0, 0xfee00001, &range));
	assert_int_equal(range.last, 0xfeefffff);
	assert_string_equal(range.type, "msi");
	assert_false(vfio_sysfs_reserved(7, 0xfef00000, 0x1000, &range));
}

static void test_check__ready(void **state)
{
	expect_ready();
}

static void test_check__no_iommu(void **state)
{
	fake_vfio_remove(DEVICE "/iommu_group");
	expect("this device is not behind the host's IOMMU");
	/* It may get its group together with its driver. */
	fake_vfio_remove(DEVICE "/driver");
	expect("its driver is (none), not vfio-pci");
	fake_vfio_remove("/sys/kernel");
	expect("intel_iommu=on");
}

static void test_check__driver_and_the_commands_that_bind(void **state)
{
	fake_vfio_link(DEVICE "/driver", "../../drivers/e1000e");
	expect("its driver is e1000e, not vfio-pci");
	expect("echo vfio-pci >$d/driver_override; echo " FAKE_VFIO_NAME
	       " >$d/driver/unbind; echo " FAKE_VFIO_NAME
	       " >/sys/bus/pci/drivers_probe");
	fake_vfio_remove(DEVICE "/driver");
	fake_vfio_remove("/sys/bus/pci/drivers/vfio-pci/bind");
	expect("its driver is (none), not vfio-pci");
}

static void test_check__driver_of_one_vendor(void **state)
{
	fake_vfio_link(DEVICE "/driver", "../../drivers/mlx5_vfio_pci");
	expect_ready();
}

static void test_check__group(void **state)
{
	/* None of these is in the way. */
	fake_vfio_add_sibling("0000:01:01.0", "0x060400\n", "pcieport");
	fake_vfio_add_sibling("0000:01:02.0", "0x020000\n", NULL);
	fake_vfio_add_sibling("0000:01:03.0", "0x020000\n", "pci-stub");
	fake_vfio_add_sibling("0000:01:04.0", "0x020000\n", "vfio-pci");
	expect_ready();
	fake_vfio_add_sibling("0000:01:06.0", "0x040300\n", "snd_hda_intel");
	fake_vfio_add_sibling("0000:01:05.0", "0x030000\n", "nouveau");
	expect("group 7 holds devices that the host uses: 0000:01:05.0 (driver "
	       "nouveau), 0000:01:06.0 (driver snd_hda_intel);");
}

static void test_check__nodes(void **state)
{
	fake_vfio_remove("/dev/vfio/vfio");
	expect("there is no /dev/vfio/vfio: as root, modprobe vfio-pci");
	fake_vfio_file("/dev/vfio/vfio", "");
	fake_vfio_remove("/dev/vfio/7");
	expect("there is no /dev/vfio/7");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_address__forms),
		TEST(test_sysfs__device),
		TEST(test_sysfs__reserved_ranges),
		TEST(test_check__ready),
		TEST(test_check__no_iommu),
		TEST(test_check__driver_and_the_commands_that_bind),
		TEST(test_check__driver_of_one_vendor),
		TEST(test_check__group),
		TEST(test_check__nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
