/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * virtio/blk.c and blk_request.c over a real image: every request completes,
 * whatever a guest asks for.
 */
#include "virtio/blk_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"
#include "tests/support/fake_virtio.h"
#include "tests/support/qcow2_image.h"
#include <cmocka.h>

#define SECTORS 128
#define SECTOR ((u32)DISK_SECTOR)
#define RING_SIZE 16
#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE

struct fixture {
	struct fake_guest guest;
	struct fake_transport transport;
	struct fake_ring ring;
	struct fake_ring rings[3]; /* for several queues */
	struct blk *blk;
	bool direct; /* with O_DIRECT */
	enum disk_format format;
	struct blk_options options;
	char path[64];
	int fd;	    /* the image, from outside */
	u64 header; /* guest addresses */
	u64 data;
	u64 status;
};

static struct fixture f;

static void fill_image(void)
{
	u8 bytes[DISK_SECTOR];

	for (unsigned int i = 0; i < SECTORS; i++) {
		memset(bytes, (int)(i + 1), sizeof(bytes));
		assert_int_equal(write(f.fd, bytes, sizeof(bytes)),
				 sizeof(bytes));
	}
}

static void open_disk(bool read_only)
{
	struct failure why = FAILURE_INIT;
	struct disk_config config = {
		.path = f.path,
		.read_only = read_only,
		.direct = f.direct,
		.format = f.format,
	};
	struct disk *disk;
	int err = disk_open(&config, &why, &disk);

	if (f.direct && err == -EINVAL)
		skip(); /* this file system has no O_DIRECT */
	assert_int_equal(err, 0);
	assert_int_equal(blk_create(&f.guest.mem, disk, &f.options, &f.blk), 0);
	fake_transport_init(&f.transport, &f.blk->vdev);
}

static void start_driver(u64 features)
{
	fake_negotiate(&f.blk->vdev, features);
	fake_ring_init(&f.ring, &f.guest, &f.blk->vdev.queues[0], RING_SIZE);
	assert_int_equal(virtio_queue_enable(&f.blk->vdev, f.ring.q), 0);
	fake_driver_ok(&f.blk->vdev);
}

static void start(bool read_only)
{
	open_disk(read_only);
	start_driver(f.blk->vdev.host_features);
}

static int setup(void **state)
{
	f = (struct fixture){
		/* Not in /tmp: that may be a tmpfs, without O_DIRECT. */
		.path = "/var/tmp/lkvm-blk-test-XXXXXX",
		.direct = *state != NULL,
	};
	f.fd = mkostemp(f.path, O_CLOEXEC);
	if (f.fd < 0)
		return -1;
	fill_image();
	fake_guest_init(&f.guest, 4 * MIB);
	f.header = fake_alloc(&f.guest, sizeof(struct virtio_blk_outhdr), 16);
	f.status = fake_alloc(&f.guest, 1, 1);
	f.data = fake_alloc(&f.guest, 256 * KIB, 4096);
	return 0;
}

static int teardown(void **state)
{
	blk_destroy(f.blk);
	fake_guest_release(&f.guest);
	close(f.fd);
	unlink(f.path);
	return 0;
}

/* ---- Requests ---- */

static u8 *guest_data(void)
{
	return fake_ptr(&f.guest, f.data, 256 * KIB);
}

static void put_header(u32 type, u64 sector)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };

	memcpy(fake_ptr(&f.guest, f.header, sizeof(header)), &header,
	       sizeof(header));
	*(u8 *)fake_ptr(&f.guest, f.status, 1) = 0xee;
}

static struct vring_used_elem post_and_wait(void)
{
	struct vring_used_elem elem;

	fake_post(&f.ring, 0);
	virtio_kick(&f.blk->vdev, 0);
	assert_true(fake_wait_used(&f.ring, &elem));
	assert_int_equal(elem.id, 0);
	return elem;
}

static u8 status_now(void)
{
	return *(u8 *)fake_ptr(&f.guest, f.status, 1);
}

/* One request with @len bytes of data in one buffer; returns its status. */
static u8 request(u32 type, u64 sector, u32 len, bool to_guest)
{
	put_header(type, sector);
	fake_desc(&f.ring, 0, f.header, sizeof(struct virtio_blk_outhdr), NEXT,
		  len ? 1 : 2);
	fake_desc(&f.ring, 1, f.data, len, NEXT | (to_guest ? WRITE : 0), 2);
	fake_desc(&f.ring, 2, f.status, 1, WRITE, 0);
	post_and_wait();
	return status_now();
}

static u8 image_byte(u64 offset)
{
	u8 byte = 0;

	assert_int_equal(pread(f.fd, &byte, 1, (off_t)offset), 1);
	return byte;
}

static void test_blk__reads_sectors(void **state)
{
	struct vring_used_elem elem;

	start(false);
	put_header(VIRTIO_BLK_T_IN, 3);
	fake_desc(&f.ring, 0, f.header, 16, NEXT, 1);
	fake_desc(&f.ring, 1, f.data, 2 * SECTOR, NEXT | WRITE, 2);
	fake_desc(&f.ring, 2, f.status, 1, WRITE, 0);
	elem = post_and_wait();

	assert_int_equal(status_now(), VIRTIO_BLK_S_OK);
	assert_int_equal(elem.len, 2 * SECTOR + 1);
	assert_int_equal(guest_data()[0], 4);
	assert_int_equal(guest_data()[2 * SECTOR - 1], 5);
}

static void test_blk__writes_sectors(void **state)
{
	start(false);
	memset(guest_data(), 0xab, SECTOR);
	assert_int_equal(request(VIRTIO_BLK_T_OUT, 7, SECTOR, false),
			 VIRTIO_BLK_S_OK);
	assert_int_equal(image_byte(7 * SECTOR), 0xab);
	assert_int_equal(image_byte(8 * SECTOR), 9);
}

/* 2.7.4: header in three pieces, data and status in one buffer. */
static void test_blk__any_layout(void **state)
{
	start(false);
	put_header(VIRTIO_BLK_T_IN, 1);
	fake_desc(&f.ring, 0, f.header, 1, NEXT, 1);
	fake_desc(&f.ring, 1, f.header + 1, 9, NEXT, 2);
	fake_desc(&f.ring, 2, f.header + 10, 6, NEXT, 3);
	fake_desc(&f.ring, 3, f.data, 100, NEXT | WRITE, 4);
	fake_desc(&f.ring, 4, f.data + 100, SECTOR - 100 + 1, WRITE, 0);
	guest_data()[SECTOR] = 0xee;
	post_and_wait();
	assert_int_equal(guest_data()[SECTOR], VIRTIO_BLK_S_OK);
	assert_int_equal(guest_data()[0], 2);
	assert_int_equal(guest_data()[SECTOR - 1], 2);
}

static void test_blk__header_and_data_in_one_buffer(void **state)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT,
					    .sector = 2 };

	start(false);
	memcpy(guest_data(), &header, sizeof(header));
	memset(guest_data() + sizeof(header), 0xcd, SECTOR);
	fake_desc(&f.ring, 0, f.data, sizeof(header) + SECTOR, NEXT, 1);
	fake_desc(&f.ring, 1, f.status, 1, WRITE, 0);
	post_and_wait();
	assert_int_equal(status_now(), VIRTIO_BLK_S_OK);
	assert_int_equal(image_byte(2 * SECTOR), 0xcd);
	assert_int_equal(image_byte(3 * SECTOR - 1), 0xcd);
}

/* ---- What a guest must not get away with ---- */

static void test_blk__read_past_capacity_fails(void **state) /* S1 */
{
	start(true);
	assert_int_equal(request(VIRTIO_BLK_T_IN, SECTORS, SECTOR, true),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(VIRTIO_BLK_T_IN, SECTORS - 1, 2 * SECTOR,
				 true),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(VIRTIO_BLK_T_IN, UINT64_MAX, SECTOR, true),
			 VIRTIO_BLK_S_IOERR);
	/* In bytes this one would wrap to the start of the disk. */
	assert_int_equal(request(VIRTIO_BLK_T_IN, 1ULL << 55, SECTOR, true),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(VIRTIO_BLK_T_IN, SECTORS - 1, SECTOR, true),
			 VIRTIO_BLK_S_OK);
}

static void test_blk__write_past_capacity_grows_nothing(void **state)
{
	start(false);
	assert_int_equal(request(VIRTIO_BLK_T_OUT, SECTORS, SECTOR, false),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(lseek(f.fd, 0, SEEK_END), SECTORS * SECTOR);
}

static void test_blk__part_of_a_sector_fails(void **state)
{
	start(false);
	assert_int_equal(request(VIRTIO_BLK_T_IN, 0, SECTOR - 1, true),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(VIRTIO_BLK_T_OUT, 0, 1, false),
			 VIRTIO_BLK_S_IOERR);
}

static void test_blk__unknown_type_is_unsupported(void **state)
{
	start(false);
	assert_int_equal(request(0x1234, 0, SECTOR, true), VIRTIO_BLK_S_UNSUPP);
}

static void test_blk__write_to_read_only_disk_fails(void **state)
{
	start(true);
	assert_int_equal(request(VIRTIO_BLK_T_OUT, 0, SECTOR, false),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(image_byte(0), 1);
}

static void test_blk__short_header_fails(void **state)
{
	start(false);
	put_header(VIRTIO_BLK_T_IN, 0);
	fake_desc(&f.ring, 0, f.header, 15, NEXT, 1);
	fake_desc(&f.ring, 1, f.status, 1, WRITE, 0);
	post_and_wait();
	assert_int_equal(status_now(), VIRTIO_BLK_S_IOERR);
}

static void test_blk__no_status_byte_needs_reset(void **state)
{
	start(false);
	put_header(VIRTIO_BLK_T_IN, 0);
	fake_desc(&f.ring, 0, f.header, 16, 0, 0);
	fake_post(&f.ring, 0);
	virtio_kick(&f.blk->vdev, 0);
	while (!(virtio_get_status(&f.blk->vdev) & VIRTIO_CONFIG_S_NEEDS_RESET))
		usleep(1000);
	/* And a reset revives it. */
	virtio_set_status(&f.blk->vdev, 0);
	start_driver(f.blk->vdev.host_features);
	assert_int_equal(request(VIRTIO_BLK_T_IN, 0, SECTOR, true),
			 VIRTIO_BLK_S_OK);
}

static void test_blk__truncated_image_gives_io_error(void **state)
{
	start(false);
	assert_int_equal(ftruncate(f.fd, SECTOR), 0);
	assert_int_equal(request(VIRTIO_BLK_T_IN, 0, SECTOR, true),
			 VIRTIO_BLK_S_OK);
	assert_int_equal(request(VIRTIO_BLK_T_IN, 0, 2 * SECTOR, true),
			 VIRTIO_BLK_S_IOERR);
}

/* ---- The rest ---- */

static void test_blk__get_id_gives_serial(void **state)
{
	start(false);
	assert_int_equal(request(VIRTIO_BLK_T_GET_ID, 0, 20, true),
			 VIRTIO_BLK_S_OK);
	assert_string_equal((char *)guest_data(),
			    disk_info(f.blk->disk)->serial);
}

static void test_blk__flush_succeeds(void **state)
{
	start(false);
	assert_int_equal(request(VIRTIO_BLK_T_FLUSH, 0, 0, false),
			 VIRTIO_BLK_S_OK);
}

static u8 range_request(u32 type, u64 sector, u32 nr_sectors, u32 flags)
{
	struct virtio_blk_discard_write_zeroes range = {
		.sector = sector,
		.num_sectors = nr_sectors,
		.flags = flags,
	};

	memcpy(guest_data(), &range, sizeof(range));
	return request(type, 0, sizeof(range), false);
}

static void test_blk__write_zeroes(void **state)
{
	start(false);
	for (u32 flags = 0; flags <= 1; flags++) {
		u64 sector = 10 * (flags + 1);

		assert_int_equal(range_request(VIRTIO_BLK_T_WRITE_ZEROES,
					       sector, 3, flags),
				 VIRTIO_BLK_S_OK);
		assert_int_equal(image_byte((sector - 1) * SECTOR), sector);
		assert_int_equal(image_byte(sector * SECTOR), 0);
		assert_int_equal(image_byte((sector + 3) * SECTOR - 1), 0);
		assert_int_equal(image_byte((sector + 3) * SECTOR), sector + 4);
	}
}

static void test_blk__discard_is_bounded(void **state)
{
	start(false);
	assert_int_equal(range_request(VIRTIO_BLK_T_DISCARD, 8, 8, 0),
			 VIRTIO_BLK_S_OK);
	assert_int_equal(image_byte(16 * SECTOR), 17);
	assert_int_equal(range_request(VIRTIO_BLK_T_DISCARD, 0, 8, 1),
			 VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(range_request(VIRTIO_BLK_T_DISCARD, 1, SECTORS, 0),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(range_request(VIRTIO_BLK_T_WRITE_ZEROES, UINT64_MAX,
				       UINT32_MAX, 0),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(VIRTIO_BLK_T_DISCARD, 0, 8, false),
			 VIRTIO_BLK_S_IOERR);
}

static void test_blk__discard_must_be_negotiated(void **state)
{
	open_disk(false);
	start_driver(BIT64(VIRTIO_F_VERSION_1));
	assert_int_equal(range_request(VIRTIO_BLK_T_DISCARD, 8, 8, 0),
			 VIRTIO_BLK_S_UNSUPP);
	/* Without FLUSH: writes are stable, and still complete. */
	assert_int_equal(request(VIRTIO_BLK_T_OUT, 0, SECTOR, false),
			 VIRTIO_BLK_S_OK);
}

static void test_blk__serves_a_full_ring_with_one_kick(void **state)
{
	struct vring_used_elem elem;

	start(false);
	for (unsigned int round = 0; round < 500; round++) {
		put_header(VIRTIO_BLK_T_IN, round % SECTORS);
		fake_desc(&f.ring, 0, f.header, 16, NEXT, 1);
		fake_desc(&f.ring, 1, f.data, SECTOR, NEXT | WRITE, 2);
		fake_desc(&f.ring, 2, f.status, 1, WRITE, 0);
		for (unsigned int i = 0; i < RING_SIZE; i++)
			fake_post(&f.ring, 0);
		virtio_kick(&f.blk->vdev, 0);
		for (unsigned int i = 0; i < RING_SIZE; i++)
			assert_true(fake_wait_used(&f.ring, &elem));
		assert_int_equal(guest_data()[0], round % SECTORS + 1);
	}
}

static void test_blk__reset_and_pause_while_busy(void **state)
{
	struct vring_used_elem elem;

	open_disk(false);
	for (unsigned int round = 0; round < 200; round++) {
		f.guest.next = f.data + 256 * KIB;
		start_driver(f.blk->vdev.host_features);
		put_header(VIRTIO_BLK_T_IN, 0);
		fake_desc(&f.ring, 0, f.header, 16, NEXT, 1);
		fake_desc(&f.ring, 1, f.data, SECTOR, NEXT | WRITE, 2);
		fake_desc(&f.ring, 2, f.status, 1, WRITE, 0);
		for (unsigned int i = 0; i < RING_SIZE; i++)
			fake_post(&f.ring, 0);
		virtio_kick(&f.blk->vdev, 0);
		if (round % 2) {
			/* What the pause left is served after it. */
			virtio_device_pause(&f.blk->vdev.base);
			virtio_device_resume(&f.blk->vdev.base);
			for (unsigned int i = 0; i < RING_SIZE; i++)
				assert_true(fake_wait_used(&f.ring, &elem));
		}
		virtio_set_status(&f.blk->vdev, 0);
		/* The ring is the driver's again. */
		memset(f.ring.used, 0, sizeof(*f.ring.used));
		memset(f.ring.avail, 0, sizeof(*f.ring.avail));
	}
}

static void test_blk__reset_waits_for_what_is_in_flight(void **state)
{
	u16 used;

	f.options.delay_ns = 30000000;
	start(false);
	put_header(VIRTIO_BLK_T_IN, 0);
	fake_desc(&f.ring, 0, f.header, 16, NEXT, 1);
	fake_desc(&f.ring, 1, f.data, SECTOR, NEXT | WRITE, 2);
	fake_desc(&f.ring, 2, f.status, 1, WRITE, 0);
	fake_post(&f.ring, 0);
	virtio_kick(&f.blk->vdev, 0);
	usleep(10000);
	virtio_set_status(&f.blk->vdev, 0);
	/* From here on the memory is the driver's. */
	used = f.ring.used->idx;
	guest_data()[0] = 0;
	usleep(60000);
	assert_int_equal(f.ring.used->idx, used);
	assert_int_equal(guest_data()[0], 0);
}

static void test_blk__config_describes_the_disk(void **state)
{
	struct virtio_blk_config config;

	open_disk(true);
	virtio_config_read(&f.blk->vdev, 0, &config, sizeof(config));
	assert_int_equal(config.capacity, SECTORS);
	assert_int_equal(config.blk_size, 512);
	assert_int_equal(config.seg_max, BLK_SEG_MAX);
	assert_true(f.blk->vdev.host_features & BIT64(VIRTIO_BLK_F_RO));
	assert_false(f.blk->vdev.host_features & BIT64(VIRTIO_BLK_F_DISCARD));
}

/* ---- Several queues ---- */

#define QUEUES 3

static void test_blk__several_queues(void **state)
{
	struct virtio_blk_config config;
	struct virtio_device *vdev;
	u64 status[QUEUES], data[QUEUES];

	f.options.queues = QUEUES;
	open_disk(false);
	vdev = &f.blk->vdev;
	virtio_config_read(vdev, 0, &config, sizeof(config));
	assert_int_equal(config.num_queues, QUEUES);
	assert_true(vdev->host_features & BIT64(VIRTIO_BLK_F_MQ));
	fake_negotiate(vdev, vdev->host_features);
	/* The driver leaves the middle one alone. */
	for (unsigned int i = 0; i < QUEUES; i += 2) {
		struct fake_ring *ring = &f.rings[i];

		fake_ring_init(ring, &f.guest, &vdev->queues[i], RING_SIZE);
		assert_int_equal(virtio_queue_enable(vdev, ring->q), 0);
		status[i] = fake_alloc(&f.guest, 1, 1);
		data[i] = fake_alloc(&f.guest, SECTOR, 16);
	}
	fake_driver_ok(vdev);
	put_header(VIRTIO_BLK_T_IN, 9);
	for (unsigned int i = 0; i < QUEUES; i += 2) {
		struct fake_ring *ring = &f.rings[i];

		fake_desc(ring, 0, f.header, 16, NEXT, 1);
		fake_desc(ring, 1, data[i], SECTOR, NEXT | WRITE, 2);
		fake_desc(ring, 2, status[i], 1, WRITE, 0);
		fake_post(ring, 0);
		virtio_kick(vdev, i);
	}
	for (unsigned int i = 0; i < QUEUES; i += 2) {
		struct vring_used_elem elem;

		assert_true(fake_wait_used(&f.rings[i], &elem));
		assert_int_equal(*(u8 *)fake_ptr(&f.guest, data[i], 1), 10);
	}
}

static void test_blk__one_queue_is_no_multiqueue(void **state)
{
	open_disk(false);
	assert_false(f.blk->vdev.host_features & BIT64(VIRTIO_BLK_F_MQ));
}

/* ---- The cache ---- */

/* A qcow2 image whose L1 entry shows whether a write was made stable. */
static u64 l1_entry_after_write(u64 sector)
{
	memset(guest_data(), 0x5a, SECTOR);
	assert_int_equal(request(VIRTIO_BLK_T_OUT, sector, SECTOR, false),
			 VIRTIO_BLK_S_OK);
	return qcow2_image_get64(f.fd, 3ULL * 65536);
}

static void set_writeback(u8 value)
{
	virtio_config_write(&f.blk->vdev,
			    offsetof(struct virtio_blk_config, wce), &value, 1);
}

static void start_qcow2(u64 without)
{
	const struct qcow2_spec spec = { 3, 16, 4, MIB };

	assert_int_equal(ftruncate(f.fd, 0), 0);
	qcow2_image_create(f.fd, &spec);
	f.format = DISK_FORMAT_QCOW2;
	open_disk(false);
	start_driver(f.blk->vdev.host_features & ~without);
}

static void test_blk__writeback_cache_waits_for_flush(void **state)
{
	start_qcow2(0);
	assert_int_equal(l1_entry_after_write(0), 0);
	assert_int_equal(request(VIRTIO_BLK_T_FLUSH, 0, 0, false),
			 VIRTIO_BLK_S_OK);
	assert_int_not_equal(qcow2_image_get64(f.fd, 3ULL * 65536), 0);
}

static void test_blk__write_through_is_stable_at_once(void **state)
{
	struct virtio_blk_config config;

	start_qcow2(0);
	set_writeback(0);
	virtio_config_read(&f.blk->vdev, 0, &config, sizeof(config));
	assert_int_equal(config.wce, 0);
	assert_int_not_equal(l1_entry_after_write(0), 0);
	/* A reset is a new driver: back to the default. */
	virtio_set_status(&f.blk->vdev, 0);
	virtio_config_read(&f.blk->vdev, 0, &config, sizeof(config));
	assert_int_equal(config.wce, 1);
}

static void test_blk__driver_without_flush_gets_write_through(void **state)
{
	start_qcow2(BIT64(VIRTIO_BLK_F_FLUSH));
	assert_int_not_equal(l1_entry_after_write(0), 0);
}

#define BLK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* The same test through the page cache and with O_DIRECT. */
#define BOTH_WAYS(name)                                                        \
	{ #name " (cached)", name, setup, teardown, NULL },                    \
	{                                                                      \
#name " (direct)", name, setup, teardown, &direct_mode         \
	}

int main(void)
{
	static bool direct_mode = true;
	const struct CMUnitTest tests[] = {
		BOTH_WAYS(test_blk__reads_sectors),
		BOTH_WAYS(test_blk__writes_sectors),
		BOTH_WAYS(test_blk__any_layout),
		BOTH_WAYS(test_blk__header_and_data_in_one_buffer),
		BOTH_WAYS(test_blk__read_past_capacity_fails),
		BLK_TEST(test_blk__write_past_capacity_grows_nothing),
		BLK_TEST(test_blk__part_of_a_sector_fails),
		BLK_TEST(test_blk__unknown_type_is_unsupported),
		BLK_TEST(test_blk__write_to_read_only_disk_fails),
		BLK_TEST(test_blk__short_header_fails),
		BLK_TEST(test_blk__no_status_byte_needs_reset),
		BOTH_WAYS(test_blk__truncated_image_gives_io_error),
		BLK_TEST(test_blk__get_id_gives_serial),
		BOTH_WAYS(test_blk__flush_succeeds),
		BOTH_WAYS(test_blk__write_zeroes),
		BLK_TEST(test_blk__discard_is_bounded),
		BOTH_WAYS(test_blk__discard_must_be_negotiated),
		BOTH_WAYS(test_blk__serves_a_full_ring_with_one_kick),
		BOTH_WAYS(test_blk__reset_and_pause_while_busy),
		BLK_TEST(test_blk__reset_waits_for_what_is_in_flight),
		BLK_TEST(test_blk__config_describes_the_disk),
		BOTH_WAYS(test_blk__several_queues),
		BLK_TEST(test_blk__one_queue_is_no_multiqueue),
		BLK_TEST(test_blk__writeback_cache_waits_for_flush),
		BLK_TEST(test_blk__write_through_is_stable_at_once),
		BLK_TEST(test_blk__driver_without_flush_gets_write_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
