/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RSDP, XSDT, FADT, FACS, MADT, MCFG, SSDT; and the DSDT, which iasl compiles
 * from dsdt.asl. Section numbers are those of ACPI 6.4. Pure functions.
 */
#include "x86/acpi.h"

#include <errno.h>
#include <string.h>
#include "x86/dsdt.h"
#include "x86/machine.h"

#define PACKED __attribute__((packed))

struct PACKED acpi_rsdp { /* 5.2.5.3 */
	char signature[8];
	u8 checksum; /* of the first 20 bytes */
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum;
	u8 reserved[3];
};

struct PACKED acpi_header { /* 5.2.6 */
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
};

struct PACKED acpi_gas { /* generic address, 5.2.3.2 */
	u8 space;
	u8 bit_width;
	u8 bit_offset;
	u8 access_size;
	u64 address;
};

#define GAS_IO 1U
#define GAS_BYTE 1U
#define GAS_WORD 2U

struct PACKED acpi_fadt { /* 5.2.9 */
	struct acpi_header header;
	u32 firmware_ctrl;
	u32 dsdt;
	u8 reserved1;
	u8 preferred_pm_profile;
	u16 sci_int;
	u32 smi_cmd;
	u8 acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	u32 pm1a_evt_blk, pm1b_evt_blk;
	u32 pm1a_cnt_blk, pm1b_cnt_blk;
	u32 pm2_cnt_blk, pm_tmr_blk, gpe0_blk, gpe1_blk;
	u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	u8 gpe0_blk_len, gpe1_blk_len, gpe1_base, cst_cnt;
	u16 p_lvl2_lat, p_lvl3_lat;
	u16 flush_size, flush_stride;
	u8 duty_offset, duty_width;
	u8 day_alarm, month_alarm, century;
	u16 iapc_boot_arch;
	u8 reserved2;
	u32 flags;
	struct acpi_gas reset_reg;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor_revision;
	u64 x_firmware_ctrl, x_dsdt;
	struct acpi_gas x_pm1a_evt_blk, x_pm1b_evt_blk;
	struct acpi_gas x_pm1a_cnt_blk, x_pm1b_cnt_blk;
	struct acpi_gas x_pm2_cnt_blk, x_pm_tmr_blk, x_gpe0_blk, x_gpe1_blk;
	struct acpi_gas sleep_control, sleep_status;
	char hypervisor[8];
};

_Static_assert(sizeof(struct acpi_fadt) == 276, "FADT of revision 6");

#define FADT_WBINVD BIT(0)
#define FADT_PROC_C1 BIT(2)
#define FADT_SLP_BUTTON BIT(5) /* no fixed sleep button */
#define FADT_FIX_RTC BIT(6)    /* the RTC cannot wake the machine */
#define FADT_RESET_REG_SUP BIT(10)

#define IAPC_LEGACY_DEVICES BIT(0)
#define IAPC_8042 BIT(1)
#define IAPC_NO_VGA BIT(2)

/* _STA: there, on, shown and working */
#define STA_PRESENT 0xfU

struct PACKED acpi_facs { /* 5.2.10 */
	char signature[4];
	u32 length;
	u32 hardware_signature;
	u32 waking_vector;
	u32 global_lock;
	u32 flags;
	u64 x_waking_vector;
	u8 version;
	u8 reserved[31];
};

struct PACKED acpi_madt { /* 5.2.12 */
	struct acpi_header header;
	u32 lapic_gpa;
	u32 flags;
};

#define MADT_PCAT_COMPAT BIT(0) /* two 8259s */
#define MADT_ENABLED BIT(0)

struct PACKED madt_lapic {
	u8 type, length;
	u8 processor_uid, apic_id;
	u32 flags;
};

struct PACKED madt_ioapic {
	u8 type, length;
	u8 id, reserved;
	u32 gpa;
	u32 gsi_base;
};

struct PACKED madt_override {
	u8 type, length;
	u8 bus, source;
	u32 gsi;
	u16 flags;
};

struct PACKED madt_lapic_nmi {
	u8 type, length;
	u8 processor_uid;
	u16 flags;
	u8 lint;
};

struct PACKED madt_x2apic {
	u8 type, length;
	u16 reserved;
	u32 apic_id;
	u32 flags;
	u32 processor_uid;
};

struct PACKED madt_x2apic_nmi {
	u8 type, length;
	u16 flags;
	u32 processor_uid;
	u8 lint;
	u8 reserved[3];
};

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10,
};

#define MADT_BUS_DEFAULT 0x0U /* polarity and trigger as the bus has them */
#define MADT_LEVEL_HIGH 0xdU  /* level triggered, active high */
#define XAPIC_MAX_CPUS 255U   /* id 255 is the broadcast */

struct PACKED acpi_mcfg { /* PCI Firmware 3.2, 4.1.2 */
	struct acpi_header header;
	u64 reserved;
	u64 base;
	u16 segment;
	u8 first_bus, last_bus;
	u32 reserved2;
};

#define MAX_TABLES 4U /* that the XSDT names */

struct PACKED acpi_xsdt {
	struct acpi_header header;
	u64 entries[MAX_TABLES];
};

/* ---- The block that is being written ---- */

struct builder {
	u8 *buf;
	size_t len;
	size_t used;
	u32 gpa;
	bool full;
};

/*
 * Room for @len bytes, or NULL, and then all that follow are NULL too: callers
 * look at b->full once, at the end.
 */
static void *build(struct builder *b, size_t len)
{
	void *p = b->buf + b->used;

	if (b->full || len > b->len - b->used) {
		b->full = true;
		return NULL;
	}
	b->used += len;
	return p;
}

static void build_align(struct builder *b, size_t align)
{
	build(b, (size_t)align_up(b->used, align) - b->used);
}

static u32 build_gpa(const struct builder *b, const void *p)
{
	return b->gpa + (u32)((const u8 *)p - b->buf);
}

static u8 checksum(const void *p, size_t len)
{
	const u8 *bytes = p;
	u8 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + bytes[i]);
	return (u8)-sum;
}

static void *build_table(struct builder *b, const char *signature, u8 revision,
			 size_t len)
{
	struct acpi_header *h;

	build_align(b, 8);
	h = build(b, len);
	if (!h)
		return NULL;
	memcpy(h->signature, signature, sizeof(h->signature));
	h->revision = revision;
	memcpy(h->oem_id, "LKVM  ", sizeof(h->oem_id));
	memcpy(h->oem_table_id, "LKVM", 4);
	memcpy(h->oem_table_id + 4, signature, 4);
	h->oem_revision = 1;
	memcpy(h->creator_id, "LKVM", sizeof(h->creator_id));
	h->creator_revision = 1;
	return h;
}

/* All of the table has been built: it ends here. */
static void finish_table(struct builder *b, struct acpi_header *h)
{
	if (b->full)
		return;
	h->length = (u32)(b->buf + b->used - (u8 *)h);
	h->checksum = 0;
	h->checksum = checksum(h, h->length);
}

/* ---- The tables ---- */

static u32 build_facs(struct builder *b)
{
	struct acpi_facs *facs;

	build_align(b, 64);
	facs = build(b, sizeof(*facs));
	if (!facs)
		return 0;
	memcpy(facs->signature, "FACS", 4);
	facs->length = sizeof(*facs);
	facs->version = 2;
	return build_gpa(b, facs);
}

static u32 build_dsdt(struct builder *b)
{
	u8 *dsdt;

	build_align(b, 8);
	dsdt = build(b, sizeof(dsdt_aml_code));
	if (!dsdt)
		return 0;
	memcpy(dsdt, dsdt_aml_code, sizeof(dsdt_aml_code));
	return build_gpa(b, dsdt);
}

static struct acpi_gas io_gas(u16 port, u8 bit_width, u8 access_size)
{
	return (struct acpi_gas){
		.space = GAS_IO,
		.bit_width = bit_width,
		.access_size = access_size,
		.address = port,
	};
}

static struct acpi_header *build_fadt(struct builder *b, u32 facs, u32 dsdt,
				      const struct acpi_machine *machine)
{
	struct acpi_fadt *f = build_table(b, "FACP", 6, sizeof(*f));

	if (!f)
		return NULL;
	f->minor_revision = 4;
	f->firmware_ctrl = facs;
	f->dsdt = dsdt;
	f->x_dsdt = dsdt;
	f->sci_int = SCI_GSI;
	/* No SMI command port: the machine is in ACPI mode from the start. */
	f->pm1a_evt_blk = PM_EVENT_PORT;
	f->pm1_evt_len = 4;
	f->x_pm1a_evt_blk = io_gas(PM_EVENT_PORT, 32, GAS_WORD);
	f->pm1a_cnt_blk = PM_CONTROL_PORT;
	f->pm1_cnt_len = 2;
	f->x_pm1a_cnt_blk = io_gas(PM_CONTROL_PORT, 16, GAS_WORD);
	f->p_lvl2_lat = 0xfff; /* no C2 */
	f->p_lvl3_lat = 0xfff; /* no C3 */
	f->century = 0x32;     /* index of the RTC's register */
	f->iapc_boot_arch = IAPC_LEGACY_DEVICES | IAPC_NO_VGA |
			    (machine->has_keyboard ? IAPC_8042 : 0);
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC |
		   FADT_RESET_REG_SUP;
	f->reset_reg = io_gas(RESET_PORT, 8, GAS_BYTE);
	f->reset_value = RESET_VALUE;
	memcpy(f->hypervisor, "LKVM\0\0\0", sizeof(f->hypervisor));
	finish_table(b, &f->header);
	return &f->header;
}

static void build_madt_cpu(struct builder *b, u32 id)
{
	struct madt_x2apic *x2;
	struct madt_lapic *x1;

	if (id < XAPIC_MAX_CPUS) {
		x1 = build(b, sizeof(*x1));
		if (x1)
			*x1 = (struct madt_lapic){
				.type = MADT_LAPIC,
				.length = sizeof(*x1),
				.processor_uid = (u8)id,
				.apic_id = (u8)id,
				.flags = MADT_ENABLED,
			};
		return;
	}
	x2 = build(b, sizeof(*x2));
	if (x2)
		*x2 = (struct madt_x2apic){
			.type = MADT_X2APIC,
			.length = sizeof(*x2),
			.apic_id = id,
			.flags = MADT_ENABLED,
			.processor_uid = id,
		};
}

static void build_madt_override(struct builder *b, u8 source, u32 gsi,
				u16 flags)
{
	struct madt_override *o = build(b, sizeof(*o));

	if (o)
		*o = (struct madt_override){
			.type = MADT_OVERRIDE,
			.length = sizeof(*o),
			.source = source,
			.gsi = gsi,
			.flags = flags,
		};
}

static void build_madt_nmi(struct builder *b, unsigned int cpus)
{
	struct madt_lapic_nmi *n1 = build(b, sizeof(*n1));
	struct madt_x2apic_nmi *n2;

	if (n1)
		*n1 = (struct madt_lapic_nmi){
			.type = MADT_LAPIC_NMI,
			.length = sizeof(*n1),
			.processor_uid = 0xff, /* all */
			.lint = 1,
		};
	if (cpus <= XAPIC_MAX_CPUS)
		return;
	n2 = build(b, sizeof(*n2));
	if (n2)
		*n2 = (struct madt_x2apic_nmi){
			.type = MADT_X2APIC_NMI,
			.length = sizeof(*n2),
			.processor_uid = 0xffffffff, /* all */
			.lint = 1,
		};
}

static struct acpi_header *build_madt(struct builder *b, unsigned int cpus)
{
	struct acpi_madt *m = build_table(b, "APIC", 5, sizeof(*m));
	struct madt_ioapic *io;

	if (!m)
		return NULL;
	m->lapic_gpa = LAPIC_GPA;
	m->flags = MADT_PCAT_COMPAT;
	for (u32 id = 0; id < cpus; id++)
		build_madt_cpu(b, id);
	io = build(b, sizeof(*io));
	if (io)
		*io = (struct madt_ioapic){
			.type = MADT_IOAPIC,
			.length = sizeof(*io),
			.gpa = IOAPIC_GPA,
		};
	build_madt_override(b, 0, 2, MADT_BUS_DEFAULT);
	build_madt_override(b, SCI_GSI, SCI_GSI, MADT_LEVEL_HIGH);
	build_madt_nmi(b, cpus);
	finish_table(b, &m->header);
	return &m->header;
}

static struct acpi_header *build_mcfg(struct builder *b)
{
	struct acpi_mcfg *m = build_table(b, "MCFG", 1, sizeof(*m));

	if (!m)
		return NULL;
	m->base = ECAM_GPA;
	m->last_bus = PCI_NR_BUSES - 1;
	finish_table(b, &m->header);
	return &m->header;
}

/* Name (\<name>, <value>), 20.2.5.1. */
static void build_name_qword(struct builder *b, const char *name, u64 value)
{
	u8 *p = build(b, 15);

	if (!p)
		return;
	p[0] = 0x08; /* NameOp */
	p[1] = '\\';
	memcpy(p + 2, name, 4);
	p[6] = 0x0e; /* QWordPrefix */
	memcpy(p + 7, &value, sizeof(value));
}

/* What the DSDT cannot know. */
static struct acpi_header *build_ssdt(struct builder *b,
				      const struct acpi_machine *machine)
{
	struct acpi_header *h = build_table(b, "SSDT", 2, sizeof(*h));

	if (!h)
		return NULL;
	build_name_qword(b, "P64S", machine->mem64.start);
	build_name_qword(b, "P64L", machine->mem64.len);
	build_name_qword(b, "PS2S", machine->has_keyboard ? STA_PRESENT : 0);
	finish_table(b, h);
	return h;
}

static u32 build_xsdt(struct builder *b, struct acpi_header *const *tables)
{
	struct acpi_xsdt *x = build_table(b, "XSDT", 1, sizeof(*x));

	if (!x)
		return 0;
	for (unsigned int i = 0; i < MAX_TABLES; i++)
		x->entries[i] = build_gpa(b, tables[i]);
	finish_table(b, &x->header);
	return build_gpa(b, x);
}

static void fill_rsdp(struct acpi_rsdp *rsdp, u32 xsdt)
{
	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "LKVM  ", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
}

int acpi_build(u8 *buf, size_t len, u32 gpa, const struct acpi_machine *machine)
{
	struct builder b = { .buf = buf, .len = len, .gpa = gpa };
	struct acpi_rsdp *rsdp = build(&b, sizeof(*rsdp));
	struct acpi_header *tables[MAX_TABLES];
	u32 facs, dsdt, xsdt;

	facs = build_facs(&b);
	dsdt = build_dsdt(&b);
	tables[0] = build_fadt(&b, facs, dsdt, machine);
	tables[1] = build_madt(&b, machine->cpus);
	tables[2] = build_mcfg(&b);
	tables[3] = build_ssdt(&b, machine);
	xsdt = build_xsdt(&b, tables);
	if (b.full || !rsdp)
		return -ENOSPC;
	fill_rsdp(rsdp, xsdt);
	return 0;
}

/* ---- Reading them again ---- */

struct walk {
	const u8 *buf;
	size_t len;
	u32 gpa;
	int (*each)(const char *, const u8 *, size_t, void *);
	void *opaque;
};

/* FACS has no common header, but signature and length are where it has them. */
static const struct acpi_header *walk_table(const struct walk *w, u64 gpa,
					    int *result)
{
	const struct acpi_header *h;
	char signature[5] = "";

	if (gpa < w->gpa || !range_within(gpa - w->gpa, sizeof(*h), w->len)) {
		*result = -EINVAL;
		return NULL;
	}
	h = (const void *)(w->buf + (gpa - w->gpa));
	if (h->length < sizeof(*h) ||
	    !range_within(gpa - w->gpa, h->length, w->len)) {
		*result = -EINVAL;
		return NULL;
	}
	memcpy(signature, h->signature, 4);
	*result = w->each(signature, (const u8 *)h, h->length, w->opaque);
	return h;
}

static int walk_fadt(const struct walk *w, const struct acpi_header *h)
{
	const struct acpi_fadt *f = (const void *)h;
	int result;

	if (h->length < sizeof(*f))
		return -EINVAL;
	walk_table(w, f->firmware_ctrl, &result);
	if (!result)
		walk_table(w, f->dsdt, &result);
	return result;
}

int acpi_walk(const u8 *buf, size_t len, u32 gpa,
	      int (*each)(const char *signature, const u8 *table, size_t len,
			  void *opaque),
	      void *opaque)
{
	const struct walk w = { buf, len, gpa, each, opaque };
	const struct acpi_rsdp *rsdp = (const void *)buf;
	const struct acpi_xsdt *xsdt;
	int result;

	if (len < sizeof(*rsdp))
		return -EINVAL;
	result = each("RSDP", buf, sizeof(*rsdp), opaque);
	if (result)
		return result;
	xsdt = (const void *)walk_table(&w, rsdp->xsdt, &result);
	if (result)
		return result;
	if (xsdt->header.length != sizeof(*xsdt))
		return -EINVAL;
	for (unsigned int i = 0; i < MAX_TABLES && !result; i++) {
		const struct acpi_header *h;

		h = walk_table(&w, xsdt->entries[i], &result);
		if (!result && !memcmp(h->signature, "FACP", 4))
			result = walk_fadt(&w, h);
	}
	return result;
}
