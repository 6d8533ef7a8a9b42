/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same machine as the ACPI tables describe. Pure functions; section numbers
 * are those of the MultiProcessor Specification 1.4.
 */
#include "x86/mptable.h"

#include <errno.h>
#include <string.h>
#include "x86/machine.h"

#define PACKED __attribute__((packed))

struct PACKED mp_pointer { /* 4.1 */
	char signature[4];
	u32 table;
	u8 length; /* in 16 bytes */
	u8 revision;
	u8 checksum;
	u8 features[5];
};

struct PACKED mp_header { /* 4.2 */
	char signature[4];
	u16 length;
	u8 revision;
	u8 checksum;
	char oem_id[8];
	char product_id[12];
	u32 oem_table;
	u16 oem_table_size;
	u16 entries;
	u32 lapic_gpa;
	u16 extended_length;
	u8 extended_checksum;
	u8 reserved;
};

struct PACKED mp_cpu { /* 4.3.1 */
	u8 type;
	u8 apic_id;
	u8 apic_version;
	u8 flags;
	u32 signature;
	u32 features;
	u32 reserved[2];
};

struct PACKED mp_bus { /* 4.3.2 */
	u8 type;
	u8 id;
	char name[6];
};

struct PACKED mp_ioapic { /* 4.3.3 */
	u8 type;
	u8 id;
	u8 version;
	u8 flags;
	u32 gpa;
};

struct PACKED mp_interrupt { /* 4.3.4 and 4.3.5 */
	u8 type;
	u8 kind;
	u16 flags;
	u8 bus;
	u8 source;
	u8 apic;
	u8 input;
};

enum {
	MP_CPU,
	MP_BUS,
	MP_IOAPIC,
	MP_IO_INTERRUPT,
	MP_LOCAL_INTERRUPT
};
enum {
	MP_INT,
	MP_NMI,
	MP_SMI,
	MP_EXTINT
};
enum {
	BUS_PCI,
	BUS_ISA
};

#define APIC_VERSION 0x14U
#define IOAPIC_VERSION 0x11U
#define CPU_ENABLED BIT(0)
#define CPU_BOOT BIT(1)
#define IOAPIC_ENABLED BIT(0)
#define INTERRUPT_LEVEL_HIGH 0xdU
#define INTERRUPT_LEVEL_LOW 0xfU
#define MAX_CPUS 255U
#define ALL_APICS 0xffU
#define FEATURE_FPU BIT(0)
#define FEATURE_APIC BIT(9)

/* The caller has made sure that everything fits. */
struct builder {
	u8 *next;
	u16 entries;
};

static void mp_add(struct builder *b, const void *entry, size_t len)
{
	memcpy(b->next, entry, len);
	b->next += len;
	b->entries++;
}

static u8 checksum(const void *p, size_t len)
{
	const u8 *bytes = p;
	u8 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + bytes[i]);
	return (u8)-sum;
}

static void add_cpus(struct builder *b, unsigned int cpus)
{
	for (unsigned int id = 0; id < cpus; id++) {
		const struct mp_cpu cpu = {
			.type = MP_CPU,
			.apic_id = (u8)id,
			.apic_version = APIC_VERSION,
			.flags = CPU_ENABLED | (id == 0 ? CPU_BOOT : 0),
			.features = FEATURE_FPU | FEATURE_APIC,
		};

		mp_add(b, &cpu, sizeof(cpu));
	}
}

static void add_bus(struct builder *b, u8 id, const char *name)
{
	struct mp_bus bus = { .type = MP_BUS, .id = id };

	memcpy(bus.name, name, sizeof(bus.name));
	mp_add(b, &bus, sizeof(bus));
}

static void add_ioapic(struct builder *b)
{
	const struct mp_ioapic ioapic = {
		.type = MP_IOAPIC,
		.version = IOAPIC_VERSION,
		.flags = IOAPIC_ENABLED,
		.gpa = IOAPIC_GPA,
	};

	mp_add(b, &ioapic, sizeof(ioapic));
}

static void add_interrupt(struct builder *b, struct mp_interrupt interrupt)
{
	mp_add(b, &interrupt, sizeof(interrupt));
}

#define ISA_IRQS 16U
#define PCI_PINS 4U

static void add_isa_interrupts(struct builder *b)
{
	for (u8 irq = 0; irq < ISA_IRQS; irq++) {
		if (irq == 2)
			continue; /* the cascade */
		add_interrupt(b, (struct mp_interrupt){
					 .type = MP_IO_INTERRUPT,
					 .kind = MP_INT,
					 .flags = irq == SCI_GSI
							  ? INTERRUPT_LEVEL_HIGH
							  : 0,
					 .bus = BUS_ISA,
					 .source = irq,
					 .input = irq == 0 ? 2 : irq,
				 });
	}
}

static void add_pci_interrupts(struct builder *b)
{
	for (u8 slot = 0; slot < PCI_SLOTS; slot++)
		for (u8 pin = 0; pin < PCI_PINS; pin++)
			add_interrupt(
				b, (struct mp_interrupt){
					   .type = MP_IO_INTERRUPT,
					   .kind = MP_INT,
					   .flags = INTERRUPT_LEVEL_LOW,
					   .bus = BUS_PCI,
					   .source = (u8)(slot << 2 | pin),
					   .input = (u8)pci_pin_gsi(slot, pin),
				   });
}

static void add_local_interrupts(struct builder *b)
{
	add_interrupt(b, (struct mp_interrupt){
				 .type = MP_LOCAL_INTERRUPT,
				 .kind = MP_EXTINT,
				 .bus = BUS_ISA,
				 .apic = 0, /* the boot CPU */
				 .input = 0,
			 });
	add_interrupt(b, (struct mp_interrupt){
				 .type = MP_LOCAL_INTERRUPT,
				 .kind = MP_NMI,
				 .bus = BUS_ISA,
				 .apic = ALL_APICS,
				 .input = 1,
			 });
}

static size_t table_len(unsigned int cpus)
{
	size_t interrupts = (ISA_IRQS - 1) + PCI_SLOTS * PCI_PINS + 2;

	return sizeof(struct mp_header) + cpus * sizeof(struct mp_cpu) +
	       2 * sizeof(struct mp_bus) + sizeof(struct mp_ioapic) +
	       interrupts * sizeof(struct mp_interrupt);
}

int mptable_build(u8 *buf, size_t len, u32 gpa, unsigned int cpus)
{
	struct mp_pointer *pointer = (void *)buf;
	struct mp_header *header = (void *)(buf + sizeof(*pointer));
	struct builder b = { .next = (u8 *)(header + 1) };

	if (cpus > MAX_CPUS)
		cpus = MAX_CPUS;
	if (sizeof(*pointer) + table_len(cpus) > len)
		return -ENOSPC;
	add_cpus(&b, cpus);
	add_bus(&b, BUS_PCI, "PCI   ");
	add_bus(&b, BUS_ISA, "ISA   ");
	add_ioapic(&b);
	add_isa_interrupts(&b);
	add_pci_interrupts(&b);
	add_local_interrupts(&b);

	memcpy(header->signature, "PCMP", 4);
	header->length = (u16)table_len(cpus);
	header->revision = 4;
	memcpy(header->oem_id, "LKVM    ", 8);
	memcpy(header->product_id, "LKVM        ", 12);
	header->entries = b.entries;
	header->lapic_gpa = LAPIC_GPA;
	header->checksum = checksum(header, header->length);

	memcpy(pointer->signature, "_MP_", 4);
	pointer->table = gpa + (u32)sizeof(*pointer);
	pointer->length = 1;
	pointer->revision = 4;
	pointer->checksum = checksum(pointer, sizeof(*pointer));
	return 0;
}
