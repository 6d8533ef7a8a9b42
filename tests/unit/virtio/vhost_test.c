/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/vhost.c against a vhost that is made here: what it is told, in which
 * order, and what becomes of a queue over pauses and resets.
 */
#include "virtio/vhost.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define NR_QUEUES 3
#define FIRST 1 /* vhost has queues 1 and 2 of the device */
#define NR_VHOST 2
#define SIZE 16
#define OWN_FEATURE BIT64(5)
#define LKVM_FEATURE BIT64(6)
#define VHOST_ONLY BIT64(VHOST_F_LOG_ALL)

/* ---- A model of vhost ---- */

struct fake_ring_state {
	unsigned int num, base;
	struct vhost_vring_addr addr;
	int kick, call, err;
};

static struct {
	bool owned;
	u64 features; /* what it knows */
	u64 accepted;
	u64 regions[4][3];
	unsigned int nr_regions;
	struct fake_ring_state rings[NR_VHOST];
	unsigned long fail_request; /* this one fails */
} vhost_side;

static int set_memory(const struct vhost_memory *table)
{
	vhost_side.nr_regions = table->nregions;
	for (unsigned int i = 0; i < table->nregions; i++) {
		const struct vhost_memory_region *r = &table->regions[i];

		vhost_side.regions[i][0] = r->guest_phys_addr;
		vhost_side.regions[i][1] = r->memory_size;
		vhost_side.regions[i][2] = r->userspace_addr;
	}
	return 0;
}

int vhost_sys_open(const char *path)
{
	return -ENOENT;
}

int vhost_sys_ioctl(int fd, unsigned long request, void *arg)
{
	struct vhost_vring_state *state = arg;
	struct vhost_vring_addr *addr = arg;
	struct vhost_vring_file *file = arg;

	if (request == vhost_side.fail_request)
		return -EINVAL;
	if (request == VHOST_SET_OWNER) {
		vhost_side.owned = true;
		return 0;
	}
	assert_true(vhost_side.owned);
	switch (request) {
	case VHOST_GET_FEATURES:
		*(u64 *)arg = vhost_side.features;
		return 0;
	case VHOST_SET_FEATURES:
		vhost_side.accepted = *(u64 *)arg;
		return vhost_side.accepted & ~vhost_side.features ? -EOPNOTSUPP
								  : 0;
	case VHOST_SET_MEM_TABLE:
		return set_memory(arg);
	case VHOST_SET_VRING_NUM:
		vhost_side.rings[state->index].num = state->num;
		return 0;
	case VHOST_SET_VRING_BASE:
		vhost_side.rings[state->index].base = state->num;
		return 0;
	case VHOST_GET_VRING_BASE:
		state->num = vhost_side.rings[state->index].base;
		return 0;
	case VHOST_SET_VRING_ADDR:
		vhost_side.rings[addr->index].addr = *addr;
		return 0;
	case VHOST_SET_VRING_KICK:
		vhost_side.rings[file->index].kick = file->fd;
		return 0;
	case VHOST_SET_VRING_CALL:
		vhost_side.rings[file->index].call = file->fd;
		return 0;
	case VHOST_SET_VRING_ERR:
		vhost_side.rings[file->index].err = file->fd;
		return 0;
	default:
		return -ENOTTY;
	}
}

/* ---- A device, and a transport that notes call fds ---- */

static struct {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device dev;
	struct vhost vhost;
	struct virtio_transport transport;
	int call_fds[NR_QUEUES];
	_Atomic unsigned int config_irqs;
	unsigned int starts, stops;
	int start_result;
} f;

static void note_queue_irq(struct virtio_transport *transport, struct virtq *q)
{
}

static void note_config_irq(struct virtio_transport *transport)
{
	f.config_irqs++;
}

static void note_call_fd(struct virtio_transport *transport, struct virtq *q,
			 int fd)
{
	f.call_fds[q->index] = fd;
}

static const struct virtio_transport_ops transport_ops = {
	.queue_irq = note_queue_irq,
	.config_irq = note_config_irq,
	.queue_call_fd = note_call_fd,
};

static int test_start(struct vhost *vhost)
{
	f.starts++;
	/* All is in place when the backend comes. */
	for (unsigned int i = 0; i < vhost->nr_queues; i++)
		if (vhost_queue_is_set(vhost, i))
			assert_int_not_equal(f.call_fds[FIRST + i], -1);
	return f.start_result;
}

static void test_stop(struct vhost *vhost)
{
	f.stops++;
}

static const struct vhost_ops vhost_ops = {
	.start = test_start,
	.stop = test_stop,
};

static int test_activate(struct virtio_device *dev)
{
	return vhost_start(&f.vhost, VHOST_ONLY);
}

static void test_deactivate(struct virtio_device *dev)
{
	vhost_stop(&f.vhost);
}

static const struct virtio_dev_ops dev_ops = {
	.name = "test",
	.id = VIRTIO_ID_NET,
	.activate = test_activate,
	.deactivate = test_deactivate,
};

static int init_vhost(void)
{
	return vhost_init(&f.vhost, &vhost_ops, &f.fake.vm, &f.dev,
			  eventfd(0, EFD_CLOEXEC), FIRST, NR_VHOST,
			  OWN_FEATURE);
}

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	memset(&vhost_side, 0, sizeof(vhost_side));
	vhost_side.features =
		BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_RING_F_EVENT_IDX) |
		BIT64(VHOST_NET_F_VIRTIO_NET_HDR) | OWN_FEATURE | VHOST_ONLY;
	for (unsigned int i = 0; i < NR_QUEUES; i++)
		f.call_fds[i] = -1;
	fake_guest_init(&f.guest, 64 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	if (virtio_device_init(&f.dev, &dev_ops, &f.guest.mem,
			       OWN_FEATURE | LKVM_FEATURE, 0, NR_QUEUES, SIZE))
		return -1;
	f.transport.ops = &transport_ops;
	f.dev.transport = &f.transport;
	return 0;
}

static int teardown(void **state)
{
	virtio_device_stop(&f.dev.base);
	vhost_release(&f.vhost);
	virtio_device_release(&f.dev);
	fake_vm_release(&f.fake);
	fake_guest_release(&f.guest);
	return 0;
}

static struct fake_ring rings[NR_QUEUES];

static void enable(unsigned int index)
{
	fake_ring_init(&rings[index], &f.guest, &f.dev.queues[index], 8);
	assert_int_equal(virtio_queue_enable(&f.dev, &f.dev.queues[index]), 0);
}

/* Up to DRIVER_OK, with all queues. */
static void drive(u64 features)
{
	fake_negotiate(&f.dev, BIT64(VIRTIO_F_VERSION_1) | features);
	for (unsigned int i = 0; i < NR_QUEUES; i++)
		enable(i);
	fake_driver_ok(&f.dev);
}

static bool was_kicked(unsigned int index)
{
	struct pollfd fd = { .fd = f.dev.queues[index].kick_fd,
			     .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* ---- Tests ---- */

static void test_init__tells_of_all_ram(void **state)
{
	assert_int_equal(init_vhost(), 0);
	assert_int_equal(vhost_side.nr_regions, 1);
	assert_int_equal(vhost_side.regions[0][0], FAKE_RAM_START);
	assert_int_equal(vhost_side.regions[0][1], 64 * KIB);
	assert_int_equal(vhost_side.regions[0][2],
			 (uintptr_t)f.guest.mem.ram[0].hva);
}

static void test_init__every_range_is_one_region(void **state) /* f84ab9e */
{
	f.fake.vm.memory.ram[1] =
		(struct ram_range){ .gpa = 4 * GIB, .len = MIB };
	f.fake.vm.memory.ram[2] =
		(struct ram_range){ .gpa = 8 * GIB, .len = MIB };
	f.fake.vm.memory.nr_ram = 3;
	assert_int_equal(init_vhost(), 0);
	assert_int_equal(vhost_side.nr_regions, 3);
	assert_int_equal(vhost_side.regions[2][0], 8 * GIB);
}

static void test_init__offers_what_vhost_knows(void **state)
{
	assert_int_equal(init_vhost(), 0);
	/* Not INDIRECT_DESC, and nothing of vhost's own. */
	assert_int_equal(f.dev.host_features,
			 BIT64(VIRTIO_F_VERSION_1) |
				 BIT64(VIRTIO_RING_F_EVENT_IDX) |
				 BIT64(VIRTIO_F_RING_RESET) | OWN_FEATURE |
				 LKVM_FEATURE);
}

static void test_open__missing_module_is_named(void **state)
{
	int fd;

	assert_int_equal(vhost_open(&f.fake.vm, "net", &fd), -ENOENT);
	assert_non_null(strstr(f.fake.why.text, "load the module vhost_net"));
	assert_int_equal(f.fake.why.kind, FAILURE_HOST);
}

static void test_init__failure_names_the_device(void **state)
{
	vhost_side.fail_request = VHOST_SET_OWNER;
	assert_int_equal(init_vhost(), -EINVAL);
	assert_non_null(
		strstr(f.fake.why.text, "virtio-test: VHOST_SET_OWNER"));
}

static void test_start__sets_rings_of_enabled_queues(void **state)
{
	const struct fake_ring_state *ring = &vhost_side.rings[1];

	assert_int_equal(init_vhost(), 0);
	drive(OWN_FEATURE | LKVM_FEATURE);
	assert_int_equal(vhost_side.accepted,
			 BIT64(VIRTIO_F_VERSION_1) | OWN_FEATURE | VHOST_ONLY);
	assert_int_equal(ring->num, 8);
	assert_int_equal(ring->base, 0);
	assert_ptr_equal((void *)(uintptr_t)ring->addr.desc_user_addr,
			 rings[2].desc);
	assert_ptr_equal((void *)(uintptr_t)ring->addr.avail_user_addr,
			 rings[2].avail);
	assert_ptr_equal((void *)(uintptr_t)ring->addr.used_user_addr,
			 rings[2].used);
	assert_int_equal(ring->kick, f.dev.queues[2].kick_fd);
	assert_int_equal(ring->call, f.call_fds[2]);
	assert_int_equal(f.call_fds[0], -1);
	assert_int_equal(f.starts, 1);
	assert_true(was_kicked(2));
}

/* It has the number of vhost-net's VIRTIO_NET_HDR. */
static void test_start__any_layout_is_not_vhosts_business(void **state)
{
	assert_int_equal(VIRTIO_F_ANY_LAYOUT, VHOST_NET_F_VIRTIO_NET_HDR);
	assert_int_equal(init_vhost(), 0);
	virtio_device_make_legacy(&f.dev);
	virtio_set_driver_features(&f.dev, 0, UINT32_MAX);
	assert_true(virtio_has_feature(&f.dev, VIRTIO_F_ANY_LAYOUT));
	virtio_set_status(&f.dev, VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(f.starts, 1);
	assert_int_equal(vhost_side.accepted, BIT64(VIRTIO_RING_F_EVENT_IDX) |
						      OWN_FEATURE | VHOST_ONLY);
}

static void test_start__leaves_out_queues_that_are_off(void **state)
{
	assert_int_equal(init_vhost(), 0);
	fake_negotiate(&f.dev, BIT64(VIRTIO_F_VERSION_1));
	enable(1);
	fake_driver_ok(&f.dev);
	assert_true(vhost_queue_is_set(&f.vhost, 0));
	assert_false(vhost_queue_is_set(&f.vhost, 1));
	assert_int_equal(vhost_side.rings[1].num, 0);
	assert_int_equal(f.call_fds[2], -1);
}

static void test_pause__queue_goes_on_where_it_was(void **state)
{
	assert_int_equal(init_vhost(), 0);
	drive(0);
	vhost_side.rings[0].base = 65533;
	virtio_device_pause(&f.dev.base);
	assert_int_equal(f.stops, 1);
	assert_int_equal(f.call_fds[1], -1);
	assert_int_equal(vhost_side.rings[0].kick, -1);
	assert_int_equal(vhost_side.rings[0].call, -1);

	vhost_side.rings[0].base = 0;
	virtio_device_resume(&f.dev.base);
	assert_int_equal(vhost_side.rings[0].base, 65533);
	assert_int_equal(vhost_side.rings[0].call, f.call_fds[1]);
	assert_int_equal(f.starts, 2);
}

static void test_reset__queue_starts_anew(void **state)
{
	assert_int_equal(init_vhost(), 0);
	drive(OWN_FEATURE);
	vhost_side.rings[0].base = 7;
	virtio_set_status(&f.dev, 0);
	assert_int_equal(vhost_side.rings[1].kick, -1);

	/* The next driver has other wishes, and one queue less. */
	fake_negotiate(&f.dev, BIT64(VIRTIO_F_VERSION_1));
	enable(1);
	fake_driver_ok(&f.dev);
	assert_int_equal(vhost_side.rings[0].base, 0);
	assert_int_equal(vhost_side.accepted,
			 BIT64(VIRTIO_F_VERSION_1) | VHOST_ONLY);
	assert_int_equal(vhost_side.rings[1].kick, -1);
}

static void expect_failed_start(void)
{
	drive(0);
	assert_true(virtio_get_status(&f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(f.call_fds[1], -1);
	assert_false(f.vhost.started);
	/* The driver may try again, and is served. */
	virtio_set_status(&f.dev, 0);
	f.start_result = 0;
	vhost_side.fail_request = 0;
	drive(0);
	assert_false(virtio_get_status(&f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_true(f.vhost.started);
}

static void test_start__refused_ring_needs_reset(void **state)
{
	assert_int_equal(init_vhost(), 0);
	vhost_side.fail_request = VHOST_SET_VRING_ADDR;
	expect_failed_start();
}

static void test_start__refused_backend_needs_reset(void **state)
{
	assert_int_equal(init_vhost(), 0);
	f.start_result = -EBUSY;
	expect_failed_start();
	assert_int_equal(f.stops, 1);
}

static void test_error__broken_ring_needs_reset(void **state)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	assert_int_equal(init_vhost(), 0);
	drive(0);
	assert_int_equal(eventfd_write(vhost_side.rings[0].err, 1), 0);
	for (unsigned int i = 0; i < 100000 && !f.config_irqs; i++)
		nanosleep(&pause, NULL);
	assert_int_equal(f.config_irqs, 1);
	assert_true(virtio_get_status(&f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

#define VHOST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VHOST_TEST(test_open__missing_module_is_named),
		VHOST_TEST(test_init__tells_of_all_ram),
		VHOST_TEST(test_init__every_range_is_one_region),
		VHOST_TEST(test_init__offers_what_vhost_knows),
		VHOST_TEST(test_init__failure_names_the_device),
		VHOST_TEST(test_start__sets_rings_of_enabled_queues),
		VHOST_TEST(test_start__any_layout_is_not_vhosts_business),
		VHOST_TEST(test_start__leaves_out_queues_that_are_off),
		VHOST_TEST(test_pause__queue_goes_on_where_it_was),
		VHOST_TEST(test_reset__queue_starts_anew),
		VHOST_TEST(test_start__refused_ring_needs_reset),
		VHOST_TEST(test_start__refused_backend_needs_reset),
		VHOST_TEST(test_error__broken_ring_needs_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
