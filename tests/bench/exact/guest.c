// SPDX-License-Identifier: GPL-2.0-only
/*
 * /init of the guests of the exact bench. Without a disk it resets the
 * machine at once. With /dev/vda it prints how long requests take, past the page
 * cache, one at a time and (names with -qN) N at a time, in order and at random
 * places: "@ NAME nanoseconds-per-request". So does a 9p share of the tag "bench",
 * which it mounts without a cache: requests one at a time, lookups of a name, and
 * what a folder's entries cost that is listed and looked at.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DISK_SIZE (32u << 20)
#define WARM_UP 16
#define FILES 500

struct work {
	const char *name;
	size_t size;
	unsigned int count;
	int is_write;
	int is_random;
	unsigned int depth; /* 0: no asynchronous I/O */
};

static const struct work works[] = {
	{ "read-4k", 4096, 1000, 0, 0, 0 },
	{ "read-64k", 65536, 400, 0, 0, 0 },
	{ "read-1m", 1 << 20, 100, 0, 0, 0 },
	{ "write-4k", 4096, 1000, 1, 0, 0 },
	{ "write-1m", 1 << 20, 100, 1, 0, 0 },
	{ "read-4k-random-q1", 4096, 1000, 0, 1, 1 },
	{ "read-4k-random-q32", 4096, 3200, 0, 1, 32 },
	{ "read-1m-q1", 1 << 20, 100, 0, 0, 1 },
	{ "read-1m-q32", 1 << 20, 160, 0, 0, 32 },
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Loads the modules that the file names, one path a line, in that order. */
static void load_modules(const char *list)
{
	FILE *f = fopen(list, "re");
	char path[256];

	if (!f)
		return;
	while (fgets(path, sizeof(path), f)) {
		int fd;

		path[strcspn(path, "\n")] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
			printf("%s: %s\n", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	fclose(f);
}

/* Of request @i; "random" is the same in every run. */
static off_t place(const struct work *w, unsigned int i)
{
	uint64_t nr = i;

	if (w->is_random)
		nr = (nr + 1) * 0x9e3779b97f4a7c15u >> 40;
	return (off_t)(nr * w->size % DISK_SIZE);
}

static int request(int fd, const struct work *w, char *buf, unsigned int i)
{
	off_t at = place(w, i);
	ssize_t n = w->is_write ? pwrite(fd, buf, w->size, at)
				: pread(fd, buf, w->size, at);

	return n == (ssize_t)w->size ? 0 : -1;
}

static void measure(int fd, const struct work *w, char *buf, const char *what)
{
	uint64_t start;
	unsigned int i;

	for (i = 0; i < WARM_UP; i++)
		if (request(fd, w, buf, i))
			goto err;
	start = now_ns();
	for (i = 0; i < w->count; i++)
		if (request(fd, w, buf, i))
			goto err;
	printf("@ %s%s %llu\n", what, w->name,
	       (unsigned long long)(now_ns() - start) / w->count);
	return;
err:
	printf("%s: %s\n", w->name, strerror(errno));
}

static void submit(aio_context_t ctx, int fd, const struct work *w, char *buf,
		   unsigned int i)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)fd,
		.aio_buf = (uintptr_t)buf + (size_t)(i % w->depth) * w->size,
		.aio_nbytes = w->size,
		.aio_offset = place(w, i),
	}, *list[] = { &iocb };

	if (syscall(SYS_io_submit, ctx, 1, list) != 1)
		perror("io_submit");
}

/* @w->depth of them in flight all the time. */
static void measure_depth(int fd, const struct work *w, char *buf)
{
	unsigned int submitted = 0, done = 0;
	aio_context_t ctx = 0;
	uint64_t start;

	if (syscall(SYS_io_setup, w->depth, &ctx) < 0) {
		printf("%s: %s\n", w->name, strerror(errno));
		return;
	}
	start = now_ns();
	while (done < w->count) {
		struct io_event events[32];
		long n;

		while (submitted < w->count && submitted - done < w->depth)
			submit(ctx, fd, w, buf, submitted++);
		n = syscall(SYS_io_getevents, ctx, 1, 32, events, NULL);
		for (long i = 0; i < n; i++)
			if (events[i].res != (int64_t)w->size)
				printf("%s: short\n", w->name);
		if (n <= 0)
			break;
		done += (unsigned int)n;
	}
	printf("@ %s %llu\n", w->name,
	       (unsigned long long)(now_ns() - start) / w->count);
	syscall(SYS_io_destroy, ctx);
}

static void bench_disk(void)
{
	char *buf = aligned_alloc(1 << 20, 32 << 20);
	int fd = open("/dev/vda", O_RDWR | O_DIRECT | O_CLOEXEC);
	size_t i;

	if (fd < 0 || !buf) {
		printf("/dev/vda: %s\n", strerror(errno));
		return;
	}
	memset(buf, 0x5a, 32 << 20);
	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		if (works[i].depth)
			measure_depth(fd, &works[i], buf);
		else
			measure(fd, &works[i], buf, "");
	}
	close(fd);
}

static void print_each(const char *name, uint64_t start, unsigned int count)
{
	printf("@ %s %llu\n", name,
	       (unsigned long long)(now_ns() - start) / count);
}

/* A name in a folder that is open: a walk, attributes, and forgetting it. */
static void bench_lookups(void)
{
	int dir = open("/mnt/files", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t start = now_ns();
	char name[16];

	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (faccessat(dir, name, F_OK, 0)) {
			printf("/mnt/files/%s: %s\n", name, strerror(errno));
			return;
		}
	}
	print_each("9p-lookup", start, FILES);
	close(dir);
}

static void bench_find(void)
{
	struct dirent *entry;
	unsigned int nr = 0;
	struct stat st;
	uint64_t start = now_ns();
	DIR *dir = opendir("/mnt/files");

	while (dir && (entry = readdir(dir)))
		if (!fstatat(dirfd(dir), entry->d_name, &st,
			     AT_SYMLINK_NOFOLLOW))
			nr++;
	if (!dir || nr < FILES)
		printf("/mnt/files: %u entries\n", nr);
	else
		print_each("9p-find", start, nr);
}

static void bench_share(void)
{
	char *buf = aligned_alloc(1 << 20, 1 << 20);
	size_t i;
	int fd;

	mkdir("/mnt", 0755);
	if (mount("bench", "/mnt", "9p", 0,
		  "trans=virtio,version=9p2000.L,msize=512000,cache=none"))
		return;
	fd = open("/mnt/data", O_RDWR | O_CLOEXEC);
	if (fd < 0 || !buf) {
		printf("/mnt/data: %s\n", strerror(errno));
		return;
	}
	memset(buf, 0x5a, 1 << 20);
	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (!works[i].depth)
			measure(fd, &works[i], buf, "9p-");
	close(fd);
	bench_lookups();
	bench_find();
}

int main(void)
{
	if (access("/modules.list", R_OK) == 0) {
		setvbuf(stdout, NULL, _IOLBF, 0);
		mount("dev", "/dev", "devtmpfs", 0, NULL);
		load_modules("/modules.list");
		bench_disk();
		bench_share();
	}
	reboot(RB_AUTOBOOT);
	return 1;
}
