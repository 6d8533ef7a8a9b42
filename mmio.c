/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_EXIT_MMIO: accesses to guest physical addresses without memory, decoded
 * into accesses of the memory bus. KVM has split what crosses 8 bytes.
 */
#include "lkvm/mmio.h"

#include <string.h>
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

int mmio_handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm *vm = vcpu->vm;
	struct bus_access acc = { .size = (u8)run->mmio.len,
				  .is_write = run->mmio.is_write };

	if (acc.is_write)
		memcpy(&acc.value, run->mmio.data, acc.size);
	if (bus_dispatch(&vm->mmio, &vcpu->mmio_reader, run->mmio.phys_addr,
			 &acc) != BUS_HANDLED &&
	    vm->config->debug_mmio)
		log_info("memory 0x%llx: %u-byte %s, nobody there",
			 (unsigned long long)run->mmio.phys_addr, acc.size,
			 acc.is_write ? "write" : "read");
	if (!acc.is_write)
		memcpy(run->mmio.data, &acc.value, acc.size);
	return 0;
}
