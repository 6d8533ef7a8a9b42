/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be asked of a running VM, but for what only people who debug want:
 * control_debug.c. docs/control.md lists requests and replies.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "control_priv.h"
#include "lkvm/clock.h"
#include "lkvm/power.h"
#include "lkvm/vcpu.h"

#define GRACE_MS_DEFAULT 10000
#define GRACE_MS_MAX (24 * 3600 * 1000LL)

/* ---- Members of requests ---- */

int request_int(struct control_request *request, const char *name,
		long long min, long long max, long long missing, long long *out)
{
	const json_t *value = json_object_get(request->body, name);

	*out = missing;
	if (!value)
		return 0;
	if (!json_is_integer(value))
		return fail(request->why, -EINVAL, "%s is a whole number",
			    name);
	*out = json_integer_value(value);
	if (*out < min || *out > max)
		return fail(request->why, -ERANGE,
			    "%s is from %lld to %lld, not %lld", name, min, max,
			    *out);
	return 0;
}

int request_bool(struct control_request *request, const char *name, bool *out)
{
	const json_t *value = json_object_get(request->body, name);

	*out = json_is_true(value);
	if (value && !*out && !json_is_false(value))
		return fail(request->why, -EINVAL, "%s is true or false", name);
	return 0;
}

/* ---- Work of the main thread ---- */

static void run_work(struct vm_job *job, struct kvm *vm)
{
	struct control_work *work = container_of(job, struct control_work, job);
	struct control *ctl = container_of(work, struct control, work);
	u64 one = 1;

	work->err = work->run(work, vm);
	/* Release, pairs with the acquire in work_ready(). */
	atomic_store_explicit(&work->is_done, true, memory_order_release);
	/* Cannot fail: the counter is far from its limit. */
	while (write(ctl->work_ready.fd, &one, sizeof(one)) < 0 &&
	       errno == EINTR)
		;
}

int request_work(struct control_request *request,
		 int (*run)(struct control_work *work, struct kvm *vm), int cpu)
{
	struct control_client *client = request->client;
	struct control_work *work = &client->ctl->work;

	if (work->is_busy)
		return -EAGAIN;
	*work = (struct control_work){
		.job.run = run_work,
		.run = run,
		.client = client,
		.is_busy = true,
		.cpu = cpu,
		.reply = json_object(),
		.why = FAILURE_INIT,
	};
	if (vm_post(client->ctl->vm, &work->job)) {
		json_decref(work->reply);
		work->reply = NULL;
		work->is_busy = false;
		return fail(request->why, -ESHUTDOWN, "the VM has ended");
	}
	client->state = CLIENT_WORKING;
	return CONTROL_LATER;
}

/* ---- Operations ---- */

static void add_number(json_t *object, const char *name, u64 value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

static unsigned int count_waiting(const struct control *ctl)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i] && ctl->clients[i]->state == CLIENT_WAITS)
			nr++;
	return nr;
}

static int run_info(struct control_request *request)
{
	const struct control *ctl = request->client->ctl;
	struct kvm *vm = ctl->vm;

	json_object_set_new(request->reply, "name",
			    json_text(ctl->instance.name));
	add_number(request->reply, "pid", (u64)getpid());
	json_object_set_new(request->reply, "state",
			    json_string(vm_is_paused(vm) ? "paused"
							 : "running"));
	add_number(request->reply, "cpus", vm->nr_vcpus);
	add_number(request->reply, "ram", vm->config->ram_len);
	add_number(request->reply, "uptime_ms",
		   control_uptime_ns(ctl) / NSEC_PER_MSEC);
	add_number(request->reply, "waiting", count_waiting(ctl));
	return 0;
}

/*
 * The power button, and the end when the guest has not gone by itself after the
 * grace; at once if it does not listen, since nothing is to be expected then.
 */
static int run_stop(struct control_request *request)
{
	struct control *ctl = request->client->ctl;
	long long grace_ms;
	bool force;
	int err;

	err = request_bool(request, "force", &force);
	if (!err)
		err = request_int(request, "grace_ms", 0, GRACE_MS_MAX,
				  GRACE_MS_DEFAULT, &grace_ms);
	if (err)
		return err;
	/* A guest that stands still cannot answer. */
	if (!force && grace_ms && !vm_is_paused(ctl->vm) &&
	    !vm_power_button(ctl->vm)) {
		event_timer_set(&ctl->grace, (u64)grace_ms * NSEC_PER_MSEC);
		json_object_set_new(request->reply, "button", json_true());
	} else {
		vm_end(ctl->vm, VM_END_STOP);
		json_object_set_new(request->reply, "button", json_false());
	}
	return 0;
}

static int pause_work(struct control_work *work, struct kvm *vm)
{
	bool changed = vm_pause(vm);

	json_object_set_new(work->reply, "changed", json_boolean(changed));
	return 0;
}

static int resume_work(struct control_work *work, struct kvm *vm)
{
	bool changed = vm_resume(vm);

	json_object_set_new(work->reply, "changed", json_boolean(changed));
	return 0;
}

static int run_pause(struct control_request *request)
{
	return request_work(request, pause_work, -1);
}

static int run_resume(struct control_request *request)
{
	return request_work(request, resume_work, -1);
}

static int run_reset(struct control_request *request)
{
	struct kvm *vm = request->client->ctl->vm;

	json_object_set_new(request->reply, "restarts",
			    json_boolean(vm->config->reboot == REBOOT_RESTART));
	vm_end(vm, VM_END_RESET);
	return 0;
}

static int run_stat(struct control_request *request)
{
	const struct kvm *vm = request->client->ctl->vm;
	json_t *cpus;
	bool memory;
	int err = request_bool(request, "memory", &memory);

	if (err)
		return err;
	add_number(request->reply, "ram", vm->config->ram_len);
	if (memory)
		return balloon_stat(request);
	cpus = json_array();
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		const struct vcpu_stats *stats = &vm->vcpus[i].stats;
		json_t *cpu = json_object();

		add_number(cpu, "exits", counter_read(&stats->exits));
		add_number(cpu, "port", counter_read(&stats->io));
		add_number(cpu, "memory", counter_read(&stats->mmio));
		json_array_append_new(cpus, cpu);
	}
	json_object_set_new(request->reply, "cpus", cpus);
	json_object_set_new(request->reply, "devices", devices_stat(vm));
	return balloon_stat(request);
}

/* The reply comes with control_end(). */
static int run_wait(struct control_request *request)
{
	request->client->state = CLIENT_WAITS;
	return CONTROL_LATER;
}

static const char *const no_args[] = { NULL };
static const char *const stat_args[] = { "memory", NULL };
static const char *const balloon_args[] = { "target", "add", NULL };
static const char *const sendkey_args[] = { "keys", NULL };
static const char *const stop_args[] = { "force", "grace_ms", NULL };

const struct control_op control_ops[] = {
	{ "info", no_args, run_info },
	{ "stop", stop_args, run_stop },
	{ "pause", no_args, run_pause },
	{ "resume", no_args, run_resume },
	{ "reset", no_args, run_reset },
	{ "stat", stat_args, run_stat },
	{ "balloon", balloon_args, balloon_op },
	{ "wait", no_args, run_wait },
	{ "console", no_args, console_op },
	{ "screenshot", no_args, screenshot_op },
	{ "sendkey", sendkey_args, sendkey_op },
	{ NULL },
};

/* ---- Dispatch ---- */

static const struct control_op *find_op(const struct control_op *ops,
					const char *name)
{
	for (; ops->name; ops++)
		if (!strcmp(ops->name, name))
			return ops;
	return NULL;
}

static bool knows(const struct control_op *op, const char *member)
{
	const char *const *arg;

	if (!strcmp(member, "op"))
		return true;
	for (arg = op->args; *arg; arg++)
		if (!strcmp(*arg, member))
			return true;
	return false;
}

int control_dispatch(struct control_request *request)
{
	const json_t *name = json_object_get(request->body, "op");
	const struct control_op *op;
	const char *member;
	json_t *value;

	if (!json_is_string(name))
		return fail(request->why, -EINVAL,
			    "a request has a member \"op\", a string");
	op = find_op(control_ops, json_string_value(name));
	if (!op)
		op = find_op(control_debug_ops, json_string_value(name));
	if (!op)
		return fail(request->why, -EOPNOTSUPP,
			    "there is no operation %s",
			    json_string_value(name));
	json_object_foreach(
		request->body, member,
		value) if (!knows(op, member)) return fail(request->why,
							   -EINVAL,
							   "%s has no %s",
							   op->name, member);
	return op->run(request);
}
