/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eventfds that stand for a queue's interrupt (virtio_queue_call_fd()) on the
 * PCI transport: which vector KVM ties them to, and when the event loop reads
 * them instead.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "lkvm/arch.h"
#include "lkvm/irq.h"
#include "lkvm/pci.h"
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define NR_QUEUES 3
#define NR_VECTORS (NR_QUEUES + 1)
/* Legacy registers are the shortest way to MSI-X vectors. */
#define PORTS 0
#define MSIX_BAR 1

/* ---- This file is the machine: without interrupt lines ---- */

const struct device_class *const arch_device_classes[] = { NULL };

int arch_place(struct kvm *vm, enum place_kind kind, unsigned int index,
	       struct device_place *out)
{
	return -ENODEV;
}

struct irq_line arch_pci_irq_line(struct kvm *vm, unsigned int slot,
				  unsigned int pin)
{
	return (struct irq_line){ .hub = NULL };
}

void irq_line_set(struct irq_line *line, bool level)
{
}

/* ---- A model of KVM's routes, irqfds and messages ---- */

#define FIRST_GSI 100

static struct {
	u32 data; /* of its message: tests number vectors so */
	int fd;	  /* -1: no irqfd */
	bool used;
} routes[16];
static _Atomic unsigned int messages[NR_VECTORS];

int irq_signal_msi(struct irq_router *irq, const struct msi_message *msg)
{
	messages[msg->data % NR_VECTORS]++;
	return 0;
}

int irq_route_alloc(struct irq_router *irq, const struct msi_message *msg)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(routes); i++) {
		if (routes[i].used)
			continue;
		routes[i].used = true;
		routes[i].data = msg->data;
		routes[i].fd = -1;
		return FIRST_GSI + (int)i;
	}
	return -ENOSPC;
}

int irq_route_update(struct irq_router *irq, u32 gsi,
		     const struct msi_message *msg)
{
	routes[gsi - FIRST_GSI].data = msg->data;
	return 0;
}

void irq_route_free(struct irq_router *irq, u32 gsi)
{
	assert_int_equal(routes[gsi - FIRST_GSI].fd, -1);
	routes[gsi - FIRST_GSI].used = false;
}

int irqfd_attach(struct irq_router *irq, u32 gsi, int fd, int resample_fd)
{
	assert_int_equal(routes[gsi - FIRST_GSI].fd, -1);
	routes[gsi - FIRST_GSI].fd = fd;
	return 0;
}

void irqfd_detach(struct irq_router *irq, u32 gsi, int fd)
{
	assert_int_equal(routes[gsi - FIRST_GSI].fd, fd);
	routes[gsi - FIRST_GSI].fd = -1;
}

/* The vector that an irqfd on @fd delivers; -1: there is none. */
static int vector_of(int fd)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(routes); i++)
		if (routes[i].used && routes[i].fd == fd)
			return (int)routes[i].data;
	return -1;
}

/* ---- A device of three queues, with an eventfd each ---- */

static struct {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device dev;
	int fds[NR_QUEUES];
} f;

static int test_activate(struct virtio_device *dev)
{
	return 0;
}

static void test_deactivate(struct virtio_device *dev)
{
}

static const struct virtio_dev_ops test_ops = {
	.name = "test",
	.id = VIRTIO_ID_NET,
	.activate = test_activate,
	.deactivate = test_deactivate,
};

static void set_vector(u16 queue, u16 vector)
{
	fake_bar_write(&f.fake, PORTS, VIRTIO_PCI_QUEUE_SEL, 2, queue);
	fake_bar_write(&f.fake, PORTS, VIRTIO_MSI_QUEUE_VECTOR, 2, vector);
}

static void set_msix_control(u16 control)
{
	unsigned int cap = fake_config_read(&f.fake, PCI_CAPABILITY_LIST, 1);

	while (fake_config_read(&f.fake, cap, 1) != PCI_CAP_ID_MSIX)
		cap = fake_config_read(&f.fake, cap + 1, 1);
	fake_config_write(&f.fake, cap + PCI_MSIX_FLAGS, 2, control);
}

static void mask(unsigned int vector, bool masked)
{
	fake_bar_write(&f.fake, MSIX_BAR,
		       vector * PCI_MSIX_ENTRY_SIZE +
			       PCI_MSIX_ENTRY_VECTOR_CTRL,
		       4, masked);
}

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	memset(routes, 0, sizeof(routes));
	for (unsigned int i = 0; i < NR_VECTORS; i++)
		messages[i] = 0;
	fake_guest_init(&f.guest, 64 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	if (virtio_device_init(&f.dev, &test_ops, &f.guest.mem, 0, 0, NR_QUEUES,
			       16) ||
	    virtio_pci_legacy_create(&f.fake.vm, &f.dev))
		return -1;
	fake_vm_start(&f.fake);
	for (unsigned int i = 0; i < NR_QUEUES; i++)
		f.fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* As Linux does: unmasked, each with a message of its own. */
	for (unsigned int i = 0; i < NR_VECTORS; i++) {
		fake_bar_write(&f.fake, MSIX_BAR,
			       i * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_DATA, 4,
			       i);
		mask(i, false);
	}
	return 0;
}

static int teardown(void **state)
{
	for (unsigned int i = 0; i < NR_QUEUES; i++)
		virtio_queue_call_fd(&f.dev.queues[i], -1);
	virtio_transport_destroy(&f.dev);
	virtio_device_release(&f.dev);
	fake_vm_release(&f.fake);
	fake_guest_release(&f.guest);
	for (unsigned int i = 0; i < NR_QUEUES; i++)
		close(f.fds[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(routes); i++)
		if (routes[i].used)
			return -1;
	return 0;
}

/* Vectors 1 to 3 for queues 0 to 2, and their eventfds. */
static void connect_all(void)
{
	set_msix_control(PCI_MSIX_FLAGS_ENABLE);
	for (u16 i = 0; i < NR_QUEUES; i++) {
		set_vector(i, i + 1);
		virtio_queue_call_fd(&f.dev.queues[i], f.fds[i]);
	}
}

/* Waits for up to ten seconds. */
static bool message_comes(unsigned int vector)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	for (unsigned int i = 0; i < 100000 && !messages[vector]; i++)
		nanosleep(&pause, NULL);
	return messages[vector] > 0;
}

static bool isr_comes(void)
{
	const struct timespec pause = { .tv_nsec = 100000 };

	for (unsigned int i = 0; i < 100000; i++) {
		if (fake_bar_read(&f.fake, PORTS, VIRTIO_PCI_ISR, 1) & 1)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void test_call__is_tied_to_the_vector(void **state)
{
	connect_all();
	for (int i = 0; i < NR_QUEUES; i++)
		assert_int_equal(vector_of(f.fds[i]), i + 1);
}

static void test_call__follows_the_vector(void **state)
{
	connect_all();
	set_vector(0, 0);
	assert_int_equal(vector_of(f.fds[0]), 0);
	/* Two queues swap theirs. */
	set_vector(0, VIRTIO_MSI_NO_VECTOR);
	assert_int_equal(vector_of(f.fds[0]), -1);
	set_vector(0, 2);
	set_vector(1, 1);
	assert_int_equal(vector_of(f.fds[0]), 2);
	assert_int_equal(vector_of(f.fds[1]), 1);
}

static void test_call__without_msix_is_intx(void **state)
{
	virtio_queue_call_fd(&f.dev.queues[0], f.fds[0]);
	assert_int_equal(vector_of(f.fds[0]), -1);
	eventfd_write(f.fds[0], 1);
	assert_true(isr_comes());
}

static void test_call__follows_msix_on_and_off(void **state)
{
	connect_all();
	set_msix_control(0);
	assert_int_equal(vector_of(f.fds[1]), -1);
	eventfd_write(f.fds[1], 1);
	assert_true(isr_comes());
	set_msix_control(PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(vector_of(f.fds[1]), 2);
}

/* The loop would take what is KVM's. */
static void test_call__once_tied_is_no_longer_read(void **state)
{
	eventfd_t count;

	/* Both are read by the loop; then queue 0 gets a vector of its own. */
	virtio_queue_call_fd(&f.dev.queues[0], f.fds[0]);
	virtio_queue_call_fd(&f.dev.queues[1], f.fds[1]);
	set_msix_control(PCI_MSIX_FLAGS_ENABLE);
	set_vector(0, 1);
	set_vector(1, 1);
	assert_int_equal(vector_of(f.fds[0]), 1);
	eventfd_write(f.fds[0], 1);
	/* What came later has been served, twice. */
	for (unsigned int i = 0; i < 2; i++) {
		messages[1] = 0;
		eventfd_write(f.fds[1], 1);
		assert_true(message_comes(1));
	}
	assert_int_equal(eventfd_read(f.fds[0], &count), 0);
}

static void test_call__stays_pending_while_masked(void **state)
{
	eventfd_t count;

	connect_all();
	mask(1, true);
	assert_int_equal(vector_of(f.fds[0]), -1);
	eventfd_write(f.fds[0], 1);
	/* Nobody takes it, and the driver can see it. */
	assert_true(fake_bar_read(&f.fake, MSIX_BAR, 0x1000, 8) & BIT(1));
	mask(1, false);
	assert_int_equal(vector_of(f.fds[0]), 1);
	assert_int_equal(eventfd_read(f.fds[0], &count), 0);
	assert_int_equal(messages[1], 0);
}

static void test_call__shared_vector_comes_through_the_loop(void **state)
{
	connect_all();
	set_vector(1, 1);
	assert_int_equal(vector_of(f.fds[0]), 1);
	assert_int_equal(vector_of(f.fds[1]), -1);
	eventfd_write(f.fds[1], 1);
	assert_true(message_comes(1));
	/* When the other leaves, it takes over. */
	set_vector(0, 3);
	assert_int_equal(vector_of(f.fds[1]), 1);
}

static void test_call__shared_with_one_that_has_no_eventfd(void **state)
{
	set_msix_control(PCI_MSIX_FLAGS_ENABLE);
	set_vector(0, 1);
	set_vector(1, 1);
	virtio_queue_call_fd(&f.dev.queues[0], f.fds[0]);
	assert_int_equal(vector_of(f.fds[0]), 1);
	f.dev.transport->ops->queue_irq(f.dev.transport, &f.dev.queues[1]);
	assert_true(message_comes(1));
}

static void test_call__without_a_vector_is_silent(void **state)
{
	connect_all();
	set_vector(0, 33); /* S2: becomes NO_VECTOR */
	assert_int_equal(vector_of(f.fds[0]), -1);
	eventfd_write(f.fds[0], 1);
	set_vector(0, 1);
	assert_int_equal(vector_of(f.fds[0]), 1);
}

static void test_call__is_let_go(void **state)
{
	connect_all();
	virtio_queue_call_fd(&f.dev.queues[2], -1);
	assert_int_equal(vector_of(f.fds[2]), -1);
	set_vector(2, 0);
	set_msix_control(0);
	set_msix_control(PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(vector_of(f.fds[2]), -1);
}

static void test_call__reset_gives_routes_back(void **state) /* S9 */
{
	for (unsigned int i = 0; i < 5000; i++) {
		connect_all();
		for (unsigned int n = 0; n < NR_QUEUES; n++)
			virtio_queue_call_fd(&f.dev.queues[n], -1);
		fake_bar_write(&f.fake, PORTS, VIRTIO_PCI_STATUS, 1, 0);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(routes); i++)
		assert_false(routes[i].used);
}

#define CALL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CALL_TEST(test_call__is_tied_to_the_vector),
		CALL_TEST(test_call__follows_the_vector),
		CALL_TEST(test_call__without_msix_is_intx),
		CALL_TEST(test_call__follows_msix_on_and_off),
		CALL_TEST(test_call__once_tied_is_no_longer_read),
		CALL_TEST(test_call__stays_pending_while_masked),
		CALL_TEST(test_call__shared_vector_comes_through_the_loop),
		CALL_TEST(test_call__shared_with_one_that_has_no_eventfd),
		CALL_TEST(test_call__without_a_vector_is_silent),
		CALL_TEST(test_call__is_let_go),
		CALL_TEST(test_call__reset_gives_routes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
