/* SPDX-License-Identifier: GPL-2.0-only */
/* virtio/vsock.c and virtio/scsi.c, with a vhost that is made here. */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_scsi.h>
#include <linux/virtio_vsock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include "lkvm/devices.h"
#include "tests/support/fake_virtio.h"
#include "virtio/vhost.h"
#include <cmocka.h>

#define VERSION_1 BIT64(VIRTIO_F_VERSION_1)
#define WWPN "naa.600140554cf3a18e"

/* ---- A model of vhost ---- */

static struct {
	int open_error, backend_error;
	char path[32];
	u64 features, cid;
	bool running;
	struct vhost_scsi_target target;
	bool has_endpoint;
	unsigned int nr_endpoints;
} vhost_side;

int vhost_sys_open(const char *path)
{
	snprintf(vhost_side.path, sizeof(vhost_side.path), "%s", path);
	return vhost_side.open_error ? vhost_side.open_error
				     : eventfd(0, EFD_CLOEXEC);
}

static int set_running(bool running)
{
	vhost_side.running = running && !vhost_side.backend_error;
	return running ? vhost_side.backend_error : 0;
}

int vhost_sys_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case VHOST_GET_FEATURES:
		*(u64 *)arg = UINT64_MAX;
		return 0;
	case VHOST_SET_FEATURES:
		vhost_side.features = *(u64 *)arg;
		return 0;
	case VHOST_VSOCK_SET_GUEST_CID:
		vhost_side.cid = *(u64 *)arg;
		return vhost_side.backend_error;
	case VHOST_VSOCK_SET_RUNNING:
		return set_running(*(int *)arg);
	case VHOST_SCSI_SET_ENDPOINT:
		vhost_side.target = *(struct vhost_scsi_target *)arg;
		vhost_side.nr_endpoints++;
		vhost_side.has_endpoint = !vhost_side.backend_error;
		return vhost_side.backend_error;
	case VHOST_SCSI_CLEAR_ENDPOINT:
		vhost_side.has_endpoint = false;
		return 0;
	default:
		return 0;
	}
}

/* ---- A machine with one of them ---- */

static struct {
	struct fake_guest guest;
	struct fake_vm fake;
	struct virtio_device *dev;
	struct fake_ring ring;
} f;

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	memset(&vhost_side, 0, sizeof(vhost_side));
	fake_guest_init(&f.guest, 64 * KIB);
	fake_vm_init(&f.fake, &f.guest);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_release(&f.fake);
	fake_guest_release(&f.guest);
	return 0;
}

static int create(const struct device_class *class)
{
	int err = class->create(&f.fake.vm, &f.fake.config);

	if (f.fake.vm.devices)
		f.dev = container_of(f.fake.vm.devices, struct virtio_device,
				     base);
	return err;
}

static int create_vsock(void)
{
	f.fake.config.vsock_cid = 7;
	return create(&virtio_vsock_class);
}

static int create_scsi(void)
{
	memcpy(f.fake.config.scsi[0].wwpn, WWPN, sizeof(WWPN));
	f.fake.config.nr_scsi = 1;
	return create(&virtio_scsi_class);
}

static void enable(unsigned int index)
{
	fake_ring_init(&f.ring, &f.guest, &f.dev->queues[index], 8);
	assert_int_equal(virtio_queue_enable(f.dev, &f.dev->queues[index]), 0);
}

static void expect_failure(int err, const char *text)
{
	assert_int_not_equal(err, 0);
	assert_null(f.fake.vm.devices);
	if (!strstr(f.fake.why.text, text))
		fail_msg("'%s' is not in '%s'", text, f.fake.why.text);
}

/* ---- vsock ---- */

static void test_vsock__is_made_only_when_asked_for(void **state)
{
	assert_int_equal(create(&virtio_vsock_class), 0);
	assert_null(f.fake.vm.devices);
	assert_string_equal(vhost_side.path, "");
}

static void test_vsock__tells_its_cid(void **state)
{
	u64 cid = 0;

	assert_int_equal(create_vsock(), 0);
	assert_string_equal(vhost_side.path, "/dev/vhost-vsock");
	assert_int_equal(vhost_side.cid, 7);
	virtio_config_read(f.dev, 0, &cid, sizeof(cid));
	assert_int_equal(cid, 7);
}

static void test_vsock__runs_with_both_queues(void **state)
{
	assert_int_equal(create_vsock(), 0);
	fake_negotiate(f.dev, VERSION_1 | BIT64(VIRTIO_VSOCK_F_SEQPACKET));
	enable(0);
	enable(1);
	fake_driver_ok(f.dev);
	assert_true(vhost_side.running);
	assert_int_equal(vhost_side.features,
			 VERSION_1 | BIT64(VIRTIO_VSOCK_F_SEQPACKET));
	virtio_device_pause(&f.dev->base);
	assert_false(vhost_side.running);
	virtio_device_resume(&f.dev->base);
	assert_true(vhost_side.running);
	virtio_set_status(f.dev, 0);
	assert_false(vhost_side.running);
}

static void test_vsock__waits_for_the_second_queue(void **state)
{
	assert_int_equal(create_vsock(), 0);
	fake_negotiate(f.dev, VERSION_1 | BIT64(VIRTIO_F_RING_RESET));
	enable(0);
	fake_driver_ok(f.dev);
	assert_false(vhost_side.running);
	enable(1);
	assert_true(vhost_side.running);
	/* One that is reset stops both; no error for the driver. */
	virtio_queue_reset(f.dev, &f.dev->queues[0]);
	assert_false(vhost_side.running);
	enable(0);
	assert_true(vhost_side.running);
	assert_false(virtio_get_status(f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_vsock__refused_start_needs_reset(void **state) /* row 16 */
{
	assert_int_equal(create_vsock(), 0);
	vhost_side.backend_error = -EFAULT;
	fake_negotiate(f.dev, VERSION_1);
	enable(0);
	enable(1);
	fake_driver_ok(f.dev);
	assert_true(virtio_get_status(f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_false(vhost_side.running);
}

static void test_vsock__missing_module_is_named(void **state)
{
	vhost_side.open_error = -ENOENT;
	expect_failure(create_vsock(), "load the module vhost_vsock");
	assert_int_equal(f.fake.why.kind, FAILURE_HOST);
}

static void test_vsock__permission_is_named(void **state)
{
	vhost_side.open_error = -EACCES;
	expect_failure(create_vsock(), "no permission for /dev/vhost-vsock");
}

static void test_vsock__cid_in_use_is_named(void **state)
{
	vhost_side.backend_error = -EADDRINUSE;
	expect_failure(create_vsock(), "--vsock 7: another VM has this CID");
}

/* ---- SCSI ---- */

static void test_scsi__target_is_tried_first(void **state)
{
	assert_int_equal(create_scsi(), 0);
	assert_string_equal(vhost_side.path, "/dev/vhost-scsi");
	assert_string_equal(vhost_side.target.vhost_wwpn, WWPN);
	assert_int_equal(vhost_side.target.abi_version, VHOST_SCSI_ABI_VERSION);
	assert_int_equal(vhost_side.nr_endpoints, 1);
	assert_false(vhost_side.has_endpoint);
}

static void test_scsi__missing_target_is_named(void **state)
{
	vhost_side.backend_error = -ENODEV;
	expect_failure(create_scsi(), "scsi:" WWPN ": the host has no vhost");
}

static void test_scsi__has_its_endpoint_while_it_runs(void **state)
{
	assert_int_equal(create_scsi(), 0);
	fake_negotiate(f.dev, VERSION_1);
	/* Firmware sets up the request queue alone. */
	enable(2);
	fake_driver_ok(f.dev);
	assert_true(vhost_side.has_endpoint);
	virtio_set_status(f.dev, 0);
	assert_false(vhost_side.has_endpoint);
}

static void test_scsi__lost_target_needs_reset(void **state)
{
	assert_int_equal(create_scsi(), 0);
	fake_negotiate(f.dev, VERSION_1);
	enable(2);
	vhost_side.backend_error = -ENODEV;
	fake_driver_ok(f.dev);
	assert_true(virtio_get_status(f.dev) & VIRTIO_CONFIG_S_NEEDS_RESET);
	/* It comes back. */
	vhost_side.backend_error = 0;
	virtio_set_status(f.dev, 0);
	fake_negotiate(f.dev, VERSION_1);
	enable(2);
	fake_driver_ok(f.dev);
	assert_true(vhost_side.has_endpoint);
}

static void test_scsi__sizes_cannot_be_changed(void **state)
{
	struct virtio_scsi_config config;
	u32 huge = UINT32_MAX;

	assert_int_equal(create_scsi(), 0);
	virtio_config_write(f.dev,
			    offsetof(struct virtio_scsi_config, sense_size),
			    &huge, sizeof(huge));
	virtio_config_read(f.dev, 0, &config, sizeof(config));
	assert_int_equal(config.sense_size, 96);
	assert_int_equal(config.cdb_size, 32);
	assert_int_equal(config.num_queues, 1);
	assert_int_equal(config.max_target, 255);
}

#define DEVICES_TEST(name)                                                     \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICES_TEST(test_vsock__is_made_only_when_asked_for),
		DEVICES_TEST(test_vsock__tells_its_cid),
		DEVICES_TEST(test_vsock__runs_with_both_queues),
		DEVICES_TEST(test_vsock__waits_for_the_second_queue),
		DEVICES_TEST(test_vsock__refused_start_needs_reset),
		DEVICES_TEST(test_vsock__missing_module_is_named),
		DEVICES_TEST(test_vsock__permission_is_named),
		DEVICES_TEST(test_vsock__cid_in_use_is_named),
		DEVICES_TEST(test_scsi__target_is_tried_first),
		DEVICES_TEST(test_scsi__missing_target_is_named),
		DEVICES_TEST(test_scsi__has_its_endpoint_while_it_runs),
		DEVICES_TEST(test_scsi__lost_target_needs_reset),
		DEVICES_TEST(test_scsi__sizes_cannot_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
