/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend/disk_qcow2*.c against a flat model, on images of every kind; what the
 * file holds is checked by code that shares nothing with it, also after
 * simulated crashes, and by qemu-img in disk_qcow2_qemu_test.c.
 */
#include "backend/disk_qcow2_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/config.h"
#include "lkvm/failure.h"
#include "tests/support/fake_disk_file.h"
#include "tests/support/qcow2_image.h"
#include "tests/support/shell.h"
#include <cmocka.h>

#define SECTOR ((u64)DISK_SECTOR)
#define MAX_SECTORS 65536U
#define MAX_REQUEST (64 * KIB)
/* Values that a sector may have after a crash: the last ones written. */
#define HISTORY 6U

struct sector {
	u32 values[HISTORY]; /* values[nr - 1]: what a reader sees */
	u8 nr;
};

struct fixture {
	struct qcow2_spec spec;
	int fd;
	struct fake_disk_file *file; /* the disk's, while it is open */
	struct failure why;
	struct disk *disk;
	struct disk_queue *queue;
	struct sector *model;
	u64 sectors;
	u32 next_value;
	unsigned int seed;
	u8 *buffer;
	int result;
};

static struct fixture f;

/* ---- Opening and closing ---- */

static int open_fd(int fd, bool read_only)
{
	struct disk_config config = {
		.path = "image",
		.format = DISK_FORMAT_QCOW2,
		.read_only = read_only,
	};
	int err;

	f.file = fake_disk_file_create(fd, read_only);
	err = disk_qcow2_open(&f.file->disk, &config, &f.why, &f.disk);
	if (err)
		return err;
	return disk_queue_create(f.disk, -1, &f.queue);
}

static void close_disk(void)
{
	disk_queue_destroy(f.queue);
	disk_close(f.disk);
	f.queue = NULL;
	f.disk = NULL;
}

static void create_image(u32 version, u32 cluster_bits, u32 refcount_order,
			 u64 len)
{
	f.spec = (struct qcow2_spec){ version, cluster_bits, refcount_order,
				      len };
	f.fd = memfd_create("image", MFD_CLOEXEC);
	assert_true(f.fd >= 0);
	qcow2_image_create(f.fd, &f.spec);
	f.sectors = len / SECTOR;
	assert_true(f.sectors <= MAX_SECTORS);
	memset(f.model, 0, f.sectors * sizeof(*f.model));
	for (u64 i = 0; i < f.sectors; i++)
		f.model[i].nr = 1;
}

static void open_image(void)
{
	if (open_fd(f.fd, false))
		fail_msg("%s", f.why.text);
	assert_int_equal(disk_info(f.disk)->len, f.spec.len);
}

static int setup(void **state)
{
	f = (struct fixture){
		.why = FAILURE_INIT,
		.fd = -1,
		.model = calloc(MAX_SECTORS, sizeof(struct sector)),
		.buffer = aligned_alloc(4096, MAX_REQUEST),
		.seed = 1,
	};
	return f.model && f.buffer ? 0 : -1;
}

static int teardown(void **state)
{
	close_disk();
	if (f.fd >= 0)
		close(f.fd);
	free(f.model);
	free(f.buffer);
	return 0;
}

/* ---- Requests ---- */

static void done(struct disk_request *req, int err)
{
	f.result = err;
}

static int run(struct disk_request *req)
{
	f.result = -EINPROGRESS;
	req->done = done;
	disk_submit(f.queue, req);
	disk_commit(f.queue);
	assert_int_not_equal(f.result, -EINPROGRESS);
	return f.result;
}

/* In up to three buffers, the middle one empty. */
static int transfer(enum disk_op op, u64 sector, u64 nr)
{
	u64 len = nr * SECTOR, cut = (u64)rand_r(&f.seed) % (len + 1);
	struct iovec iov[3] = {
		{ f.buffer, cut },
		{ f.buffer, 0 },
		{ f.buffer + cut, len - cut },
	};
	struct disk_request req = {
		.op = op,
		.offset = sector * SECTOR,
		.len = len,
		.iov = iov,
		.nr_iov = 3,
	};

	return run(&req);
}

static int change(enum disk_op op, u64 sector, u64 nr, bool may_unmap)
{
	struct disk_request req = {
		.op = op,
		.offset = sector * SECTOR,
		.len = nr * SECTOR,
		.may_unmap = may_unmap,
	};

	return run(&req);
}

static void fill_sector(u8 *sector, u32 value)
{
	for (u64 i = 0; i < SECTOR; i += sizeof(value))
		memcpy(sector + i, &value, sizeof(value));
}

static u32 sector_value(const u8 *sector)
{
	u32 first, value;

	memcpy(&first, sector, sizeof(first));
	for (u64 i = 0; i < SECTOR; i += sizeof(value)) {
		memcpy(&value, sector + i, sizeof(value));
		assert_int_equal(value, first);
	}
	return first;
}

/* ---- The model ---- */

static void model_set(u64 sector, u32 value)
{
	struct sector *s = &f.model[sector];

	if (s->nr == HISTORY)
		fail_msg("the test keeps too little history");
	s->values[s->nr++] = value;
}

/* A flush: what a reader sees is what a crash leaves. */
static void model_flush(void)
{
	for (u64 i = 0; i < f.sectors; i++) {
		struct sector *s = &f.model[i];

		s->values[0] = s->values[s->nr - 1];
		s->nr = 1;
	}
}

static u32 model_now(u64 sector)
{
	return f.model[sector].values[f.model[sector].nr - 1];
}

static bool has_room(u64 sector, u64 nr)
{
	for (u64 i = sector; i < sector + nr; i++)
		if (f.model[i].nr == HISTORY)
			return false;
	return true;
}

static void flush(void)
{
	assert_int_equal(change(DISK_FLUSH, 0, 0, false), 0);
	model_flush();
}

static void write_sectors(u64 sector, u64 nr)
{
	for (u64 i = 0; i < nr; i++) {
		fill_sector(f.buffer + i * SECTOR, ++f.next_value);
		model_set(sector + i, f.next_value);
	}
	assert_int_equal(transfer(DISK_WRITE, sector, nr), 0);
}

static void check_sectors(u64 sector, u64 nr)
{
	memset(f.buffer, 0xee, nr * SECTOR);
	assert_int_equal(transfer(DISK_READ, sector, nr), 0);
	for (u64 i = 0; i < nr; i++)
		assert_int_equal(sector_value(f.buffer + i * SECTOR),
				 model_now(sector + i));
}

static void zero_sectors(u64 sector, u64 nr, bool may_unmap)
{
	for (u64 i = sector; i < sector + nr; i++)
		model_set(i, 0);
	assert_int_equal(change(DISK_WRITE_ZEROES, sector, nr, may_unmap), 0);
}

/* Whole clusters read as zeroes, parts stay what they are. */
static void discard_sectors(u64 sector, u64 nr)
{
	u64 per_cluster = BIT64(f.spec.cluster_bits) / SECTOR;
	u64 first = align_up(sector, per_cluster), end = sector + nr;

	if (end != f.sectors)
		end = align_down(end, per_cluster);
	for (u64 i = first; i < end; i++)
		model_set(i, 0);
	assert_int_equal(change(DISK_DISCARD, sector, nr, false), 0);
}

static void check_all(void)
{
	for (u64 at = 0; at < f.sectors; at += MAX_REQUEST / SECTOR)
		check_sectors(at, f.sectors - at < MAX_REQUEST / SECTOR
					  ? f.sectors - at
					  : MAX_REQUEST / SECTOR);
}

/* Something random; requests of all lengths up to MAX_REQUEST. */
static void random_step(void)
{
	u64 sector = (u64)rand_r(&f.seed) % f.sectors;
	u64 most = MAX_REQUEST / SECTOR >> rand_r(&f.seed) % 7;
	u64 nr = 1 + (u64)rand_r(&f.seed) % most;
	unsigned int what = (unsigned int)rand_r(&f.seed) % 16;

	if (nr > f.sectors - sector)
		nr = f.sectors - sector;
	if (!has_room(sector, nr))
		flush();
	if (what < 8)
		write_sectors(sector, nr);
	else if (what < 11)
		check_sectors(sector, nr);
	else if (what < 13)
		zero_sectors(sector, nr, what & 1);
	else if (what < 15)
		discard_sectors(sector, nr);
	else
		flush();
}

/* ---- What is in the file ---- */

static void check_file(int fd, bool leaks_are_fine)
{
	struct qcow2_findings found;

	qcow2_image_check(fd, &found);
	if (found.errors)
		fail_msg("%u errors: %s", found.errors, found.first_error);
	if (!leaks_are_fine)
		assert_int_equal(found.leaks, 0);
}

static void check_reopened(void)
{
	void (*on_flush)(struct fake_disk_file *) = f.file->on_flush;

	close_disk();
	model_flush();
	check_file(f.fd, false);
	open_image();
	check_all();
	f.file->on_flush = on_flush;
}

static bool may_be(const struct sector *s, u32 value)
{
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->values[i] == value)
			return true;
	return false;
}

/*
 * What a crash leaves is whole, holds all that was flushed, and can be written
 * to again.
 */
static void check_crashed(int fd)
{
	u64 step = MAX_REQUEST / SECTOR;

	check_file(fd, true);
	f.disk = NULL;
	f.queue = NULL;
	assert_int_equal(open_fd(fd, false), 0);
	for (u64 at = 0; at < f.sectors; at += step) {
		u64 nr = f.sectors - at < step ? f.sectors - at : step;

		assert_int_equal(transfer(DISK_READ, at, nr), 0);
		for (u64 i = 0; i < nr; i++) {
			u32 value = sector_value(f.buffer + i * SECTOR);

			if (!may_be(&f.model[at + i], value))
				fail_msg("sector %llu is %u, and was never so "
					 "since the flush that made it %u",
					 (unsigned long long)(at + i), value,
					 f.model[at + i].values[0]);
		}
	}
	memset(f.buffer, 0x77, SECTOR);
	assert_int_equal(transfer(DISK_WRITE, f.sectors / 2, 1), 0);
	close_disk();
	check_file(fd, true);
	close(fd);
}

/* Now and then qemu-img has to agree. */
static void ask_qemu(int fd)
{
	static unsigned int crashes;
	char command[128];
	int status;

	if (crashes++ % 40)
		return;
	snprintf(command, sizeof(command),
		 "qemu-img check -f qcow2 /proc/%d/fd/%d >/dev/null 2>&1",
		 (int)getpid(), fd);
	status = shell(command);
	/* 3: leaks; 127: it is not there. */
	assert_true(status == 0 || status == 3 || status == 127);
}

static void crash(struct fake_disk_file *file)
{
	struct fixture before = f;
	bool killed = rand_r(&f.seed) % 2;
	int fd;

	/* The request that is under way goes on with its own buffer. */
	f.buffer = aligned_alloc(4096, MAX_REQUEST);
	fd = fake_disk_file_crash(file, &f.seed, killed);
	ask_qemu(fd);
	check_crashed(fd);
	free(f.buffer);
	before.seed = f.seed;
	f = before;
}

/* ---- Against the model ---- */

static void run_random(unsigned int steps, unsigned int crash_every)
{
	f.file->on_flush = crash_every ? crash : NULL;
	for (unsigned int i = 1; i <= steps; i++) {
		random_step();
		if (crash_every && i % crash_every == 0)
			crash(f.file);
		if (i % (steps / 3) == 0)
			check_reopened();
	}
}

static u64 len_for(u32 cluster_bits)
{
	if (cluster_bits < 12)
		return 700 * SECTOR; /* no whole number of clusters */
	return cluster_bits < 18 ? 3 * MIB : 24 * MIB - 7 * SECTOR;
}

static void test_qcow2__every_cluster_size(void **state)
{
	for (u32 bits = QCOW2_MIN_CLUSTER_BITS; bits <= QCOW2_MAX_CLUSTER_BITS;
	     bits++) {
		create_image(bits % 2 ? 3 : 2, bits, 4, len_for(bits));
		open_image();
		run_random(120, 0);
		close_disk();
		close(f.fd);
	}
	f.fd = -1;
}

static void test_qcow2__every_refcount_width(void **state)
{
	for (u32 order = 0; order <= 6; order++) {
		create_image(3, 9, order, 8000 * SECTOR);
		open_image();
		run_random(300, 0);
		close_disk();
		close(f.fd);
	}
	f.fd = -1;
}

static void test_qcow2__crashes(void **state)
{
	static const u32 bits[] = { 9, 10, 12, 16 };

	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		create_image(i % 2 ? 2 : 3, bits[i], i % 2 ? 4 : 6 - i,
			     len_for(bits[i]));
		open_image();
		run_random(150, 3);
		close_disk();
		close(f.fd);
	}
	f.fd = -1;
}

/* In clusters of 512 bytes the refcount table soon has to move. */
static void test_qcow2__refcount_table_grows(void **state)
{
	struct qcow2_findings found;

	create_image(3, 9, 6, 20000 * SECTOR);
	open_image();
	f.file->on_flush = crash;
	for (u64 at = 0; at < f.sectors; at += 100)
		write_sectors(at, 100);
	assert_true(qcow2_image_get64(f.fd, 48) != 512);
	check_reopened();
	qcow2_image_check(f.fd, &found);
	assert_int_equal(found.mapped, f.sectors);
}

/* A table in a cluster that had data: nobody may ever see that as entries. */
static void test_qcow2__new_tables_in_old_clusters(void **state)
{
	create_image(3, 9, 4, 8000 * SECTOR);
	open_image();
	f.file->on_flush = crash;
	for (unsigned int round = 0; round < 4; round++) {
		u64 start = round * 2000;

		for (u64 at = 0; at < 1000; at += 100)
			write_sectors(start + at, 100);
		discard_sectors(start, 1000);
		flush();
		/* One in each table of 64. */
		for (u64 at = 1024; at < 2000; at += 64)
			write_sectors(start + at, 1);
		flush();
	}
	check_reopened();
}

static void test_qcow2__full_host_is_an_error(void **state)
{
	create_image(3, 12, 4, 2 * MIB);
	open_image();
	write_sectors(0, 64);
	flush();
	for (unsigned int i = 1; i < 12; i++) {
		f.file->fail_at = f.file->changes + i;
		/* The first thing that fails: the write, or its flush. */
		memset(f.buffer, 0x11, 32 * SECTOR);
		if (!transfer(DISK_WRITE, 1000 + i * 64, 32) &&
		    i < f.file->changes)
			assert_int_not_equal(change(DISK_FLUSH, 0, 0, false),
					     1);
		f.file->fail_at = 0;
		check_sectors(0, 64);
	}
	assert_int_equal(change(DISK_FLUSH, 0, 0, false), 0);
	close_disk();
	check_file(f.fd, true);
}

static void test_qcow2__discard_gives_space_back(void **state)
{
	struct qcow2_findings found;
	struct stat before, after;

	create_image(3, 16, 4, 4 * MIB);
	open_image();
	for (u64 at = 0; at < f.sectors; at += 128)
		write_sectors(at, 128);
	flush();
	fstat(f.fd, &before);
	discard_sectors(0, f.sectors);
	flush();
	/* And takes the freed clusters before it grows the file. */
	for (u64 at = 0; at < f.sectors; at += 128)
		write_sectors(at, 128);
	check_reopened();
	fstat(f.fd, &after);
	assert_int_equal(after.st_size, before.st_size);
	qcow2_image_check(f.fd, &found);
	assert_int_equal(found.mapped, 64);
}

static void test_qcow2__zeroes_keep_space_unless_told(void **state)
{
	struct qcow2_findings found;

	create_image(3, 16, 4, MIB);
	open_image();
	write_sectors(0, 128);
	write_sectors(128, 128);
	zero_sectors(0, 128, false);
	zero_sectors(128, 128, true);
	check_reopened();
	qcow2_image_check(f.fd, &found);
	assert_int_equal(found.mapped, 1);
	write_sectors(5, 1);
	check_reopened();
	qcow2_image_check(f.fd, &found);
	assert_int_equal(found.mapped, 1);
}

/* ---- Headers ---- */

static void refuse_image(const char *text)
{
	struct failure none = FAILURE_INIT;

	f.why = none;
	assert_true(open_fd(f.fd, false) < 0);
	assert_null(f.disk);
	if (!strstr(f.why.text, text))
		fail_msg("'%s' is not in: %s", text, f.why.text);
}

struct bad_field {
	u64 at;
	unsigned int bytes;
	u64 value;
	const char *text;
};

static void test_qcow2_header__refuses_bad_fields(void **state)
{
	static const struct bad_field fields[] = {
		{ 0, 4, 0, "no qcow2" },
		{ 4, 4, 1, "version 1" },
		{ 4, 4, 4, "version 4" },
		{ 8, 8, 200000, "backing_file_size" },
		{ 20, 4, 8, "cluster_bits" },
		{ 20, 4, 22, "cluster_bits" },
		{ 20, 4, UINT32_MAX, "cluster_bits" },
		{ 24, 8, UINT64_MAX, "size" },
		{ 24, 8, 1ULL << 50, "l1_size" },
		{ 24, 8, 0, "is empty" },
		{ 32, 4, 1, "encryption" },
		{ 32, 4, 2, "encryption" },
		{ 36, 4, 0, "l1_size" },
		{ 36, 4, UINT32_MAX, "l1_size" },
		{ 40, 8, 0, "l1_table_offset" },
		{ 40, 8, 512, "l1_table_offset" },
		{ 40, 8, 1ULL << 40, "l1_table_offset" },
		{ 40, 8, UINT64_MAX << 16, "l1_table_offset" },
		{ 48, 8, 0, "refcount_table_offset" },
		{ 48, 8, 1, "refcount_table_offset" },
		{ 48, 8, 1ULL << 40, "refcount_table_offset" },
		{ 56, 4, 0, "refcount_table_clusters" },
		{ 56, 4, UINT32_MAX, "refcount_table_clusters" },
		{ 60, 4, UINT32_MAX, "nb_snapshots" },
		{ 60, 4, 1, "snapshots_offset" },
		{ 72, 8, 1, "qemu-img check -r all" },
		{ 72, 8, 2, "marked as damaged" },
		{ 72, 8, 4, "external data file" },
		{ 72, 8, 8, "zstd" },
		{ 72, 8, 16, "extended L2" },
		{ 72, 8, 1ULL << 40, "incompatible feature 40" },
		{ 96, 4, 7, "refcount_order" },
		{ 100, 4, 96, "header_length" },
		{ 100, 4, 105, "header_length" },
		{ 100, 4, UINT32_MAX, "header_length" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct bad_field *field = &fields[i];

		create_image(3, 16, 4, 4 * MIB);
		if (field->bytes == 4)
			qcow2_image_put32(f.fd, field->at, (u32)field->value);
		else
			qcow2_image_put64(f.fd, field->at, field->value);
		refuse_image(field->text);
		close(f.fd);
	}
	f.fd = -1;
}

static void test_qcow2_header__names_unknown_features(void **state)
{
	create_image(3, 16, 4, 4 * MIB);
	qcow2_image_put64(f.fd, 72, BIT64(5));
	qcow2_image_put32(f.fd, 104, 0x6803f857);
	qcow2_image_put32(f.fd, 108, 48);
	assert_int_equal(pwrite(f.fd, "\0\5time travel", 13, 112), 13);
	refuse_image("'time travel'");
}

static void test_qcow2_header__truncated(void **state)
{
	for (unsigned int len = 0; len < 104; len++) {
		create_image(3, 16, 4, 4 * MIB);
		assert_int_equal(ftruncate(f.fd, len), 0);
		refuse_image("");
		close(f.fd);
	}
	f.fd = -1;
}

static void test_qcow2_header__backing_has_to_be_allowed(void **state)
{
	create_image(3, 16, 4, 4 * MIB);
	qcow2_image_put64(f.fd, 8, 1000);
	qcow2_image_put32(f.fd, 16, 11);
	assert_int_equal(pwrite(f.fd, "/etc/passwd", 11, 1000), 11);
	refuse_image("/etc/passwd");
}

static void test_qcow2__damaged_can_be_read(void **state)
{
	create_image(3, 16, 4, MIB);
	qcow2_image_put64(f.fd, 72, 3);
	assert_int_equal(open_fd(f.fd, true), 0);
	check_all();
	assert_int_equal(change(DISK_WRITE_ZEROES, 0, 1, true), -EROFS);
}

static void test_qcow2__autoclear_bits_are_cleared(void **state)
{
	create_image(3, 16, 4, MIB);
	qcow2_image_put64(f.fd, 88, 0x8001);
	assert_int_equal(open_fd(f.fd, true), 0);
	close_disk();
	assert_int_equal(qcow2_image_get64(f.fd, 88), 0x8001);
	open_image();
	assert_int_equal(qcow2_image_get64(f.fd, 88), 0);
}

/* ---- Bad tables ---- */

static void check_io_error(u64 sector)
{
	assert_int_equal(transfer(DISK_READ, sector, 1), -EIO);
	assert_int_equal(transfer(DISK_WRITE, sector, 1), -EIO);
	assert_int_equal(transfer(DISK_WRITE, sector, 128), -EIO);
	assert_true(transfer(DISK_READ, 1024, 1) == 0);
}

static void test_qcow2__bad_l1_entries(void **state)
{
	static const u64 entries[] = {
		1ULL << 40,	    /* far away */
		0x8000000000000201, /* not aligned */
		0x8000000000000000, /* COPIED, nowhere */
		1ULL << 62,	    /* reserved bit */
		UINT64_MAX,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++) {
		create_image(3, 9, 4, 16 * MIB);
		qcow2_image_put64(f.fd, 3ULL * 512, entries[i]);
		open_image();
		check_io_error(0);
		close_disk();
		close(f.fd);
	}
	f.fd = -1;
}

static void test_qcow2__bad_l2_entries(void **state)
{
	static const u64 entries[] = {
		1ULL << 40,	    /* far away */
		0x8000000000000000, /* COPIED, nowhere */
		0x10002,	    /* reserved bit */
		0x0100000000010000, /* reserved bit */
		0x18000,	    /* not aligned */
		UINT64_MAX,
		0x4000000000000000, /* compressed, in the header */
		0x7fffffffffffffff, /* compressed, far away */
		0x4000000000040000, /* compressed, no deflate stream */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++) {
		create_image(3, 16, 4, 2 * MIB);
		open_image();
		write_sectors(0, 1);
		write_sectors(1024, 1);
		close_disk();
		/* The table follows the first data cluster. */
		qcow2_image_put64(
			f.fd, qcow2_image_get64(f.fd, 3 * 65536) & QCOW2_OFFSET,
			entries[i]);
		open_image();
		assert_int_equal(transfer(DISK_READ, 0, 1), -EIO);
		assert_int_equal(transfer(DISK_READ, 1024, 1), 0);
		if (!(entries[i] & QCOW2_COMPRESSED))
			assert_int_equal(transfer(DISK_WRITE, 0, 1), -EIO);
		close_disk();
		close(f.fd);
	}
	f.fd = -1;
}

/* Refcounts of 0 everywhere: allocation takes what is in use, and no more. */
static void test_qcow2__lying_refcounts_do_no_harm(void **state)
{
	create_image(3, 9, 4, MIB);
	assert_int_equal(ftruncate(f.fd, 512 * 4), 0);
	for (unsigned int i = 0; i < 64; i++)
		qcow2_image_put64(f.fd, 1024 + i * 8, 0);
	open_image();
	for (u64 at = 0; at < 512; at += 32) {
		memset(f.buffer, 0xff, 32 * SECTOR);
		transfer(DISK_WRITE, at, 32);
		transfer(DISK_READ, at, 32);
		change(DISK_DISCARD, at, 16, false);
	}
	change(DISK_FLUSH, 0, 0, false);
}

#define QCOW2_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QCOW2_TEST(test_qcow2__every_cluster_size),
		QCOW2_TEST(test_qcow2__every_refcount_width),
		QCOW2_TEST(test_qcow2__crashes),
		QCOW2_TEST(test_qcow2__refcount_table_grows),
		QCOW2_TEST(test_qcow2__new_tables_in_old_clusters),
		QCOW2_TEST(test_qcow2__full_host_is_an_error),
		QCOW2_TEST(test_qcow2__discard_gives_space_back),
		QCOW2_TEST(test_qcow2__zeroes_keep_space_unless_told),
		QCOW2_TEST(test_qcow2_header__refuses_bad_fields),
		QCOW2_TEST(test_qcow2_header__names_unknown_features),
		QCOW2_TEST(test_qcow2_header__truncated),
		QCOW2_TEST(test_qcow2_header__backing_has_to_be_allowed),
		QCOW2_TEST(test_qcow2__damaged_can_be_read),
		QCOW2_TEST(test_qcow2__autoclear_bits_are_cleared),
		QCOW2_TEST(test_qcow2__bad_l1_entries),
		QCOW2_TEST(test_qcow2__bad_l2_entries),
		QCOW2_TEST(test_qcow2__lying_refcounts_do_no_harm),
	};

	log_set_level(getenv("V") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
