/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/qcow2_image.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OFFSET 0x00fffffffffffe00ULL

static void put(int fd, const void *buf, size_t len, u64 offset)
{
	if (pwrite(fd, buf, len, (off_t)offset) != (ssize_t)len)
		abort();
}

/* What is not in the file is zero. */
static void get(int fd, void *buf, size_t len, u64 offset)
{
	ssize_t done = pread(fd, buf, len, (off_t)offset);

	if (done < 0)
		abort();
	memset((u8 *)buf + done, 0, len - (size_t)done);
}

void qcow2_image_put32(int fd, u64 offset, u32 value)
{
	value = htobe32(value);
	put(fd, &value, sizeof(value), offset);
}

void qcow2_image_put64(int fd, u64 offset, u64 value)
{
	value = htobe64(value);
	put(fd, &value, sizeof(value), offset);
}

u64 qcow2_image_get64(int fd, u64 offset)
{
	u64 value;

	get(fd, &value, sizeof(value), offset);
	return be64toh(value);
}

static u32 get32(int fd, u64 offset)
{
	return (u32)(qcow2_image_get64(fd, offset) >> 32);
}

/* ---- Creating ---- */

/* Bit by bit: slow, and unlike the code under test. */
static void set_bits(u8 *block, unsigned int width, u64 index, u64 value)
{
	for (unsigned int bit = 0; bit < width; bit++) {
		u64 at = index * width;
		u64 byte = width < 8 ? at / 8 : at / 8 + (width - 1 - bit) / 8;
		unsigned int in = width < 8 ? (unsigned int)(at % 8) + bit
					    : bit % 8;

		block[byte] = (u8)((block[byte] & ~BIT(in)) |
				   (unsigned int)(value >> bit & 1) << in);
	}
}

static u64 get_bits(const u8 *block, unsigned int width, u64 index)
{
	u64 value = 0;

	for (unsigned int bit = 0; bit < width; bit++) {
		u64 at = index * width;
		u64 byte = width < 8 ? at / 8 : at / 8 + (width - 1 - bit) / 8;
		unsigned int in = width < 8 ? (unsigned int)(at % 8) + bit
					    : bit % 8;

		value |= (u64)(block[byte] >> in & 1) << bit;
	}
	return value;
}

void qcow2_image_create(int fd, const struct qcow2_spec *spec)
{
	u64 cluster = BIT64(spec->cluster_bits);
	u64 covered = cluster * (cluster / 8);
	u64 l1_entries = (spec->len + covered - 1) / covered;
	u64 l1_clusters = (l1_entries * 8 + cluster - 1) / cluster;
	u64 used = 3 + l1_clusters;
	unsigned int width = 1U << spec->refcount_order;
	u8 *block = calloc(1, cluster);

	/* Header, refcount table, one block, L1 table. */
	if (!block || used > cluster * 8 / width)
		abort();
	put(fd, "QFI\xfb", 4, 0);
	qcow2_image_put32(fd, 4, spec->version);
	qcow2_image_put32(fd, 20, spec->cluster_bits);
	qcow2_image_put64(fd, 24, spec->len);
	qcow2_image_put32(fd, 36, (u32)l1_entries);
	qcow2_image_put64(fd, 40, 3 * cluster);
	qcow2_image_put64(fd, 48, cluster);
	qcow2_image_put32(fd, 56, 1);
	if (spec->version >= 3) {
		qcow2_image_put32(fd, 96, spec->refcount_order);
		qcow2_image_put32(fd, 100, 104);
	}
	qcow2_image_put64(fd, cluster, 2 * cluster);
	for (u64 i = 0; i < used; i++)
		set_bits(block, width, i, 1);
	put(fd, block, cluster, 2 * cluster);
	if (ftruncate(fd, (off_t)(used * cluster)))
		abort();
	free(block);
}

/* ---- Reading ---- */

static void read_in_cluster(int fd, u64 cluster, u64 offset, void *buf,
			    size_t len)
{
	u64 l1 = qcow2_image_get64(fd, 40), in_table = cluster / 8;
	u64 table = qcow2_image_get64(fd, l1 + offset / cluster / in_table * 8);
	u64 entry = 0;

	if (table & OFFSET)
		entry = qcow2_image_get64(
			fd, (table & OFFSET) + offset / cluster % in_table * 8);
	if (entry >> 62 & 1)
		abort();
	memset(buf, 0, len);
	if (entry & OFFSET && !(entry & 1))
		get(fd, buf, len, (entry & OFFSET) + offset % cluster);
}

void qcow2_image_read(int fd, u64 offset, void *buf, size_t len)
{
	u64 cluster = BIT64(get32(fd, 20));

	for (size_t done = 0; done < len;) {
		size_t piece = cluster - (offset + done) % cluster;

		if (piece > len - done)
			piece = len - done;
		read_in_cluster(fd, cluster, offset + done, (u8 *)buf + done,
				piece);
		done += piece;
	}
}

/* ---- Checking ---- */

struct check {
	int fd;
	unsigned int cluster_bits;
	u64 cluster;
	u64 nr;	    /* clusters that are looked at */
	u64 *used;  /* references found */
	u64 *count; /* refcounts */
	struct qcow2_findings *out;
};

static void error(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void error(struct check *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->out->errors++) {
		va_start(ap, fmt);
		vsnprintf(c->out->first_error, sizeof(c->out->first_error), fmt,
			  ap);
		va_end(ap);
	}
}

static bool use(struct check *c, u64 offset, u64 clusters, const char *what)
{
	if (offset % c->cluster || offset / c->cluster + clusters > c->nr) {
		error(c, "%s at %#llx is nowhere", what,
		      (unsigned long long)offset);
		return false;
	}
	for (u64 i = 0; i < clusters; i++)
		c->used[offset / c->cluster + i]++;
	return true;
}

static void read_refcounts(struct check *c)
{
	u64 table = qcow2_image_get64(c->fd, 48);
	u64 entries = get32(c->fd, 56) * (c->cluster / 8);
	u32 order = get32(c->fd, 4) >= 3 ? get32(c->fd, 96) : 4;
	unsigned int width = 1U << order;
	u64 span = c->cluster * 8 / width;
	u8 *block = malloc(c->cluster);

	if (!block)
		abort();
	use(c, table, get32(c->fd, 56), "refcount table");
	for (u64 i = 0; i < entries; i++) {
		u64 offset = qcow2_image_get64(c->fd, table + i * 8);

		if (!offset || !use(c, offset, 1, "refcount block"))
			continue;
		get(c->fd, block, c->cluster, offset);
		for (u64 k = 0; k < span && i * span + k < c->nr; k++)
			c->count[i * span + k] = get_bits(block, width, k);
	}
	free(block);
}

static void check_copied(struct check *c, u64 entry, const char *what)
{
	u64 cluster = (entry & OFFSET) / c->cluster;
	bool copied = entry >> 63;

	if (cluster < c->nr && copied != (c->count[cluster] == 1))
		error(c, "%s at cluster %#llx: COPIED %d, refcount %llu", what,
		      (unsigned long long)cluster, copied,
		      (unsigned long long)c->count[cluster]);
}

static void check_compressed(struct check *c, u64 entry)
{
	unsigned int bits = 62 - (c->cluster_bits - 8);
	u64 offset = entry & (BIT64(bits) - 1);
	u64 sectors = ((entry & (BIT64(62) - 1)) >> bits) + 1;
	u64 end = offset / 512 * 512 + sectors * 512;

	for (u64 i = offset / c->cluster; i <= (end - 1) / c->cluster; i++)
		use(c, i * c->cluster, 1, "compressed data");
}

static void check_l2(struct check *c, u64 offset)
{
	u64 *table = malloc(c->cluster);

	if (!table)
		abort();
	get(c->fd, table, c->cluster, offset);
	for (u64 i = 0; i < c->cluster / 8; i++) {
		u64 entry = be64toh(table[i]);

		if (entry >> 62 & 1) {
			check_compressed(c, entry);
		} else if (entry & OFFSET) {
			c->out->mapped++;
			use(c, entry & OFFSET, 1, "data");
			check_copied(c, entry, "data");
		}
	}
	free(table);
}

static void check_mapping(struct check *c)
{
	u32 entries = get32(c->fd, 36);
	u64 l1 = qcow2_image_get64(c->fd, 40);

	use(c, l1, (entries * 8ULL + c->cluster - 1) / c->cluster, "L1 table");
	for (u32 i = 0; i < entries; i++) {
		u64 entry = qcow2_image_get64(c->fd, l1 + i * 8ULL);

		if (!(entry & OFFSET) || !use(c, entry & OFFSET, 1, "L2 table"))
			continue;
		check_copied(c, entry, "L2 table");
		check_l2(c, entry & OFFSET);
	}
}

void qcow2_image_check(int fd, struct qcow2_findings *out)
{
	struct check c = { .fd = fd, .out = out };
	struct stat st;

	*out = (struct qcow2_findings){ 0 };
	if (fstat(fd, &st))
		abort();
	c.cluster_bits = get32(fd, 20);
	c.cluster = BIT64(c.cluster_bits);
	/* Counts of what never made it into the file are leaks. */
	c.nr = (u64)st.st_size / c.cluster + 4096;
	c.used = calloc(c.nr, sizeof(u64));
	c.count = calloc(c.nr, sizeof(u64));
	if (!c.used || !c.count)
		abort();
	c.used[0] = 1;
	read_refcounts(&c);
	check_mapping(&c);
	for (u64 i = 0; i < c.nr; i++) {
		if (c.used[i] > c.count[i])
			error(&c, "cluster %#llx: used %llu, counted %llu",
			      (unsigned long long)i,
			      (unsigned long long)c.used[i],
			      (unsigned long long)c.count[i]);
		else if (c.used[i] < c.count[i])
			out->leaks++;
	}
	free(c.used);
	free(c.count);
}
