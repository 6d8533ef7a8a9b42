/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hostile qcow2 image under a hostile guest. The input is a kind of image, the
 * changes made to it before it is opened (or all of its bytes), and what the
 * guest then does. Where nothing was changed the image has to be sound in the
 * end, and reads have to give what was written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "backend/disk_qcow2_priv.h"
#include "lkvm/config.h"
#include "lkvm/failure.h"
#include "tests/support/fake_disk_file.h"
#include "tests/support/fuzz_input.h"
#include "tests/support/qcow2_image.h"

#define DISK_LEN (64 * KIB)
#define MAX_INPUT (16 * KIB)
#define MAX_REQUEST (8 * KIB)
#define MAX_STEPS 64

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

struct machine {
	struct disk *disk;
	struct disk_queue *queue;
	bool sound;	    /* nobody has touched the image */
	u8 model[DISK_LEN]; /* what it holds, while sound */
	u8 buffer[MAX_REQUEST];
};

static void put(int fd, const u8 *data, size_t len, u64 offset)
{
	if (pwrite(fd, data, len, (off_t)offset) != (ssize_t)len)
		abort();
}

/* A valid image, and up to 15 changes. True if there were none. */
static bool create_image(int fd, struct fuzz_input *in)
{
	u64 kind = fuzz_take(in, 2), changes = fuzz_take(in, 1) % 16;
	struct qcow2_spec spec = {
		.version = kind & 1 ? 3 : 2,
		.cluster_bits = 9 + (kind >> 1) % 5,
		.refcount_order = kind & 1 ? (kind >> 4) % 7 : 4,
		.len = DISK_LEN,
	};

	qcow2_image_create(fd, &spec);
	for (u64 i = 0; i < changes; i++) {
		u64 offset = fuzz_take(in, 2), len = 1 + fuzz_take(in, 1) % 16;

		if (len > in->len)
			len = in->len;
		put(fd, in->data, len, offset);
		in->data += len;
		in->len -= len;
	}
	return !changes;
}

/* All bytes are the input's; the guest's part begins behind a length. */
static void copy_image(int fd, struct fuzz_input *in)
{
	u64 len = fuzz_take(in, 2);

	if (len > in->len)
		len = in->len;
	put(fd, in->data, len, 0);
	in->data += len;
	in->len -= len;
}

static struct disk *open_image(int fd, bool read_only)
{
	struct failure why = FAILURE_INIT;
	const struct disk_config config = {
		.path = "image",
		.format = DISK_FORMAT_QCOW2,
		.read_only = read_only,
	};
	struct disk *disk;

	if (disk_qcow2_open(&fake_disk_file_create(fd, read_only)->disk,
			    &config, &why, &disk))
		return NULL;
	/* Said once per image is still too often here. */
	atomic_flag_test_and_set(&disk->qcow2->corrupt_logged.done);
	return disk;
}

/* ---- The guest ---- */

static int result;

static void done(struct disk_request *req, int err)
{
	result = err;
}

static int run(struct machine *m, enum disk_op op, u64 offset, u64 len,
	       bool may_unmap)
{
	struct iovec iov = { m->buffer, len };
	struct disk_request req = {
		.op = op,
		.offset = offset,
		.len = len,
		.may_unmap = may_unmap,
		.iov = &iov,
		.nr_iov = 1,
		.done = done,
	};

	result = 1;
	disk_submit(m->queue, &req);
	if (result > 0 || (m->sound && result))
		abort();
	return result;
}

static void check(const struct machine *m, u64 offset, u64 len)
{
	if (m->sound && memcmp(m->buffer, m->model + offset, len))
		abort();
}

static void step(struct machine *m, struct fuzz_input *in)
{
	u64 what = fuzz_take(in, 1), end = disk_info(m->disk)->len;
	u64 offset = fuzz_take(in, 1) * 512 % end;
	u64 len = (1 + fuzz_take(in, 1) % (MAX_REQUEST / 512)) * 512;

	if (end > DISK_LEN && what & 0x80)
		offset = align_down(fuzz_take(in, 8) % end, 512);
	if (len > end - offset)
		len = end - offset;
	switch (what % 8) {
	case 0:
	case 1:
		run(m, DISK_READ, offset, len, false);
		check(m, offset, len);
		break;
	case 2:
	case 3:
	case 4:
		memset(m->buffer, (int)what, len);
		if (m->sound)
			memset(m->model + offset, (int)what, len);
		run(m, DISK_WRITE, offset, len, false);
		break;
	case 5:
		/* To a guest discarded sectors are anything: here, zeroes. */
		run(m, DISK_DISCARD, offset, len, false);
		/* fall through */
	case 6:
		if (m->sound)
			memset(m->model + offset, 0, len);
		run(m, DISK_WRITE_ZEROES, offset, len, what & 8);
		break;
	default:
		run(m, DISK_FLUSH, 0, 0, false);
	}
}

static void check_image(int fd)
{
	struct qcow2_findings found;

	qcow2_image_check(fd, &found);
	if (found.errors || found.leaks)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fuzz_input in = { data, len };
	static struct machine m;
	u64 mode = fuzz_take(&in, 1);
	int fd;

	if (len > MAX_INPUT)
		return 0;
	fd = memfd_create("image", MFD_CLOEXEC);
	m = (struct machine){ 0 };
	if (mode & 1)
		copy_image(fd, &in);
	else
		m.sound = create_image(fd, &in) && !(mode & 2);
	m.disk = open_image(fd, mode & 2);
	if (m.disk) {
		if (disk_queue_create(m.disk, -1, &m.queue))
			abort();
		for (unsigned int i = 0; in.len && i < MAX_STEPS; i++)
			step(&m, &in);
		disk_queue_destroy(m.queue);
		disk_close(m.disk);
		if (m.sound)
			check_image(fd);
	} else if (m.sound) {
		abort();
	}
	close(fd);
	return 0;
}
