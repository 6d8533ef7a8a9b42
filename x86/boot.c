/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arch_load(): the kernel, what a boot loader and firmware would have left in
 * memory for it, and the boot CPU at its entry.
 */
#include "x86/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/screen_info.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/kvm.h"
#include "lkvm/pci.h"
#include "lkvm/vcpu.h"
#include "x86/acpi.h"
#include "x86/cpu.h"
#include "x86/e820.h"
#include "x86/elf.h"
#include "x86/machine.h"
#include "x86/mptable.h"

#define LOADER_UNDEFINED 0xffU /* type_of_loader: no id was assigned */

/* ---- Tables ---- */

static int write_file(int dir, const char *name, const u8 *bytes, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0644);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, bytes, len);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}

static int dump_table(const char *signature, const u8 *table, size_t len,
		      void *opaque)
{
	const int *dir = opaque;
	bool is_aml = !strcmp(signature, "DSDT") || !strcmp(signature, "SSDT");
	char name[16];

	snprintf(name, sizeof(name), "%s.%s", signature,
		 is_aml ? "aml" : "dat");
	return write_file(*dir, name, table, len);
}

static int dump_acpi(struct kvm *vm, const u8 *tables)
{
	const char *path = vm->config->dump_acpi;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (dir < 0)
		return vm_fail(vm, -errno,
			       "--dump-acpi %s: %s: name a folder that exists",
			       path, strerror(errno));
	err = acpi_walk(tables, ACPI_MAX, ACPI_GPA, dump_table, &dir);
	close(dir);
	if (err)
		return vm_fail(vm, err, "--dump-acpi %s: %s", path,
			       strerror(-err));
	return 0;
}

static int write_tables(struct kvm *vm)
{
	const struct acpi_machine machine = {
		.cpus = vm->config->cpus,
		.mem64 = vm->arch->mem64,
		.has_keyboard = vm->config->display.kind != DISPLAY_NONE,
	};
	u8 *acpi = guest_ptr(&vm->memory, ACPI_GPA, ACPI_MAX);
	u8 *mp = guest_ptr(&vm->memory, MPTABLE_GPA, MPTABLE_MAX);
	u8 *bda = guest_ptr(&vm->memory, BDA_GPA, 0x100);
	int err;

	if (!acpi || !mp || !bda)
		return vm_fail(vm, -EINVAL,
			       "memory: no room for the machine's tables");
	err = acpi_build(acpi, ACPI_MAX, ACPI_GPA, &machine);
	if (!err)
		err = mptable_build(mp, MPTABLE_MAX, MPTABLE_GPA, machine.cpus);
	if (err)
		return vm_fail(vm, err, "no room for the tables of %u CPUs",
			       machine.cpus);
	/* BIOS data area: where base memory ends, for who does not ask E820. */
	bda[0x0e] = (EBDA_GPA >> 4) & 0xff;
	bda[0x0f] = (EBDA_GPA >> 12) & 0xff;
	bda[0x13] = (EBDA_GPA / KIB) & 0xff;
	bda[0x14] = (EBDA_GPA / KIB) >> 8;
	return vm->config->dump_acpi ? dump_acpi(vm, acpi) : 0;
}

/* ---- Linux ---- */

/*
 * As a boot loader under EFI would leave it, because that is the driver which
 * finds its picture again when Linux has moved the BAR (efifb).
 */
static void fill_screen(const struct kvm *vm, struct screen_info *screen)
{
	const struct framebuffer *fb = &vm->framebuffer;

	if (!fb->fn)
		return;
	*screen = (struct screen_info){
		.orig_video_isVGA = VIDEO_TYPE_EFI,
		.lfb_base = pci_config_get(fb->fn,
					   PCI_BASE_ADDRESS_0 + 4 * fb->bar,
					   4) &
			    (u32)PCI_BASE_ADDRESS_MEM_MASK,
		.lfb_size = (u32)fb->len,
		.lfb_width = (u16)fb->width,
		.lfb_height = (u16)fb->height,
		.lfb_linelength = (u16)fb->stride,
		.lfb_depth = 32,
		.red_size = 8,
		.red_pos = 16,
		.green_size = 8,
		.green_pos = 8,
		.blue_size = 8,
		.rsvd_size = 8,
		.rsvd_pos = 24,
		.pages = 1,
	};
}

static int write_cmdline(struct kvm *vm, const struct boot_plan *plan)
{
	const char *cmdline = vm->config->cmdline ? vm->config->cmdline : "";
	size_t len = strlen(cmdline);
	u64 max = plan->hdr.cmdline_size ? plan->hdr.cmdline_size : 255;
	char *to;

	if (max > CMDLINE_MAX - 1)
		max = CMDLINE_MAX - 1;
	if (len > max)
		return vm_fail(vm, -E2BIG,
			       "kernel command line: %zu bytes: this kernel "
			       "takes at most %llu: shorten it (-p)",
			       len, (unsigned long long)max);
	to = guest_ptr(&vm->memory, CMDLINE_GPA, len + 1);
	if (!to)
		return vm_fail(vm, -ENOMEM,
			       "memory: no room for the command line");
	memcpy(to, cmdline, len + 1);
	return 0;
}

static void fill_e820(const struct kvm *vm, struct boot_params *zero_page)
{
	struct e820_map map;

	e820_build(&map, vm->arch->low_ram_len, vm->arch->high_ram_len);
	memcpy(zero_page->e820_table, map.entries,
	       map.nr * sizeof(map.entries[0]));
	zero_page->e820_entries = (u8)map.nr;
}

static int load_linux(struct kvm *vm, const struct boot_plan *plan)
{
	struct boot_params *zero_page;
	int err;

	zero_page = guest_ptr(&vm->memory, ZERO_PAGE_GPA, sizeof(*zero_page));
	if (!zero_page)
		return vm_fail(vm, -ENOMEM,
			       "memory: no room for the zero page");
	zero_page->hdr = plan->hdr;
	zero_page->hdr.type_of_loader = LOADER_UNDEFINED;
	zero_page->hdr.cmd_line_ptr = CMDLINE_GPA;
	zero_page->acpi_rsdp_addr = ACPI_GPA;
	fill_e820(vm, zero_page);
	fill_screen(vm, &zero_page->screen_info);
	err = write_cmdline(vm, plan);
	if (err)
		return err;
	if (vm->config->initrd.fd >= 0) {
		err = initrd_load(vm, plan, zero_page);
		if (err)
			return err;
	}
	return cpu_enter_long_mode(&vm->vcpus[0], plan->entry, ZERO_PAGE_GPA);
}

static int load_kernel(struct kvm *vm, struct boot_plan *plan)
{
	const struct image *file = &vm->config->kernel;
	u8 head[ELF_HEAD];
	size_t len = file->len < sizeof(head) ? file->len : sizeof(head);
	int err;

	err = image_read(file, 0, head, len);
	if (err)
		return vm_fail(vm, err, "kernel %s: cannot be read: %s",
			       file->path, strerror(-err));
	err = bzimage_load(vm, head, len, plan);
	if (err == -ENOEXEC)
		err = elf_load(vm, head, len, plan);
	if (err == -ENOEXEC)
		err = flat_load(vm, plan);
	return err;
}

int arch_load(struct kvm *vm)
{
	struct boot_plan plan = { .is_linux = false };
	int err;

	err = load_kernel(vm, &plan);
	if (err)
		return err;
	err = write_tables(vm);
	if (err)
		return err;
	if (plan.is_linux)
		return load_linux(vm, &plan);
	if (vm->config->initrd.fd >= 0)
		log_warning("initrd %s: not used: the kernel is a flat image",
			    vm->config->initrd.path);
	return cpu_enter_real_mode(&vm->vcpus[0], FLAT_GPA >> 4);
}
