/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/fake_disk_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lkvm/iov.h"

#define SECTOR ((u64)DISK_SECTOR)

struct fake_write {
	u64 offset, len;
	u8 *data;
};

static struct fake_disk_file *file_of(struct disk *disk)
{
	return container_of(disk, struct fake_disk_file, disk);
}

static void copy_fd(int from, int to)
{
	u8 buf[65536];
	struct stat st;
	off_t at = 0;
	ssize_t len;

	if (fstat(from, &st) || ftruncate(to, 0))
		abort();
	while ((len = pread(from, buf, sizeof(buf), at)) > 0) {
		if (pwrite(to, buf, (size_t)len, at) != len)
			abort();
		at += len;
	}
	if (ftruncate(to, st.st_size))
		abort();
}

static void forget_writes(struct fake_disk_file *file)
{
	while (file->nr_writes)
		free(file->writes[--file->nr_writes].data);
}

static void put(int fd, const u8 *data, u64 len, u64 offset)
{
	if (pwrite(fd, data, len, (off_t)offset) != (ssize_t)len)
		abort();
}

static void make_stable(struct fake_disk_file *file)
{
	for (unsigned int i = 0; i < file->nr_writes; i++)
		put(file->stable_fd, file->writes[i].data, file->writes[i].len,
		    file->writes[i].offset);
	forget_writes(file);
}

static int change(struct fake_disk_file *file, const struct disk_request *req)
{
	struct fake_write *write;

	file->changes++;
	if (file->fail_at && file->changes >= file->fail_at)
		return -ENOSPC;
	if (file->nr_writes == file->max_writes) {
		file->max_writes = 2 * file->max_writes + 64;
		file->writes = realloc(file->writes,
				       file->max_writes * sizeof(*write));
	}
	write = &file->writes[file->nr_writes++];
	*write = (struct fake_write){ .offset = req->offset, .len = req->len };
	write->data = calloc(1, req->len + 1);
	/* A hole, or zeroes: zeroes. */
	if (req->op == DISK_WRITE)
		iov_to_buf(req->iov, req->nr_iov, 0, write->data, req->len);
	put(file->fd, write->data, write->len, write->offset);
	return 0;
}

static int read_file(struct fake_disk_file *file,
		     const struct disk_request *req)
{
	u8 *data = calloc(1, req->len + 1);
	ssize_t len = pread(file->fd, data, req->len, (off_t)req->offset);

	if (len >= 0)
		iov_from_buf(req->iov, req->nr_iov, 0, data, req->len);
	free(data);
	return len < 0 ? -errno : 0;
}

static int fake_execute(struct disk *disk, const struct disk_request *req)
{
	struct fake_disk_file *file = file_of(disk);

	switch (req->op) {
	case DISK_READ:
		return read_file(file, req);
	case DISK_FLUSH:
		if (file->on_flush)
			file->on_flush(file);
		make_stable(file);
		return 0;
	default:
		return change(file, req);
	}
}

static void fake_submit(struct disk_queue *queue, struct disk_request *req)
{
	req->done(req, fake_execute(queue->disk, req));
}

static void fake_nothing(struct disk_queue *queue)
{
}

static void fake_release(struct disk *disk)
{
	struct fake_disk_file *file = file_of(disk);

	forget_writes(file);
	free(file->writes);
	close(file->stable_fd);
	/* disk is the first member: disk_close() frees all of it. */
}

static const struct disk_ops fake_ops = {
	.submit = fake_submit,
	.commit = fake_nothing,
	.poll = fake_nothing,
	.drain = fake_nothing,
	.execute = fake_execute,
	.release = fake_release,
};

struct fake_disk_file *fake_disk_file_create(int fd, bool read_only)
{
	struct fake_disk_file *file = calloc(1, sizeof(*file));
	off_t len = lseek(fd, 0, SEEK_END);

	if (!file || len < 0)
		abort();
	file->fd = fd;
	file->stable_fd = memfd_create("stable", MFD_CLOEXEC);
	file->disk = (struct disk){
		.ops = &fake_ops,
		.fd = dup(fd),
		.info = {
			.len = align_down((u64)len, SECTOR),
			.sector_size = DISK_SECTOR,
			.block_size = DISK_SECTOR,
			.queue_depth = 1,
			.max_queues = 16,
			.read_only = read_only,
			.can_discard = !read_only,
		},
	};
	if (file->stable_fd < 0 || file->disk.fd < 0)
		abort();
	copy_fd(fd, file->stable_fd);
	return file;
}

/* Sector by sector, some of them. */
static void tear(int fd, const struct fake_write *write, unsigned int *seed)
{
	u64 at = 0;

	while (at < write->len) {
		u64 in_sector = (write->offset + at) % SECTOR;
		u64 len = SECTOR - in_sector;

		if (len > write->len - at)
			len = write->len - at;
		if (rand_r(seed) % 4)
			put(fd, write->data + at, len, write->offset + at);
		at += len;
	}
}

int fake_disk_file_crash(struct fake_disk_file *file, unsigned int *seed,
			 bool killed)
{
	int fd = memfd_create("crashed", MFD_CLOEXEC);
	unsigned int last = (unsigned int)rand_r(seed) % (file->nr_writes + 1);

	if (fd < 0)
		abort();
	copy_fd(file->stable_fd, fd);
	for (unsigned int i = 0; i < file->nr_writes; i++) {
		const struct fake_write *write = &file->writes[i];

		if (killed && i < last)
			put(fd, write->data, write->len, write->offset);
		else if (!killed && rand_r(seed) % 2)
			tear(fd, write, seed);
	}
	return fd;
}
