// SPDX-License-Identifier: GPL-2.0-only
/*
 * /init of the guests of the exact bench. Without a disk it resets the
 * machine at once. With /dev/vda it prints how long requests take, one at a
 * time and past the page cache: "@ NAME nanoseconds-per-request".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DISK_SIZE (32u << 20)
#define WARM_UP 16

struct work {
	const char *name;
	size_t size;
	unsigned int count;
	int is_write;
};

static const struct work works[] = {
	{ "read-4k", 4096, 1000, 0 },	 { "read-64k", 65536, 400, 0 },
	{ "read-1m", 1 << 20, 100, 0 },	 { "write-4k", 4096, 1000, 1 },
	{ "write-1m", 1 << 20, 100, 1 },
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

static int request(int fd, const struct work *w, char *buf, unsigned int i)
{
	off_t at = (off_t)(i * w->size % DISK_SIZE);
	ssize_t n = w->is_write ? pwrite(fd, buf, w->size, at)
				: pread(fd, buf, w->size, at);

	return n == (ssize_t)w->size ? 0 : -1;
}

static void measure(int fd, const struct work *w, char *buf)
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
	printf("@ %s %llu\n", w->name,
	       (unsigned long long)(now_ns() - start) / w->count);
	return;
err:
	printf("%s: %s\n", w->name, strerror(errno));
}

static void bench_disk(void)
{
	char *buf = aligned_alloc(1 << 20, 1 << 20);
	int fd = open("/dev/vda", O_RDWR | O_DIRECT | O_CLOEXEC);
	size_t i;

	if (fd < 0 || !buf) {
		printf("/dev/vda: %s\n", strerror(errno));
		return;
	}
	memset(buf, 0x5a, 1 << 20);
	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		measure(fd, &works[i], buf);
	close(fd);
}

int main(void)
{
	if (access("/modules.list", R_OK) == 0) {
		setvbuf(stdout, NULL, _IOLBF, 0);
		mount("dev", "/dev", "devtmpfs", 0, NULL);
		load_modules("/modules.list");
		bench_disk();
	}
	reboot(RB_AUTOBOOT);
	return 1;
}
