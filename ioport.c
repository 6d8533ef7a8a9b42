/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_EXIT_IO: port accesses, single ones and string instructions, decoded into
 * accesses of the port bus.
 */
#include "lkvm/ioport.h"

#include <string.h>
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

int ioport_handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm *vm = vcpu->vm;
	u8 *data = (u8 *)run + run->io.data_offset;
	bool is_write = run->io.direction == KVM_EXIT_IO_OUT;

	for (u32 i = 0; i < run->io.count; i++, data += run->io.size) {
		struct bus_access acc = { .size = run->io.size,
					  .is_write = is_write };

		if (is_write)
			memcpy(&acc.value, data, acc.size);
		if (bus_dispatch(&vm->ports, &vcpu->port_reader, run->io.port,
				 &acc) != BUS_HANDLED &&
		    vm->config->debug_ioport)
			log_info("port 0x%x: %u-byte %s, nobody there",
				 run->io.port, acc.size,
				 is_write ? "write" : "read");
		if (!is_write)
			memcpy(data, &acc.value, acc.size);
	}
	return 0;
}
