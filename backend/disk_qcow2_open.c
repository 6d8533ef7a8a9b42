/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening a qcow2 image: tables, backing files, and whether it may be written
 * to.
 */
#include "backend/disk_qcow2_priv.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/codec.h"
#include "lkvm/config.h"
#include "lkvm/failure.h"

/* 512 L2 entries a page: enough for 32 GiB in clusters of 64 KiB. */
#define L2_CACHE_LEN (4 * MIB)
#define REFCOUNT_CACHE_LEN MIB

/* Header, extensions and names are shorter, whatever the cluster's size. */
#define HEADER_READ_LEN (64 * KIB)

static int open_at(struct disk *file, const struct disk_config *config,
		   unsigned int depth, struct failure *why, struct disk **out);

/* ---- Header ---- */

/* Not file->info.len, which is whole sectors. */
static int measure(struct qcow2 *q)
{
	off_t len = lseek(q->file->fd, 0, SEEK_END);

	if (len < 0)
		return -errno;
	q->file_len = (u64)len;
	return 0;
}

static int read_header(struct qcow2 *q, struct failure *why)
{
	u8 *bytes = malloc(HEADER_READ_LEN);
	size_t len = q->file_len < HEADER_READ_LEN ? q->file_len
						   : HEADER_READ_LEN;
	int err;

	if (!bytes)
		return -ENOMEM;
	err = qcow2_file_read(q, 0, bytes, len);
	if (err)
		fail(why, err, "disk %s: %s", q->path, strerror(-err));
	else
		err = qcow2_header_parse(bytes, len, q->file_len, q->path,
					 &q->header, why);
	free(bytes);
	return err;
}

/* May it be written to, if it is to be? */
static int check_state(const struct qcow2 *q, struct failure *why)
{
	if (q->read_only)
		return 0;
	if (q->header.corrupt)
		return fail(why, -EIO,
			    "disk %s: is marked as damaged: ',ro' reads it, "
			    "'qemu-img check -r all %s' repairs it",
			    q->path, q->path);
	if (q->header.dirty)
		return fail(why, -EIO,
			    "disk %s: was not closed by who wrote it, and its "
			    "reference counts are out of date: run 'qemu-img "
			    "check -r all %s'",
			    q->path, q->path);
	return 0;
}

/* What the bits vouch for, bitmaps for example, is no longer kept true. */
static int clear_autoclear(struct qcow2 *q)
{
	const u64 none = 0;
	int err;

	if (q->read_only || !q->header.autoclear)
		return 0;
	err = qcow2_file_write(q, QCOW2_AUTOCLEAR_AT, &none, sizeof(none));
	return err ? err : qcow2_file_sync(q);
}

/* ---- Tables ---- */

static int read_table(struct qcow2 *q, u64 offset, u64 bytes, u64 **out)
{
	*out = malloc(bytes ? bytes : sizeof(u64));
	if (!*out)
		return -ENOMEM;
	return bytes ? qcow2_file_read(q, offset, *out, bytes) : 0;
}

static int read_tables(struct qcow2 *q)
{
	u64 reftable_len = (u64)q->header.reftable_clusters
			   << q->header.cluster_bits;
	int err;

	err = read_table(q, q->header.l1_offset,
			 q->header.l1_entries * sizeof(u64), &q->l1);
	if (!err)
		err = qcow2_cache_init(&q->l2, q->cluster_len, L2_CACHE_LEN);
	if (err || q->read_only)
		return err;
	q->reftable_entries = (u32)(reftable_len / sizeof(u64));
	err = read_table(q, q->header.reftable_offset, reftable_len,
			 &q->reftable);
	if (err)
		return err;
	return qcow2_cache_init(&q->refcounts, q->cluster_len,
				REFCOUNT_CACHE_LEN);
}

/* ---- Backing files ---- */

/* Names are relative to the folder of the image that has them. */
static char *backing_path(const struct qcow2 *q)
{
	const char *slash = strrchr(q->path, '/');
	int folder = slash ? (int)(slash - q->path) + 1 : 0;
	char *path;

	if (q->header.backing[0] == '/')
		folder = 0;
	if (asprintf(&path, "%.*s%s", folder, q->path, q->header.backing) < 0)
		return NULL;
	return path;
}

static int check_backing(const struct qcow2 *q,
			 const struct disk_config *config, unsigned int depth,
			 struct failure *why)
{
	const char *format = q->header.backing_format;

	if (!config->backing)
		return fail(why, -EPERM,
			    "disk %s: wants to read the backing file %s: if "
			    "it may, write %s,format=qcow2,backing=on",
			    q->path, q->header.backing, config->path);
	if (depth == QCOW2_MAX_CHAIN)
		return fail(why, -ELOOP,
			    "disk %s: more than %u backing files, one behind "
			    "the other",
			    q->path, QCOW2_MAX_CHAIN);
	if (strcmp(format, "raw") && strcmp(format, "qcow2"))
		return fail(why, -EINVAL,
			    "disk %s: does not say that its backing file is "
			    "raw or qcow2: 'qemu-img rebase -u -b %s -F FORMAT "
			    "%s' makes it",
			    q->path, q->header.backing, q->path);
	return 0;
}

static int open_backing(struct qcow2 *q, const struct disk_config *config,
			unsigned int depth, struct failure *why)
{
	bool is_qcow2 = !strcmp(q->header.backing_format, "qcow2");
	struct disk_config below = *config;
	struct disk *file;
	char *path;
	int err;

	if (!q->header.backing[0])
		return 0;
	err = check_backing(q, config, depth, why);
	if (err)
		return err;
	path = backing_path(q);
	if (!path)
		return -ENOMEM;
	below.path = path;
	below.read_only = true;
	below.format = is_qcow2 ? DISK_FORMAT_QCOW2 : DISK_FORMAT_RAW;
	err = disk_open_file(&below, why, &file);
	if (!err && is_qcow2)
		err = open_at(file, &below, depth + 1, why, &q->backing);
	else if (!err)
		q->backing = file;
	free(path);
	return err;
}

/* ---- All of it ---- */

static int load(struct qcow2 *q, const struct disk_config *config,
		unsigned int depth, struct failure *why)
{
	int err;

	q->path = strdup(config->path);
	if (!q->path)
		return -ENOMEM;
	q->file->end_reads_zero = true;
	err = measure(q);
	if (!err)
		err = read_header(q, why);
	if (!err)
		err = check_state(q, why);
	if (err)
		return err;
	q->cluster_len = BIT64(q->header.cluster_bits);
	q->host_end = align_up(q->file_len, q->cluster_len);
	q->next_free = 1; /* the first one is the header's, whatever it says */
	err = read_tables(q);
	if (!err)
		err = open_backing(q, config, depth, why);
	if (!err)
		err = clear_autoclear(q);
	if (!err)
		q->inflate = codec_inflate_open();
	return err;
}

static void fill_info(struct disk_info *info, const struct qcow2 *q)
{
	*info = q->file->info;
	info->len = align_down(q->header.len, DISK_SECTOR);
	info->sector_size = DISK_SECTOR;
	info->discard_len = (u32)q->cluster_len;
}

/* Owns @file on failure, too. */
static struct qcow2 *create(struct disk *file)
{
	struct qcow2 *q = calloc(1, sizeof(*q));

	if (!q) {
		disk_close(file);
		return NULL;
	}
	q->file = file;
	q->read_only = file->info.read_only;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	pthread_mutex_init(&q->inflate_lock, NULL);
	return q;
}

/* Twice: the first time lets counts go down, and they are changes as well. */
static int write_changes(struct qcow2 *q)
{
	int err = 0;

	for (int i = 0; i < 2 && !err && qcow2_has_changes(q); i++)
		err = qcow2_flush_tables(q);
	return err;
}

void qcow2_destroy(struct qcow2 *q)
{
	if (write_changes(q))
		log_error("disk %s: the last changes could not be written",
			  q->path);
	disk_close(q->backing);
	disk_close(q->file);
	codec_inflate_close(q->inflate);
	qcow2_cache_release(&q->l2);
	qcow2_cache_release(&q->refcounts);
	free(q->l1);
	free(q->reftable);
	free(q->buffer);
	free(q->packed);
	free(q->unpacked);
	free(q->path);
	pthread_mutex_destroy(&q->inflate_lock);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static int open_at(struct disk *file, const struct disk_config *config,
		   unsigned int depth, struct failure *why, struct disk **out)
{
	struct qcow2 *q = create(file);
	struct disk *disk;
	int err;

	*out = NULL;
	if (!q)
		return -ENOMEM;
	err = load(q, config, depth, why);
	disk = err ? NULL : calloc(1, sizeof(*disk));
	if (!disk) {
		qcow2_destroy(q);
		return err ? fail(why, err, "disk %s: %s", config->path,
				  strerror(-err))
			   : -ENOMEM;
	}
	disk->ops = &qcow2_disk_ops;
	disk->fd = -1;
	disk->qcow2 = q;
	fill_info(&disk->info, q);
	*out = disk;
	if (disk->info.len)
		return 0;
	disk_close(disk);
	*out = NULL;
	return fail(why, -EINVAL, "disk %s: is empty", config->path);
}

int disk_qcow2_open(struct disk *file, const struct disk_config *config,
		    struct failure *why, struct disk **out)
{
	return open_at(file, config, 0, why, out);
}
