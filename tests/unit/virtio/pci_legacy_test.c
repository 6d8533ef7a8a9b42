/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio/pci_legacy.c, driven through its port BAR as an old driver does. */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "tests/support/fake_virtio.h"
#include <cmocka.h>

#define NR_QUEUES 2
#define SIZE 16
#define PORTS 0
#define PAGE 4096U

static struct {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device dev;
	u8 config[6];
	unsigned int activated;
} f;

/* ---- A model of KVM's ioeventfds: how many there are ---- */

static unsigned int nr_doorbells;
static struct ioeventfd last_doorbell;

int ioeventfd_add(int vm_fd, const struct ioeventfd *io)
{
	nr_doorbells++;
	last_doorbell = *io;
	return 0;
}

void ioeventfd_remove(int vm_fd, const struct ioeventfd *io)
{
	nr_doorbells--;
}

static void test_config_read(struct virtio_device *dev, unsigned int offset,
			     void *buf, unsigned int len)
{
	memcpy(buf, f.config + offset, len);
}

static void test_config_write(struct virtio_device *dev, unsigned int offset,
			      const void *buf, unsigned int len)
{
	memcpy(f.config + offset, buf, len);
}

static int test_activate(struct virtio_device *dev)
{
	f.activated++;
	return 0;
}

static void test_deactivate(struct virtio_device *dev)
{
}

static const struct virtio_dev_ops test_ops = {
	.name = "test",
	.id = VIRTIO_ID_RNG,
	.config_read = test_config_read,
	.config_write = test_config_write,
	.activate = test_activate,
	.deactivate = test_deactivate,
};

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	nr_doorbells = 0;
	memcpy(f.config, "abcdef", 6);
	fake_guest_init(&f.guest, 64 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	f.fake.config.virtio_transport = VIRTIO_TRANSPORT_PCI_LEGACY;
	if (virtio_device_init(&f.dev, &test_ops, &f.guest.mem, 0,
			       sizeof(f.config), NR_QUEUES, SIZE) ||
	    virtio_transport_create(&f.fake.vm, &f.dev))
		return -1;
	fake_vm_start(&f.fake);
	return 0;
}

static int teardown(void **state)
{
	virtio_transport_destroy(&f.dev);
	virtio_device_release(&f.dev);
	fake_vm_release(&f.fake);
	fake_guest_release(&f.guest);
	return nr_doorbells ? -1 : 0;
}

static u32 get(u64 offset, u8 size)
{
	return (u32)fake_bar_read(&f.fake, PORTS, offset, size);
}

static void put(u64 offset, u8 size, u32 value)
{
	fake_bar_write(&f.fake, PORTS, offset, size, value);
}

static u32 set_up_queue(u16 index)
{
	u32 page = (u32)(fake_alloc(&f.guest, 2 * PAGE, PAGE) / PAGE);

	put(VIRTIO_PCI_QUEUE_SEL, 2, index);
	put(VIRTIO_PCI_QUEUE_PFN, 4, page);
	return page;
}

static bool was_kicked(u16 index)
{
	struct pollfd fd = { .fd = f.dev.queues[index].kick_fd,
			     .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void switch_msix(bool on)
{
	unsigned int cap = fake_config_read(&f.fake, PCI_CAPABILITY_LIST, 1);

	while (fake_config_read(&f.fake, cap, 1) != PCI_CAP_ID_MSIX)
		cap = fake_config_read(&f.fake, cap + 1, 1);
	fake_config_write(&f.fake, cap + PCI_MSIX_FLAGS, 2,
			  on ? PCI_MSIX_FLAGS_ENABLE : 0);
}

static void test_pci_legacy__says_what_it_is(void **state)
{
	assert_int_equal(fake_config_read(&f.fake, PCI_VENDOR_ID, 2), 0x1af4);
	assert_int_equal(fake_config_read(&f.fake, PCI_DEVICE_ID, 2), 0x1005);
	assert_int_equal(fake_config_read(&f.fake, PCI_REVISION_ID, 1), 0);
	assert_int_equal(fake_config_read(&f.fake, PCI_SUBSYSTEM_ID, 2),
			 VIRTIO_ID_RNG);
	assert_true(fake_config_read(&f.fake, PCI_BASE_ADDRESS_0, 4) &
		    PCI_BASE_ADDRESS_SPACE_IO);
	assert_false(f.dev.host_features >> 32);
}

static void test_registers__queue_lives_from_page_to_0(void **state)
{
	u32 page = set_up_queue(1);

	assert_int_equal(get(VIRTIO_PCI_QUEUE_NUM, 2), SIZE);
	assert_int_equal(get(VIRTIO_PCI_QUEUE_PFN, 4), page);
	assert_true(f.dev.queues[1].enabled);
	put(VIRTIO_PCI_QUEUE_PFN, 4, 0);
	assert_int_equal(get(VIRTIO_PCI_QUEUE_PFN, 4), 0);
	assert_false(f.dev.queues[1].enabled);
}

static void test_registers__size_cannot_be_written(void **state)
{
	put(VIRTIO_PCI_QUEUE_SEL, 2, 0);
	put(VIRTIO_PCI_QUEUE_NUM, 2, 4);
	assert_int_equal(f.dev.queues[0].size, SIZE);
}

static void test_registers__absent_queue_has_size_0(void **state) /* S10 */
{
	put(VIRTIO_PCI_QUEUE_SEL, 2, NR_QUEUES);
	assert_int_equal(get(VIRTIO_PCI_QUEUE_NUM, 2), 0);
	put(VIRTIO_PCI_QUEUE_PFN, 4, 0x100);
	assert_int_equal(get(VIRTIO_PCI_QUEUE_PFN, 4), 0);
	put(VIRTIO_PCI_QUEUE_NOTIFY, 2, 0xffff);
	assert_int_equal(f.activated, 0);
}

static void test_registers__want_their_own_width(void **state)
{
	put(VIRTIO_PCI_QUEUE_SEL, 2, 1);
	put(VIRTIO_PCI_QUEUE_SEL, 1, 0);
	put(VIRTIO_PCI_QUEUE_NUM, 4, 0); /* would cover the selector, too */
	assert_int_equal(get(VIRTIO_PCI_QUEUE_SEL, 2), 1);
	assert_int_equal(get(VIRTIO_PCI_HOST_FEATURES, 2), 0);
}

static void test_registers__reset_forgets_the_driver(void **state)
{
	put(VIRTIO_PCI_GUEST_FEATURES, 4, BIT(VIRTIO_RING_F_EVENT_IDX));
	set_up_queue(0);
	put(VIRTIO_PCI_STATUS, 1, VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(nr_doorbells, 1);
	put(VIRTIO_PCI_STATUS, 1, 0);
	assert_int_equal(get(VIRTIO_PCI_STATUS, 1), 0);
	assert_int_equal(get(VIRTIO_PCI_GUEST_FEATURES, 4), 0);
	assert_false(f.dev.queues[0].enabled);
	assert_int_equal(nr_doorbells, 0);
}

static void test_doorbell__traps_until_driver_ok(void **state)
{
	set_up_queue(1);
	assert_int_equal(nr_doorbells, 0);
	put(VIRTIO_PCI_QUEUE_NOTIFY, 2, 1);
	assert_true(was_kicked(1));
	assert_int_equal(f.activated, 1);
	put(VIRTIO_PCI_STATUS, 1, VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(nr_doorbells, 1);
	assert_int_equal(last_doorbell.match, 1);
	assert_int_equal(last_doorbell.len, 2);
	assert_true(last_doorbell.has_match);
}

static void test_isr__reads_once(void **state)
{
	virtio_config_changed(&f.dev);
	assert_int_equal(get(VIRTIO_PCI_ISR, 1), VIRTIO_PCI_ISR_CONFIG);
	assert_int_equal(get(VIRTIO_PCI_ISR, 1), 0);
}

static void test_config__moves_when_msix_is_on(void **state)
{
	assert_int_equal(get(20, 2), 'a' | 'b' << 8);
	assert_int_equal(get(25, 1), 'f');
	switch_msix(true);
	assert_int_equal(get(20, 2), VIRTIO_MSI_NO_VECTOR);
	assert_int_equal(get(24, 4), 'a' | 'b' << 8 | 'c' << 16 | 'd' << 24);
	put(24, 1, 'x');
	assert_int_equal(f.config[0], 'x');
	switch_msix(false);
	assert_int_equal(get(20, 1), 'x');
}

static void test_msix__vectors_are_bounded(void **state) /* S2 */
{
	switch_msix(true);
	put(VIRTIO_MSI_CONFIG_VECTOR, 2, NR_QUEUES);
	assert_int_equal(get(VIRTIO_MSI_CONFIG_VECTOR, 2), NR_QUEUES);
	put(VIRTIO_MSI_CONFIG_VECTOR, 2, NR_QUEUES + 1);
	assert_int_equal(get(VIRTIO_MSI_CONFIG_VECTOR, 2),
			 VIRTIO_MSI_NO_VECTOR);
	put(VIRTIO_PCI_QUEUE_SEL, 2, 1);
	put(VIRTIO_MSI_QUEUE_VECTOR, 2, 33);
	assert_int_equal(get(VIRTIO_MSI_QUEUE_VECTOR, 2), VIRTIO_MSI_NO_VECTOR);
	put(VIRTIO_MSI_QUEUE_VECTOR, 2, 1);
	assert_int_equal(get(VIRTIO_MSI_QUEUE_VECTOR, 2), 1);
	put(VIRTIO_PCI_STATUS, 1, 0);
	assert_int_equal(get(VIRTIO_MSI_CONFIG_VECTOR, 2),
			 VIRTIO_MSI_NO_VECTOR);
}

#define LEGACY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEGACY_TEST(test_pci_legacy__says_what_it_is),
		LEGACY_TEST(test_registers__queue_lives_from_page_to_0),
		LEGACY_TEST(test_registers__size_cannot_be_written),
		LEGACY_TEST(test_registers__absent_queue_has_size_0),
		LEGACY_TEST(test_registers__want_their_own_width),
		LEGACY_TEST(test_registers__reset_forgets_the_driver),
		LEGACY_TEST(test_doorbell__traps_until_driver_ok),
		LEGACY_TEST(test_isr__reads_once),
		LEGACY_TEST(test_config__moves_when_msix_is_on),
		LEGACY_TEST(test_msix__vectors_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
