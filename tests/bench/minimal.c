/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The floor for make bench: the KVM calls that no x86 hypervisor of lkvm's kind
 * can leave out (VM, interrupt controllers, PIT, RAM, one vCPU with CPUID and
 * registers), and a guest that stops by itself. Nothing else, and no care for
 * errors beyond stopping.
 *
 *   minimal RAM-MIB GUEST.flat
 *
 * Bytes that the guest writes to COM1 go to standard output.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOAD_ADDRESS 0x10000ULL
#define HOLE_START (3ULL << 30)
#define HOLE_END (4ULL << 30)
#define MAX_CPUID 256

enum {
	COM1 = 0x3f8,
	COM1_LINE_STATUS = 0x3fd,
	PM1A_CONTROL = 0x604
};

static int must(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
	return result;
}

static void add_ram(int vm, unsigned int slot, uint64_t gpa, uint64_t len,
		    unsigned char *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)hva,
	};

	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "RAM");
}

static unsigned char *create_ram(int vm, uint64_t len)
{
	unsigned char *ram = mmap(NULL, len, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				  -1, 0);

	if (ram == MAP_FAILED)
		err(1, "RAM");
	add_ram(vm, 0, 0, len < HOLE_START ? len : HOLE_START, ram);
	if (len > HOLE_START)
		add_ram(vm, 1, HOLE_END, len - HOLE_START, ram + HOLE_START);
	return ram;
}

static int create_vm(int kvm)
{
	struct kvm_pit_config pit = { 0 };
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "VM");

	must(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000UL), "TSS");
	must(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "interrupt controllers");
	must(ioctl(vm, KVM_CREATE_PIT2, &pit), "PIT");
	return vm;
}

static void load(unsigned char *ram, const char *path)
{
	int fd = must(open(path, O_RDONLY), path);

	must((int)read(fd, ram + LOAD_ADDRESS, 1 << 20), path);
	close(fd);
}

static void set_cpuid(int kvm, int vcpu)
{
	struct kvm_cpuid2 *cpuid = calloc(
		1, sizeof(*cpuid) + MAX_CPUID * sizeof(cpuid->entries[0]));

	if (!cpuid)
		err(1, "CPUID");
	cpuid->nent = MAX_CPUID;
	must(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "CPUID");
	must(ioctl(vcpu, KVM_SET_CPUID2, cpuid), "CPUID");
	free(cpuid);
}

static void set_registers(int vcpu)
{
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "registers");
	sregs.cs.selector = LOAD_ADDRESS >> 4;
	sregs.cs.base = LOAD_ADDRESS;
	must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "registers");
	must(ioctl(vcpu, KVM_SET_REGS, &regs), "registers");
}

/* Returns false when the guest powered off. */
static int handle_io(struct kvm_run *run)
{
	unsigned char *data = (unsigned char *)run + run->io.data_offset;
	int is_out = run->io.direction == KVM_EXIT_IO_OUT;

	if (run->io.port == COM1 && is_out)
		must((int)write(STDOUT_FILENO, data, run->io.count), "stdout");
	if (run->io.port == COM1_LINE_STATUS && !is_out)
		*data = 0x60; /* the transmitter is empty */
	return !(run->io.port == PM1A_CONTROL && is_out);
}

static void run_guest(int vcpu, struct kvm_run *run)
{
	for (;;) {
		must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO)
			errx(1, "exit reason %u", run->exit_reason);
		if (!handle_io(run))
			return;
	}
}

int main(int argc, char **argv)
{
	struct kvm_run *run;
	unsigned char *ram;
	int kvm, vm, vcpu, run_len;

	if (argc != 3)
		errx(2, "usage: minimal RAM-MIB GUEST.flat");
	kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	vm = create_vm(kvm);
	ram = create_ram(vm, strtoull(argv[1], NULL, 10) << 20);
	load(ram, argv[2]);
	vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "vCPU");
	run_len = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "vCPU");
	run = mmap(NULL, (size_t)run_len, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu, 0);
	if (run == MAP_FAILED)
		err(1, "vCPU");
	set_cpuid(kvm, vcpu);
	set_registers(vcpu);
	run_guest(vcpu, run);
	return 0;
}
