/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device tree, written front to back with libfdt. Bindings: Linux,
 * Documentation/devicetree/bindings; what firmware wants of the nodes is in
 * docs/arm64.md.
 */
#include "arm/fdt.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include "arm/machine.h"

enum phandle {
	PHANDLE_GIC = 1,
	PHANDLE_MSI,
	PHANDLE_CLOCK,
	PHANDLE_GPIO,
	PHANDLE_CACHE, /* of level 2; the levels above follow */
	PHANDLE_CPU = 16,
};

/* Types of interrupts and triggers of the GIC binding. */
#define GIC_SPI 0U
#define GIC_PPI 1U
#define LEVEL_HIGH 4U
#define LEVEL_LOW 8U
#define GICV2_CPU_MASK_SHIFT 8

/* First cell of an address in the PCI binding. */
#define PCI_SPACE_IO 0x01000000U
#define PCI_SPACE_MEM32 0x02000000U
#define PCI_SPACE_MEM64 0x03000000U
#define PCI_PINS 4U

#define APB_CLOCK_HZ 24000000U
#define KEY_POWER 116U

/* Function ids of PSCI 0.2 (Arm DEN0022). */
#define PSCI_CPU_SUSPEND 0x84000001U
#define PSCI_CPU_OFF 0x84000002U
#define PSCI_CPU_ON 0x84000003U
#define PSCI_MIGRATE 0x84000005U
#define PSCI_64 0x40000000U

/* The first error sticks: callers look once, at the end. */
struct tree {
	void *blob;
	int err; /* of libfdt */
};

static void keep(struct tree *tree, int err)
{
	if (!tree->err)
		tree->err = err;
}

static void begin(struct tree *tree, const char *name)
{
	keep(tree, fdt_begin_node(tree->blob, name));
}

static void begin_at(struct tree *tree, const char *name, u64 unit)
{
	char text[48];

	snprintf(text, sizeof(text), "%s@%llx", name, (unsigned long long)unit);
	begin(tree, text);
}

static void end(struct tree *tree)
{
	keep(tree, fdt_end_node(tree->blob));
}

static void put_flag(struct tree *tree, const char *name)
{
	keep(tree, fdt_property(tree->blob, name, NULL, 0));
}

static void put_string(struct tree *tree, const char *name, const char *value)
{
	keep(tree, fdt_property_string(tree->blob, name, value));
}

/* A list of strings; sizeof() of a literal with NULs between them. */
static void put_strings(struct tree *tree, const char *name, const char *list,
			size_t len)
{
	keep(tree, fdt_property(tree->blob, name, list, (int)len));
}

static void put_u32(struct tree *tree, const char *name, u32 value)
{
	keep(tree, fdt_property_u32(tree->blob, name, value));
}

static void put_u64(struct tree *tree, const char *name, u64 value)
{
	keep(tree, fdt_property_u64(tree->blob, name, value));
}

#define MAX_CELLS 32

/* Numbers one after the other: cells of 32 bits, and pairs of them. */
struct cells {
	fdt32_t cell[MAX_CELLS];
	unsigned int nr;
};

static void add(struct cells *cells, u32 value)
{
	cells->cell[cells->nr++] = cpu_to_fdt32(value);
}

static void add64(struct cells *cells, u64 value)
{
	add(cells, (u32)(value >> 32));
	add(cells, (u32)value);
}

static void put_cells(struct tree *tree, const char *name,
		      const struct cells *cells)
{
	keep(tree, fdt_property(tree->blob, name, cells->cell,
				(int)(cells->nr * sizeof(fdt32_t))));
}

static void add_range(struct cells *reg, u64 start, u64 len)
{
	add64(reg, start);
	add64(reg, len);
}

static void put_reg(struct tree *tree, u64 start, u64 len)
{
	struct cells reg = { .nr = 0 };

	add_range(&reg, start, len);
	put_cells(tree, "reg", &reg);
}

static void add_interrupt(struct cells *cells, u32 type, u32 nr, u32 flags)
{
	add(cells, type);
	add(cells, nr);
	add(cells, flags);
}

/* ---- CPUs and memory ---- */

static void put_chosen(struct tree *tree, const struct fdt_machine *m)
{
	begin(tree, "chosen");
	put_string(tree, "bootargs", m->cmdline);
	put_string(tree, "stdout-path", "serial0");
	put_u64(tree, "kaslr-seed", m->kaslr_seed);
	keep(tree, fdt_property(tree->blob, "rng-seed", m->rng_seed,
				sizeof(m->rng_seed)));
	if (m->initrd_len) {
		put_u64(tree, "linux,initrd-start", m->initrd_start);
		put_u64(tree, "linux,initrd-end",
			m->initrd_start + m->initrd_len);
	}
	end(tree);
}

static void put_memory(struct tree *tree, const struct fdt_machine *m)
{
	begin_at(tree, "memory", m->ram_start);
	put_string(tree, "device_type", "memory");
	put_reg(tree, m->ram_start, m->ram_len);
	end(tree);
}

/* CPUs that share all but their first caches: one cluster. */
static void put_cpu_map(struct tree *tree, const struct fdt_machine *m)
{
	char name[24];

	begin(tree, "cpu-map");
	begin(tree, "socket0");
	begin(tree, "cluster0");
	for (unsigned int i = 0; i < m->cpus; i++) {
		snprintf(name, sizeof(name), "core%u", i);
		begin(tree, name);
		put_u32(tree, "cpu", PHANDLE_CPU + i);
		end(tree);
	}
	end(tree);
	end(tree);
	end(tree);
}

/* Sizes stay unsaid: CPUs tell them, or nobody does. */
static void put_caches(struct tree *tree, const struct fdt_machine *m)
{
	char name[24];

	for (unsigned int level = 2; level <= m->cache_levels; level++) {
		u32 phandle = PHANDLE_CACHE + level - 2;

		snprintf(name, sizeof(name), "l%u-cache", level);
		begin(tree, name);
		put_string(tree, "compatible", "cache");
		put_u32(tree, "cache-level", level);
		put_flag(tree, "cache-unified");
		if (level < m->cache_levels)
			put_u32(tree, "next-level-cache", phandle + 1);
		put_u32(tree, "phandle", phandle);
		end(tree);
	}
}

static void put_cpu(struct tree *tree, const struct fdt_machine *m,
		    unsigned int index)
{
	begin_at(tree, "cpu", m->mpidrs[index]);
	put_string(tree, "device_type", "cpu");
	put_string(tree, "compatible", "arm,armv8");
	put_u32(tree, "reg", (u32)m->mpidrs[index]);
	if (m->cpus > 1)
		put_string(tree, "enable-method", "psci");
	if (m->cache_levels > 1)
		put_u32(tree, "next-level-cache", PHANDLE_CACHE);
	put_u32(tree, "phandle", PHANDLE_CPU + index);
	end(tree);
}

static void put_cpus(struct tree *tree, const struct fdt_machine *m)
{
	begin(tree, "cpus");
	put_u32(tree, "#address-cells", 1);
	put_u32(tree, "#size-cells", 0);
	for (unsigned int i = 0; i < m->cpus; i++)
		put_cpu(tree, m, i);
	put_cpu_map(tree, m);
	put_caches(tree, m);
	end(tree);
}

static void put_psci(struct tree *tree, const struct fdt_machine *m)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";
	u32 width = m->aarch32 ? 0 : PSCI_64;

	begin(tree, "psci");
	put_strings(tree, "compatible", compatible, sizeof(compatible));
	put_string(tree, "method", "hvc");
	put_u32(tree, "cpu_suspend", PSCI_CPU_SUSPEND | width);
	put_u32(tree, "cpu_off", PSCI_CPU_OFF);
	put_u32(tree, "cpu_on", PSCI_CPU_ON | width);
	put_u32(tree, "migrate", PSCI_MIGRATE | width);
	end(tree);
}

/* ---- Interrupts ---- */

static bool is_gicv2(const struct fdt_machine *m)
{
	return m->irqchip == IRQCHIP_GICV2 || m->irqchip == IRQCHIP_GICV2M;
}

static bool has_msi(const struct fdt_machine *m)
{
	return m->irqchip == IRQCHIP_GICV2M || m->irqchip == IRQCHIP_GICV3_ITS;
}

static void put_msi_controller(struct tree *tree, const struct fdt_machine *m)
{
	bool is_its = m->irqchip == IRQCHIP_GICV3_ITS;
	u64 start = is_its ? gic_its_gpa(m->cpus) : GICV2M_GPA;

	begin_at(tree, is_its ? "msi-controller" : "v2m", start);
	put_string(tree, "compatible",
		   is_its ? "arm,gic-v3-its" : "arm,gic-v2m-frame");
	put_flag(tree, "msi-controller");
	if (is_its)
		put_u32(tree, "#msi-cells", 1);
	put_reg(tree, start, is_its ? GIC_ITS_LEN : GICV2M_LEN);
	put_u32(tree, "phandle", PHANDLE_MSI);
	end(tree);
}

static void put_gic(struct tree *tree, const struct fdt_machine *m)
{
	struct cells reg = { .nr = 0 };

	begin_at(tree, "interrupt-controller", GIC_DIST_GPA);
	put_string(tree, "compatible",
		   is_gicv2(m) ? "arm,cortex-a15-gic" : "arm,gic-v3");
	put_flag(tree, "interrupt-controller");
	put_u32(tree, "#interrupt-cells", 3);
	put_u32(tree, "#address-cells", 2);
	put_u32(tree, "#size-cells", 2);
	if (is_gicv2(m)) {
		add_range(&reg, GIC_DIST_GPA, GICV2_DIST_LEN);
		add_range(&reg, GICV2_CPU_GPA, GICV2_CPU_LEN);
	} else {
		add_range(&reg, GIC_DIST_GPA, GICV3_DIST_LEN);
		add_range(&reg, gic_redist_gpa(m->cpus),
			  m->cpus * GICV3_REDIST_LEN);
	}
	put_cells(tree, "reg", &reg);
	put_flag(tree, "ranges");
	put_u32(tree, "phandle", PHANDLE_GIC);
	if (has_msi(m))
		put_msi_controller(tree, m);
	end(tree);
}

/* GICv2 wants to know which CPUs share the number of a PPI: all. */
static u32 ppi_flags(const struct fdt_machine *m, u32 trigger)
{
	u32 mask = is_gicv2(m) ? (1U << m->cpus) - 1 : 0;

	return trigger | mask << GICV2_CPU_MASK_SHIFT;
}

static void put_timer(struct tree *tree, const struct fdt_machine *m)
{
	static const char compatible[] = "arm,armv8-timer\0arm,armv7-timer";
	static const u32 ppis[] = { TIMER_SECURE_PPI, TIMER_PHYS_PPI,
				    TIMER_VIRT_PPI, TIMER_HYP_PPI };
	struct cells interrupts = { .nr = 0 };

	begin(tree, "timer");
	put_strings(tree, "compatible", compatible, sizeof(compatible));
	for (unsigned int i = 0; i < ARRAY_SIZE(ppis); i++)
		add_interrupt(&interrupts, GIC_PPI, ppis[i],
			      ppi_flags(m, LEVEL_LOW));
	put_cells(tree, "interrupts", &interrupts);
	put_flag(tree, "always-on");
	if (m->timer_hz)
		put_u32(tree, "clock-frequency", m->timer_hz);
	end(tree);
}

static void put_pmu(struct tree *tree, const struct fdt_machine *m)
{
	struct cells interrupts = { .nr = 0 };

	begin(tree, "pmu");
	put_string(tree, "compatible", "arm,armv8-pmuv3");
	add_interrupt(&interrupts, GIC_PPI, PMU_PPI, ppi_flags(m, LEVEL_HIGH));
	put_cells(tree, "interrupts", &interrupts);
	end(tree);
}

/* ---- PCI ---- */

static void put_pci_ranges(struct tree *tree, const struct fdt_machine *m)
{
	struct cells ranges = { .nr = 0 };

	add(&ranges, PCI_SPACE_IO);
	add64(&ranges, 0);
	add_range(&ranges, PCI_IO_GPA, PCI_IO_LEN);
	add(&ranges, PCI_SPACE_MEM32);
	add64(&ranges, MEM32_GPA);
	add_range(&ranges, MEM32_GPA, MEM32_LEN);
	if (m->mem64.len) {
		add(&ranges, PCI_SPACE_MEM64);
		add64(&ranges, m->mem64.start);
		add_range(&ranges, m->mem64.start, m->mem64.len);
	}
	put_cells(tree, "ranges", &ranges);
}

/* A row for every pin of every slot: an empty map hides PCI from ACPI guests. */
static void put_interrupt_map(struct tree *tree)
{
	fdt32_t map[PCI_SLOTS * PCI_PINS][10];
	struct cells row, mask = { .nr = 0 };

	for (unsigned int i = 0; i < PCI_SLOTS * PCI_PINS; i++) {
		unsigned int slot = i / PCI_PINS, pin = i % PCI_PINS;

		row.nr = 0;
		add(&row, slot << 11);
		add64(&row, 0);
		add(&row, pin + 1);
		add(&row, PHANDLE_GIC);
		add64(&row, 0);
		add_interrupt(&row, GIC_SPI, pci_pin_spi(slot, pin),
			      LEVEL_HIGH);
		memcpy(map[i], row.cell, sizeof(map[i]));
	}
	keep(tree, fdt_property(tree->blob, "interrupt-map", map, sizeof(map)));
	add(&mask, 0xf800);
	add64(&mask, 0);
	add(&mask, 7);
	put_cells(tree, "interrupt-map-mask", &mask);
}

static void put_pci(struct tree *tree, const struct fdt_machine *m)
{
	struct cells bus_range = { .nr = 0 }, msi_map = { .nr = 0 };

	begin_at(tree, "pcie", ECAM_GPA);
	put_string(tree, "device_type", "pci");
	put_string(tree, "compatible", "pci-host-ecam-generic");
	put_u32(tree, "#address-cells", 3);
	put_u32(tree, "#size-cells", 2);
	put_u32(tree, "#interrupt-cells", 1);
	put_flag(tree, "dma-coherent");
	put_reg(tree, ECAM_GPA, ECAM_LEN);
	add64(&bus_range, 0);
	put_cells(tree, "bus-range", &bus_range);
	put_pci_ranges(tree, m);
	if (has_msi(m)) {
		/* Requester ids as they are, all of them. */
		add(&msi_map, 0);
		add(&msi_map, PHANDLE_MSI);
		add(&msi_map, 0);
		add(&msi_map, 0x10000);
		put_cells(tree, "msi-map", &msi_map);
	}
	put_interrupt_map(tree);
	end(tree);
}

/* ---- Devices of fixed place ---- */

static void put_clock(struct tree *tree)
{
	begin(tree, "apb-pclk");
	put_string(tree, "compatible", "fixed-clock");
	put_u32(tree, "#clock-cells", 0);
	put_u32(tree, "clock-frequency", APB_CLOCK_HZ);
	put_string(tree, "clock-output-names", "clk24mhz");
	put_u32(tree, "phandle", PHANDLE_CLOCK);
	end(tree);
}

static void put_gpio_properties(struct tree *tree)
{
	put_flag(tree, "gpio-controller");
	put_u32(tree, "#gpio-cells", 2);
	put_flag(tree, "interrupt-controller");
	put_u32(tree, "#interrupt-cells", 2);
	put_u32(tree, "#address-cells", 0);
	put_u32(tree, "phandle", PHANDLE_GPIO);
}

static void put_power_button(struct tree *tree)
{
	struct cells line = { .nr = 0 };

	begin(tree, "gpio-keys");
	put_string(tree, "compatible", "gpio-keys");
	begin(tree, "power");
	put_string(tree, "label", "Power button");
	put_u32(tree, "linux,code", KEY_POWER);
	add(&line, PHANDLE_GPIO);
	add64(&line, 0); /* line 0, active high */
	put_cells(tree, "gpios", &line);
	end(tree);
	end(tree);
}

static void put_device(struct tree *tree, const struct device_desc *desc)
{
	struct cells interrupts = { .nr = 0 };

	begin_at(tree, desc->node, desc->start);
	put_strings(tree, "compatible", desc->compatible, desc->compatible_len);
	put_reg(tree, desc->start, desc->len);
	if (desc->irq) {
		add_interrupt(&interrupts, GIC_SPI, desc->irq->gsi, LEVEL_HIGH);
		put_cells(tree, "interrupts", &interrupts);
	}
	if (desc->label)
		put_string(tree, "label", desc->label);
	if (desc->needs_clock) {
		put_u32(tree, "clocks", PHANDLE_CLOCK);
		put_string(tree, "clock-names", "apb_pclk");
	}
	if (desc->is_dma_coherent)
		put_flag(tree, "dma-coherent");
	for (unsigned int i = 0;
	     i < DEVICE_MAX_PROPERTIES && desc->properties[i].name; i++)
		put_u32(tree, desc->properties[i].name,
			desc->properties[i].value);
	if (desc->is_gpio_power)
		put_gpio_properties(tree);
	end(tree);
	if (desc->is_gpio_power)
		put_power_button(tree);
}

/* Serial ports keep their numbers whatever order the kernel finds them in. */
static void put_aliases(struct tree *tree, const struct fdt_machine *m)
{
	unsigned int serial = 0;
	char name[24], path[64];

	begin(tree, "aliases");
	for (unsigned int i = 0; i < m->nr_devices; i++) {
		const struct device_desc *desc = &m->devices[i];

		if (strcmp(desc->node, "serial") != 0)
			continue;
		snprintf(name, sizeof(name), "serial%u", serial++);
		snprintf(path, sizeof(path), "/%s@%llx", desc->node,
			 (unsigned long long)desc->start);
		put_string(tree, name, path);
	}
	end(tree);
}

static void put_root(struct tree *tree, const struct fdt_machine *m)
{
	begin(tree, "");
	put_u32(tree, "interrupt-parent", PHANDLE_GIC);
	put_string(tree, "compatible", "linux,dummy-virt");
	put_string(tree, "model", "lkvm");
	put_u32(tree, "#address-cells", 2);
	put_u32(tree, "#size-cells", 2);
	put_chosen(tree, m);
	put_aliases(tree, m);
	put_memory(tree, m);
	put_cpus(tree, m);
	put_psci(tree, m);
	put_gic(tree, m);
	put_timer(tree, m);
	if (m->pmu)
		put_pmu(tree, m);
	put_clock(tree);
	for (unsigned int i = 0; i < m->nr_devices; i++)
		put_device(tree, &m->devices[i]);
	put_pci(tree, m);
	end(tree);
}

int fdt_build(void *out, size_t max, const struct fdt_machine *machine,
	      size_t *len)
{
	struct tree tree = { .blob = out };

	keep(&tree, fdt_create(out, (int)max));
	keep(&tree, fdt_finish_reservemap(out));
	put_root(&tree, machine);
	keep(&tree, fdt_finish(out));
	if (tree.err)
		return tree.err == -FDT_ERR_NOSPACE ? -ENOSPC : -EINVAL;
	*len = fdt_totalsize(out);
	return 0;
}
