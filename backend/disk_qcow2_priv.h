/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * qcow2 images, versions 2 and 3 ("The QCOW2 image format", docs/interop of
 * QEMU's documentation: "the specification" below). Not done, and refused by
 * name: encryption, extended L2 entries, external data files, zstd.
 *
 *   disk_qcow2.c           requests of queues, and the file below
 *   disk_qcow2_open.c      opening and closing, backing files
 *   disk_qcow2_header.c    the header, parsed and checked
 *   disk_qcow2_cache.c     a bounded cache of pieces of tables
 *   disk_qcow2_refcount.c  which host clusters are in use
 *   disk_qcow2_map.c       where guest clusters are
 *   disk_qcow2_read.c      reading, unpacking
 *   disk_qcow2_write.c     writing, with copy on write
 *   disk_qcow2_zero.c      discard and zeroes
 *   disk_qcow2_flush.c     the order in which changes reach the file
 *
 * Order. Data and refcounts go to the file before what refers to them, with a
 * flush between; clusters are given back after what referred to them is gone
 * from the file for good. So whatever subset of the writes since the last
 * flush survives a kill or a power failure, each table entry in the file leads
 * to a cluster that is counted and holds what was written there, and the worst
 * that is left behind are clusters that are counted and not used: leaks, in
 * the words of qemu-img check. To that end L1, L2 and refcount tables are
 * changed in memory only, and qcow2_flush_tables() writes them.
 *
 * What the file says is not trusted: every entry is checked when it is used.
 * An image that lies about its refcounts may harm its own contents, and nothing
 * else.
 */
#ifndef LKVM_DISK_QCOW2_PRIV_H
#define LKVM_DISK_QCOW2_PRIV_H

#include <pthread.h>
#include "backend/disk_priv.h"
#include "lkvm/log.h"

struct failure;

#define QCOW2_MIN_CLUSTER_BITS 9U
#define QCOW2_MAX_CLUSTER_BITS 21U
/* Limits of QEMU's, too: nobody has images beyond them. */
#define QCOW2_MAX_L1_LEN (32 * MIB)
#define QCOW2_MAX_REFTABLE_LEN (8 * MIB)
#define QCOW2_MAX_BACKING_NAME 1023U
#define QCOW2_MAX_CHAIN 16U
/* As far as table entries reach: bits 9 to 55. */
#define QCOW2_MAX_FILE_LEN BIT64(56)

/* L1 and L2 entries. */
#define QCOW2_COPIED BIT64(63) /* refcount is one: may be written in place */
#define QCOW2_COMPRESSED BIT64(62)
#define QCOW2_ZERO BIT64(0)
#define QCOW2_OFFSET 0x00fffffffffffe00ULL

/* Autoclear features and where they stand. */
#define QCOW2_AUTOCLEAR_AT 88U
/* refcount_table_offset and refcount_table_clusters, in one sector. */
#define QCOW2_REFTABLE_AT 48U

struct qcow2_header {
	u32 version;
	unsigned int cluster_bits;
	unsigned int refcount_order;
	u64 len; /* bytes of the disk */
	u64 l1_offset;
	u32 l1_entries; /* as many as the disk needs */
	u64 reftable_offset;
	u32 reftable_clusters;
	u64 autoclear;
	bool dirty, corrupt;
	char backing[QCOW2_MAX_BACKING_NAME + 1]; /* "": none */
	char backing_format[16];
};

/*
 * Parse the first @len bytes of a file of @file_len bytes; of a first cluster
 * beyond them nothing is known. @path is for messages. Says what is wrong.
 */
int qcow2_header_parse(const u8 *bytes, size_t len, u64 file_len,
		       const char *path, struct qcow2_header *out,
		       struct failure *why);

/* ---- The cache of table pieces ---- */

/* A piece of a table in the file: at most a cluster. */
struct qcow2_slice {
	u64 offset; /* in the file; 0: unused */
	u64 stamp;  /* of its last use */
	bool dirty;
};

struct qcow2_cache {
	u32 slice_len;
	unsigned int nr_slices; /* a multiple of the ways of a set */
	unsigned int nr_dirty;
	u64 stamp;
	struct qcow2_slice *slices;
	u8 *data; /* nr_slices * slice_len, page aligned; touched when used */
};

/* ---- The image ---- */

/* Host clusters that nothing refers to once the tables are flushed. */
struct qcow2_range {
	u64 first, count; /* clusters */
};

#define QCOW2_MAX_DEAD 1024U
#define QCOW2_COPY_LEN (64 * KIB)

struct qcow2 {
	struct disk *file;    /* owned */
	struct disk *backing; /* owned; NULL: none */
	struct qcow2_header header;
	u64 cluster_len;
	bool read_only;
	char *path; /* for messages; owned */
	struct log_once corrupt_logged;

	/*
	 * Guards all below. Requests that use the mapping as it is count as
	 * users while their data moves, without the lock. Who changes the
	 * mapping waits until there are none, keeps new ones out, and holds
	 * the lock throughout.
	 */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* users or exclusive */
	unsigned int users;
	bool exclusive;

	bool failed;  /* a flush failed: nobody knows what is in the file */
	u64 file_len; /* behind it the file reads as zeroes */
	u64 host_end; /* end of what is in the file or was allocated */

	u64 *l1;			  /* as in the file: big endian */
	u32 l1_dirty_first, l1_dirty_end; /* entries */
	u64 *reftable;			  /* as in the file */
	u32 reftable_entries;
	u32 reftable_dirty_first, reftable_dirty_end;
	u64 next_free; /* no cluster below is free */
	struct qcow2_cache l2, refcounts;

	struct qcow2_range dead[QCOW2_MAX_DEAD];
	unsigned int nr_dead;
	u8 *buffer; /* QCOW2_COPY_LEN bytes, for copies; NULL until needed */

	/* Guards all below; innermost. */
	pthread_mutex_t inflate_lock;
	struct codec_inflate *inflate; /* NULL: this host has no zlib */
	u8 *packed, *unpacked;	       /* NULL until needed */
	u64 unpacked_entry;	       /* what is in @unpacked; 0: nothing */
};

/* disk_qcow2.c */
extern const struct disk_ops qcow2_disk_ops;
/* disk_qcow2_open.c: writes what is left to write. Accepts half-built ones. */
void qcow2_destroy(struct qcow2 *q);

/* Said once per disk; returns -EIO. */
int qcow2_corrupt(struct qcow2 *q, const char *what);

/* ---- The file below ---- */

/* Behind the end of the file there are zeroes. With or without q->lock. */
int qcow2_file_read(struct qcow2 *q, u64 offset, void *buf, u64 len);
/* q->lock held, as for all that follows unless it says otherwise. */
int qcow2_file_write(struct qcow2 *q, u64 offset, const void *buf, u64 len);
int qcow2_file_zero(struct qcow2 *q, u64 offset, u64 len);
/* Everything written so far is stable. A failure is for good. */
int qcow2_file_sync(struct qcow2 *q);

/* ---- disk_qcow2_cache.c ---- */

int qcow2_cache_init(struct qcow2_cache *cache, u64 cluster_len, u64 budget);
void qcow2_cache_release(struct qcow2_cache *cache);
/*
 * The piece of a table that holds the byte at @offset of the file, from its
 * start; valid until the next call. -EAGAIN: only dirty pieces could make room,
 * and qcow2_cache_write() has to come first.
 */
int qcow2_cache_get(struct qcow2 *q, struct qcow2_cache *cache, u64 offset,
		    u8 **out);
/* @piece, from qcow2_cache_get(), was changed. */
void qcow2_cache_dirty(struct qcow2_cache *cache, const u8 *piece);
int qcow2_cache_write(struct qcow2 *q, struct qcow2_cache *cache);

/* ---- disk_qcow2_refcount.c; exclusive ---- */

/*
 * Take free clusters that lie side by side: @want of them, or as many as there
 * are if @fewer. -ENOSPC: the format has no more.
 */
int qcow2_alloc(struct qcow2 *q, u64 want, bool fewer, u64 *first, u64 *count);
/* Give up one reference to each; the last one frees. */
int qcow2_unref(struct qcow2 *q, u64 first, u64 count);
/* One reference to each goes away with the next qcow2_flush_tables(). */
void qcow2_unref_later(struct qcow2 *q, u64 first, u64 count);

/* ---- disk_qcow2_map.c ---- */

enum qcow2_kind {
	QCOW2_KIND_NONE, /* what the backing file says, or zeroes */
	QCOW2_KIND_ZERO,
	QCOW2_KIND_DATA,
	QCOW2_KIND_COMPRESSED,
};

/* Guest clusters side by side that are of one kind; data in one piece. */
struct qcow2_extent {
	enum qcow2_kind kind;
	u64 count; /* clusters; 1 if compressed */
	u64 host; /* byte offset of data, or of space kept for a zero cluster */
	u64 entry;     /* if compressed */
	bool in_place; /* data, or kept space: may be written where it is */
};

/* Up to @max clusters from guest cluster @cluster on; @max is at least 1. */
int qcow2_map(struct qcow2 *q, u64 cluster, u64 max, struct qcow2_extent *out);
/* What L2 entry @entry says about its one cluster. Corrupt: -EIO. */
int qcow2_entry_decode(struct qcow2 *q, u64 entry, struct qcow2_extent *out);
/*
 * Exclusive: let @count guest clusters, as many as are in one piece of the L2
 * table (qcow2_map() gives no more), have the entries @entry, @entry + @step,
 * ... What the old ones refer to dies, unless the new one does as well.
 */
int qcow2_remap(struct qcow2 *q, u64 cluster, u64 count, u64 entry, u64 step);

/* ---- disk_qcow2_read.c; users, or exclusive; without the lock or with it ---- */

/* A READ from the mapping as it is; q->lock not held. Changes its iovecs. */
int qcow2_read(struct qcow2 *q, const struct disk_request *req);
/*
 * @len bytes at @offset of the disk, all of them within @extent, which begins at
 * guest cluster @cluster. May change the iovecs.
 */
int qcow2_read_extent(struct qcow2 *q, const struct qcow2_extent *extent,
		      u64 cluster, u64 offset, struct iovec *iov,
		      unsigned int nr, u64 len);
/* First and last host cluster that the data of @entry lies in. */
void qcow2_compressed_clusters(const struct qcow2 *q, u64 entry, u64 *first,
			       u64 *last);

/* ---- disk_qcow2_write.c, disk_qcow2_zero.c; exclusive ---- */

int qcow2_write(struct qcow2 *q, const struct disk_request *req);
int qcow2_discard(struct qcow2 *q, u64 offset, u64 len);
int qcow2_write_zeroes(struct qcow2 *q, u64 offset, u64 len, bool may_unmap);

/* ---- disk_qcow2_flush.c ---- */

/* Exclusive. Everything that changed is in the file, and stable. */
int qcow2_flush_tables(struct qcow2 *q);
/* Would qcow2_flush_tables() have anything to write? */
bool qcow2_has_changes(const struct qcow2 *q);

/* ---- Arithmetic ---- */

static inline u64 qcow2_cluster(const struct qcow2 *q, u64 offset)
{
	return offset >> q->header.cluster_bits;
}

/* Entries of an L2 table. */
static inline u64 qcow2_l2_entries(const struct qcow2 *q)
{
	return q->cluster_len / sizeof(u64);
}

static inline u32 qcow2_reftable_clusters_len(const struct qcow2 *q, u64 bytes)
{
	return (u32)(align_up(bytes, q->cluster_len) >> q->header.cluster_bits);
}

/* Part of a request's iovecs, cut off the front. */
struct qcow2_piece {
	struct iovec *iov;
	unsigned int nr;
	struct iovec rest; /* what the last entry loses to the next piece */
};

/* Cut @len bytes off the front of a list... */
void qcow2_piece_cut(struct iovec *iov, u64 len, struct qcow2_piece *out);
/* ...and go on behind them. */
void qcow2_piece_next(const struct qcow2_piece *piece, struct iovec **iov,
		      unsigned int *nr);

#endif
