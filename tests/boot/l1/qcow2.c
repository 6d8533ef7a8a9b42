// SPDX-License-Identifier: GPL-2.0-only
/*
 * qcow2 images for boot cases, where there is no qemu-img (unit tests have it
 * confirm what tests/support/qcow2_image.c finds):
 *   qcow2 create FILE MIB CLUSTER-BITS
 *   qcow2 check FILE         prints "ERRORS LEAKS", and the first error
 *   qcow2 cat FILE MIB       prints the first so many MiB of the disk
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/support/qcow2_image.h"

static int create(int fd, const char *mib, const char *bits)
{
	const struct qcow2_spec spec = {
		.version = 3,
		.cluster_bits = (u32)strtoul(bits, NULL, 0),
		.refcount_order = 4,
		.len = strtoul(mib, NULL, 0) * MIB,
	};

	qcow2_image_create(fd, &spec);
	return 0;
}

static int check(int fd)
{
	struct qcow2_findings found;

	qcow2_image_check(fd, &found);
	printf("%u %u %s\n", found.errors, found.leaks, found.first_error);
	return 0;
}

static int cat(int fd, const char *mib)
{
	static u8 buf[64 * 1024];
	u64 end = strtoul(mib, NULL, 0) * MIB;

	for (u64 at = 0; at < end; at += sizeof(buf)) {
		qcow2_image_read(fd, at, buf, sizeof(buf));
		if (fwrite(buf, sizeof(buf), 1, stdout) != 1)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3)
		return 129;
	fd = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		perror(argv[2]);
		return 1;
	}
	if (argc == 5 && !strcmp(argv[1], "create"))
		return create(fd, argv[3], argv[4]);
	if (argc == 3 && !strcmp(argv[1], "check"))
		return check(fd);
	if (argc == 4 && !strcmp(argv[1], "cat"))
		return cat(fd, argv[3]);
	return 129;
}
