/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arm/fdt.c, which needs no VM, on whatever machine this runs: what Linux, EDK2
 * and kvm-unit-tests look for in the tree, and dtc's warnings.
 */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the folder of another machine */
#include "arm/fdt.c"

#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h> /* last: it has a macro named fail */

#define MAX_CPUS 123

struct fixture {
	u8 fdt[256 * KIB];
	u64 mpidrs[MAX_CPUS];
	struct irq_line_hub irq;
	struct device_desc devices[4];
	struct fdt_machine machine;
	size_t len;
};

static struct fixture f;

static void set_up(enum irqchip irqchip, unsigned int cpus)
{
	memset(&f, 0, sizeof(f));
	f.irq.gsi = 1;
	f.devices[0] = (struct device_desc){
		.node = "serial",
		DEVICE_COMPATIBLE("ns16550a"),
		.start = UART_GPA,
		.len = 8,
		.irq = &f.irq,
		.properties = { { "clock-frequency", 1843200 } },
	};
	f.devices[1] = (struct device_desc){
		.node = "gpio",
		DEVICE_COMPATIBLE("arm,pl061\0arm,primecell"),
		.start = PL061_GPA,
		.len = 0x1000,
		.irq = &f.irq,
		.needs_clock = true,
		.is_gpio_power = true,
	};
	f.devices[2] = (struct device_desc){
		.node = "flash",
		DEVICE_COMPATIBLE("cfi-flash"),
		.label = "System-firmware",
		.start = FLASH_GPA,
		.len = MIB,
		.properties = { { "bank-width", 4 } },
	};
	f.devices[3] = (struct device_desc){
		.node = "serial",
		DEVICE_COMPATIBLE("ns16550a"),
		.start = UART_GPA + UART_STEP,
		.len = 8,
		.irq = &f.irq,
	};
	/* As KVM numbers them. */
	for (unsigned int i = 0; i < cpus; i++)
		f.mpidrs[i] = (i & 15) | (u64)(i >> 4) << 8;
	f.machine = (struct fdt_machine){
		.cmdline = "a  'b' \"c\"",
		.ram_start = RAM_GPA,
		.ram_len = GIB,
		.kaslr_seed = 7,
		.mpidrs = f.mpidrs,
		.cpus = cpus,
		.cache_levels = 3,
		.irqchip = irqchip,
		.mem64 = { MEM64_GPA, MEM64_LEN },
		.devices = f.devices,
		.nr_devices = ARRAY_SIZE(f.devices),
	};
}

static void build(void)
{
	assert_int_equal(fdt_build(f.fdt, sizeof(f.fdt), &f.machine, &f.len),
			 0);
	assert_int_equal(fdt_check_full(f.fdt, f.len), 0);
}

static int node(const char *path)
{
	int at = fdt_path_offset(f.fdt, path);

	if (at < 0)
		print_message("%s: %s\n", path, fdt_strerror(at));
	assert_true(at >= 0);
	return at;
}

static bool has(const char *path, const char *name)
{
	return fdt_getprop(f.fdt, node(path), name, NULL) != NULL;
}

/* Cell @index of a property, which has @cells of them. */
static u32 cell(const char *path, const char *name, unsigned int cells,
		unsigned int index)
{
	const fdt32_t *value;
	int len;

	value = fdt_getprop(f.fdt, node(path), name, &len);
	assert_non_null(value);
	assert_int_equal(len, cells * sizeof(fdt32_t));
	return fdt32_to_cpu(value[index]);
}

static u64 pair(const char *path, const char *name, unsigned int cells,
		unsigned int index)
{
	return (u64)cell(path, name, cells, index) << 32 |
	       cell(path, name, cells, index + 1);
}

static const char *string(const char *path, const char *name)
{
	const char *value = fdt_getprop(f.fdt, node(path), name, NULL);

	assert_non_null(value);
	return value;
}

/* ---- What Linux reads ---- */

static void test_fdt__chosen(void **state)
{
	set_up(IRQCHIP_GICV3_ITS, 1);
	f.machine.initrd_start = 0x88000000;
	f.machine.initrd_len = 5;
	build();
	assert_string_equal(string("/chosen", "bootargs"), "a  'b' \"c\"");
	assert_int_equal(pair("/chosen", "kaslr-seed", 2, 0), 7);
	assert_int_equal(pair("/chosen", "linux,initrd-start", 2, 0),
			 0x88000000);
	assert_int_equal(pair("/chosen", "linux,initrd-end", 2, 0), 0x88000005);
	assert_false(has("/chosen", "linux,pci-probe-only"));
}

static void test_fdt__no_initrd_no_properties(void **state)
{
	set_up(IRQCHIP_GICV3_ITS, 1);
	build();
	assert_false(has("/chosen", "linux,initrd-start"));
	assert_false(has("/chosen", "linux,initrd-end"));
}

static void test_fdt__ram_is_one_range(void **state)
{
	set_up(IRQCHIP_GICV3, 1);
	build();
	assert_int_equal(pair("/memory@80000000", "reg", 4, 0), RAM_GPA);
	assert_int_equal(pair("/memory@80000000", "reg", 4, 2), GIB);
}

static void test_fdt__cpus_by_affinity(void **state)
{
	set_up(IRQCHIP_GICV3, 20);
	build();
	assert_int_equal(cell("/cpus/cpu@f", "reg", 1, 0), 0xf);
	assert_int_equal(cell("/cpus/cpu@103", "reg", 1, 0), 0x103);
	assert_string_equal(string("/cpus/cpu@0", "enable-method"), "psci");
	assert_int_equal(cell("/cpus/cpu-map/socket0/cluster0/core19", "cpu", 1,
			      0),
			 fdt_get_phandle(f.fdt, node("/cpus/cpu@103")));
	assert_int_equal(cell("/cpus/cpu@103", "next-level-cache", 1, 0),
			 fdt_get_phandle(f.fdt, node("/cpus/l2-cache")));
	assert_int_equal(cell("/cpus/l2-cache", "next-level-cache", 1, 0),
			 fdt_get_phandle(f.fdt, node("/cpus/l3-cache")));
}

static void test_fdt__one_cpu_is_always_on(void **state)
{
	set_up(IRQCHIP_GICV3, 1);
	build();
	assert_false(has("/cpus/cpu@0", "enable-method"));
}

static void test_fdt__gicv3_regions(void **state)
{
	const char *gic = "/interrupt-controller@3fff0000";

	set_up(IRQCHIP_GICV3_ITS, 4);
	build();
	assert_int_equal(pair(gic, "reg", 8, 0), 0x3fff0000);
	assert_int_equal(pair(gic, "reg", 8, 4), 0x3fff0000 - 4 * 0x20000);
	assert_int_equal(pair(gic, "reg", 8, 6), 4 * 0x20000);
	assert_int_equal(
		pair("/interrupt-controller@3fff0000/msi-controller@3ff50000",
		     "reg", 4, 0),
		0x3fff0000 - 5 * 0x20000);
}

static void test_fdt__gicv2_regions_and_cpu_masks(void **state)
{
	const char *gic = "/interrupt-controller@3fff0000";

	set_up(IRQCHIP_GICV2M, 4);
	build();
	assert_int_equal(pair(gic, "reg", 8, 0), 0x3fff0000);
	assert_int_equal(pair(gic, "reg", 8, 4), 0x3ffd0000);
	assert_int_equal(cell("/timer", "interrupts", 12, 2), 0xf08);
	node("/interrupt-controller@3fff0000/v2m@3ffcf000");
}

static void test_fdt__msi_map_only_with_a_controller(void **state)
{
	set_up(IRQCHIP_GICV3, 1);
	build();
	assert_false(has("/pcie@40000000", "msi-map"));
	set_up(IRQCHIP_GICV2, 1);
	build();
	assert_false(has("/pcie@40000000", "msi-map"));
	set_up(IRQCHIP_GICV2M, 1);
	build();
	assert_int_equal(cell("/pcie@40000000", "msi-map", 4, 1), PHANDLE_MSI);
}

static void test_fdt__counters_only_if_asked_for(void **state)
{
	set_up(IRQCHIP_GICV3, 2);
	build();
	assert_true(fdt_path_offset(f.fdt, "/pmu") < 0);
	f.machine.pmu = true;
	build();
	assert_int_equal(cell("/pmu", "interrupts", 3, 1), 7);
	assert_int_equal(cell("/pmu", "interrupts", 3, 2), 4);
}

/* ---- PCI, as EDK2 wants it ---- */

static void test_fdt__pci_host(void **state)
{
	const char *pci = "/pcie@40000000";

	set_up(IRQCHIP_GICV3_ITS, 1);
	build();
	assert_string_equal(string(pci, "compatible"), "pci-host-ecam-generic");
	assert_int_equal(pair(pci, "reg", 4, 0), 0x40000000);
	assert_int_equal(pair(pci, "reg", 4, 2), 256 * MIB);
	assert_int_equal(pair(pci, "bus-range", 2, 0), 0);
	/* I/O, 32 bits, 64 bits: PCI address is CPU address. */
	assert_int_equal(cell(pci, "ranges", 21, 0), 0x01000000);
	assert_int_equal(pair(pci, "ranges", 21, 5), 0x10000);
	assert_int_equal(cell(pci, "ranges", 21, 7), 0x02000000);
	assert_int_equal(pair(pci, "ranges", 21, 8), 0x50000000);
	assert_int_equal(pair(pci, "ranges", 21, 10), 0x50000000);
	assert_int_equal(cell(pci, "ranges", 21, 14), 0x03000000);
	assert_int_equal(pair(pci, "ranges", 21, 15), MEM64_GPA);
}

static void test_fdt__no_window_above_what_addresses_reach(void **state)
{
	set_up(IRQCHIP_GICV3_ITS, 1);
	f.machine.mem64.len = 0;
	build();
	cell("/pcie@40000000", "ranges", 14, 0);
}

static void test_fdt__every_pin_has_a_line(void **state)
{
	const char *pci = "/pcie@40000000";
	const unsigned int cells = PCI_SLOTS * PCI_PINS * 10;

	set_up(IRQCHIP_GICV3, 1);
	build();
	for (unsigned int i = 0; i < PCI_SLOTS * PCI_PINS; i++) {
		unsigned int slot = i / 4, pin = i % 4, row = 10 * i;

		assert_int_equal(cell(pci, "interrupt-map", cells, row),
				 slot << 11);
		assert_int_equal(cell(pci, "interrupt-map", cells, row + 3),
				 pin + 1);
		assert_int_equal(cell(pci, "interrupt-map", cells, row + 4),
				 PHANDLE_GIC);
		assert_int_equal(cell(pci, "interrupt-map", cells, row + 8),
				 pci_pin_spi(slot, pin));
	}
	assert_int_equal(cell(pci, "interrupt-map-mask", 4, 0), 0xf800);
	assert_int_equal(cell(pci, "interrupt-map-mask", 4, 3), 7);
}

/* ---- Devices ---- */

static void test_fdt__devices_as_they_say(void **state)
{
	const char *uart = "/serial@1000000";

	set_up(IRQCHIP_GICV3, 1);
	build();
	assert_int_equal(pair(uart, "reg", 4, 0), 0x1000000);
	assert_int_equal(cell(uart, "interrupts", 3, 1), 1);
	assert_int_equal(cell(uart, "interrupts", 3, 2), 4);
	assert_int_equal(cell(uart, "clock-frequency", 1, 0), 1843200);
	assert_string_equal(string("/flash@2000000", "label"),
			    "System-firmware");
	assert_int_equal(cell("/flash@2000000", "bank-width", 1, 0), 4);
	assert_int_equal(cell("/gpio-keys/power", "linux,code", 1, 0), 116);
}

static void test_fdt__stdout_is_the_first_serial_port(void **state)
{
	set_up(IRQCHIP_GICV3, 1);
	build();
	assert_string_equal(string("/chosen", "stdout-path"), "serial0");
	assert_int_equal(fdt_path_offset(f.fdt, "serial0"),
			 node("/serial@1000000"));
	assert_int_equal(fdt_path_offset(f.fdt, "serial1"),
			 node("/serial@1001000"));
}

/* ---- Sizes ---- */

static void test_fdt__firmware_has_room_for_64_cpus(void **state)
{
	set_up(IRQCHIP_GICV3_ITS, 64);
	build();
	assert_true(f.len <= 32704);
}

static void test_fdt__too_little_room_is_said(void **state)
{
	size_t len;

	set_up(IRQCHIP_GICV3_ITS, MAX_CPUS);
	for (size_t max = 0; max < 4096; max += 128)
		assert_int_not_equal(fdt_build(f.fdt, max, &f.machine, &len),
				     0);
	assert_int_equal(fdt_build(f.fdt, 4096, &f.machine, &len), -ENOSPC);
}

/* dtc says nothing of any of them. */
static void check_with_dtc(void)
{
	char path[] = "/tmp/lkvm-fdt-XXXXXX";
	char command[128];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, f.fdt, f.len), (ssize_t)f.len);
	close(fd);
	snprintf(command, sizeof(command),
		 "! dtc -I dtb -O dtb -o /dev/null %s 2>&1 | grep .", path);
	/* NOLINTNEXTLINE(cert-env33-c): a test may */
	assert_int_equal(system(command), 0);
	unlink(path);
}

static void test_fdt__dtc_has_no_warnings(void **state)
{
	/* NOLINTNEXTLINE(cert-env33-c): a test may */
	if (system("command -v dtc >/dev/null"))
		skip();
	for (int chip = IRQCHIP_GICV2; chip <= IRQCHIP_GICV3_ITS; chip++) {
		set_up((enum irqchip)chip, 4);
		f.machine.pmu = true;
		f.machine.initrd_start = RAM_GPA;
		f.machine.initrd_len = 1;
		build();
		check_with_dtc();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fdt__chosen),
		cmocka_unit_test(test_fdt__no_initrd_no_properties),
		cmocka_unit_test(test_fdt__ram_is_one_range),
		cmocka_unit_test(test_fdt__cpus_by_affinity),
		cmocka_unit_test(test_fdt__one_cpu_is_always_on),
		cmocka_unit_test(test_fdt__gicv3_regions),
		cmocka_unit_test(test_fdt__gicv2_regions_and_cpu_masks),
		cmocka_unit_test(test_fdt__msi_map_only_with_a_controller),
		cmocka_unit_test(test_fdt__counters_only_if_asked_for),
		cmocka_unit_test(test_fdt__pci_host),
		cmocka_unit_test(
			test_fdt__no_window_above_what_addresses_reach),
		cmocka_unit_test(test_fdt__every_pin_has_a_line),
		cmocka_unit_test(test_fdt__devices_as_they_say),
		cmocka_unit_test(test_fdt__stdout_is_the_first_serial_port),
		cmocka_unit_test(test_fdt__firmware_has_room_for_64_cpus),
		cmocka_unit_test(test_fdt__too_little_room_is_said),
		cmocka_unit_test(test_fdt__dtc_has_no_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
