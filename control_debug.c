/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations for people who debug a guest: registers, the PCI tree, queues,
 * NMI, sysrq.
 * vCPUs leave the guest for a moment while the main thread looks at them.
 */
#include <errno.h>
#include <string.h>
#include "control_priv.h"
#include "lkvm/arch.h"
#include "lkvm/device.h"
#include "lkvm/log.h"
#include "lkvm/pci.h"
#include "lkvm/vcpu.h"

void control_add_line(void *array, const char *text)
{
	json_array_append_new(array, json_text(text));
}

/* Call @visit for the vCPUs that are meant, all of them out of the guest. */
static int visit_vcpus(struct control_work *work, struct kvm *vm,
		       int (*visit)(struct vcpu *vcpu, json_t *lines))
{
	json_t *lines = json_array();
	bool held = vm_hold(vm);
	int err = 0;

	for (unsigned int i = 0; i < vm->nr_vcpus && !err; i++)
		if (work->cpu < 0 || (unsigned int)work->cpu == i)
			err = visit(&vm->vcpus[i], lines);
	if (held)
		vm_unhold(vm);
	json_object_set_new(work->reply, "lines", lines);
	return err;
}

static int dump_vcpu(struct vcpu *vcpu, json_t *lines)
{
	const struct text_sink sink = { control_add_line, lines };

	arch_dump_vcpu(vcpu, &sink, true);
	return 0;
}

static int dump_work(struct control_work *work, struct kvm *vm)
{
	return visit_vcpus(work, vm, dump_vcpu);
}

static int inject_nmi(struct vcpu *vcpu, json_t *lines)
{
	return arch_vcpu_nmi(vcpu);
}

static int nmi_work(struct control_work *work, struct kvm *vm)
{
	int err = visit_vcpus(work, vm, inject_nmi);

	if (err)
		fail(&work->why, err,
		     err == -ENOTSUP ? "this architecture has no NMIs"
				     : "KVM injects no NMI: %s",
		     strerror(-err));
	return err;
}

/* The member "cpu", which is one of the VM's; -1: all. */
static int request_cpu(struct control_request *request, long long missing,
		       int *out)
{
	long long cpu;
	int err = request_int(request, "cpu", 0,
			      request->client->ctl->vm->nr_vcpus - 1LL, missing,
			      &cpu);

	*out = (int)cpu;
	return err;
}

static int run_dump(struct control_request *request)
{
	int cpu, err = request_cpu(request, -1, &cpu);

	return err ? err : request_work(request, dump_work, cpu);
}

static int run_nmi(struct control_request *request)
{
	int cpu, err = request_cpu(request, 0, &cpu);

	return err ? err : request_work(request, nmi_work, cpu);
}

static int run_pci(struct control_request *request)
{
	json_t *lines = json_array();
	const struct text_sink sink = { control_add_line, lines };

	pci_dump(request->client->ctl->vm->pci, &sink);
	json_object_set_new(request->reply, "lines", lines);
	return 0;
}

static int run_queues(struct control_request *request)
{
	return request_work(request, queues_work, -1);
}

static int run_sysrq(struct control_request *request)
{
	const json_t *key = json_object_get(request->body, "key");
	int err;

	if (!json_is_string(key) || json_string_length(key) != 1)
		return fail(request->why, -EINVAL, "key is one character");
	err = vm_send_sysrq(request->client->ctl->vm,
			    (u8)json_string_value(key)[0]);
	if (err == -EAGAIN)
		return fail(request->why, -EBUSY,
			    "the guest does not read its console");
	if (err)
		fail(request->why, err, "the guest has no console for that");
	return err;
}

static const char *const no_args[] = { NULL };
static const char *const cpu_args[] = { "cpu", NULL };
static const char *const sysrq_args[] = { "key", NULL };

const struct control_op control_debug_ops[] = {
	{ "dump", cpu_args, run_dump },	    { "nmi", cpu_args, run_nmi },
	{ "pci", no_args, run_pci },	    { "queues", no_args, run_queues },
	{ "sysrq", sysrq_args, run_sysrq }, { NULL },
};
