/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The header of a qcow2 image (the specification: "Header"). Every field is
 * checked before anything is derived from it.
 */
#include "backend/disk_qcow2_priv.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lkvm/failure.h"

#define V2_LEN 72U
#define V3_LEN 104U

#define INCOMPAT_DIRTY BIT64(0)
#define INCOMPAT_CORRUPT BIT64(1)
#define INCOMPAT_DATA_FILE BIT64(2)
#define INCOMPAT_COMPRESSION BIT64(3)
#define INCOMPAT_EXTENDED_L2 BIT64(4)

#define EXT_END 0x00000000U
#define EXT_BACKING_FORMAT 0xe2792acaU
#define EXT_FEATURE_NAMES 0x6803f857U

#define FEATURE_NAME_LEN 46U

#define MAX_SNAPSHOTS 65536U

/* What is being parsed. */
struct source {
	const u8 *bytes;
	size_t len;
	u64 file_len;
	const char *path;
	struct failure *why;
};

static u32 get32(const struct source *src, size_t at)
{
	u32 value;

	memcpy(&value, src->bytes + at, sizeof(value));
	return be32toh(value);
}

static u64 get64(const struct source *src, size_t at)
{
	u64 value;

	memcpy(&value, src->bytes + at, sizeof(value));
	return be64toh(value);
}

static int damaged(const struct source *src, const char *field, u64 value)
{
	return fail(src->why, -EINVAL,
		    "disk %s: its qcow2 header is damaged: %s is %llu",
		    src->path, field, (unsigned long long)value);
}

static int unsupported(const struct source *src, const char *what,
		       const char *cure)
{
	return fail(src->why, -ENOTSUP,
		    "disk %s: %s is not supported: convert it with 'qemu-img "
		    "convert -O qcow2%s'",
		    src->path, what, cure);
}

/* ---- Header extensions ---- */

/* The next extension at *@at; false at the end of the area or of what we have. */
static bool next_extension(const struct source *src, size_t *at, u32 *type,
			   u32 *len)
{
	if (!range_within(*at, 8, src->len))
		return false;
	*type = get32(src, *at);
	*len = get32(src, *at + 4);
	*at += 8;
	return *type != EXT_END && range_within(*at, *len, src->len);
}

/* Find extension @type behind @at. NULL if it is not there. */
static const u8 *find_extension(const struct source *src, size_t at, u32 type,
				u32 *len)
{
	u32 found;

	while (next_extension(src, &at, &found, len)) {
		if (found == type)
			return src->bytes + at;
		at += align_up(*len, 8);
	}
	return NULL;
}

/* The image itself says what its features are called. */
static void feature_name(const struct source *src, size_t extensions,
			 unsigned int bit, char *out, size_t out_len)
{
	u32 len;
	const u8 *entry =
		find_extension(src, extensions, EXT_FEATURE_NAMES, &len);

	snprintf(out, out_len, "its incompatible feature %u", bit);
	for (; entry && len >= 2 + FEATURE_NAME_LEN;
	     len -= 2 + FEATURE_NAME_LEN, entry += 2 + FEATURE_NAME_LEN) {
		if (entry[0] || entry[1] != bit)
			continue;
		snprintf(out, out_len, "its incompatible feature '%.*s'",
			 (int)FEATURE_NAME_LEN, (const char *)entry + 2);
		for (; *out; out++)
			if (!isprint((unsigned char)*out))
				*out = '?';
		return;
	}
}

static int check_incompatible(const struct source *src, u64 features,
			      size_t extensions)
{
	char name[96];

	if (features & INCOMPAT_DATA_FILE)
		return unsupported(src, "an external data file", "");
	if (features & INCOMPAT_COMPRESSION)
		return unsupported(src, "its compression (zstd)",
				   " -o compression_type=zlib");
	if (features & INCOMPAT_EXTENDED_L2)
		return unsupported(src, "what it uses (extended L2 entries)",
				   " -o extended_l2=off");
	for (unsigned int bit = 5; bit < 64; bit++) {
		if (!(features & BIT64(bit)))
			continue;
		feature_name(src, extensions, bit, name, sizeof(name));
		return unsupported(src, name, "");
	}
	return 0;
}

/* ---- Fields ---- */

static int parse_features(const struct source *src, struct qcow2_header *out,
			  size_t *extensions)
{
	u64 features;
	u32 len;

	out->refcount_order = 4;
	*extensions = V2_LEN;
	if (out->version == 2)
		return 0;
	if (src->len < V3_LEN)
		return damaged(src, "its length", src->len);
	len = get32(src, 100);
	if (len < V3_LEN || len % 8 || len > src->len)
		return damaged(src, "header_length", len);
	*extensions = len;
	features = get64(src, 72);
	out->dirty = features & INCOMPAT_DIRTY;
	out->corrupt = features & INCOMPAT_CORRUPT;
	out->autoclear = get64(src, QCOW2_AUTOCLEAR_AT);
	out->refcount_order = get32(src, 96);
	if (out->refcount_order > 6)
		return damaged(src, "refcount_order", out->refcount_order);
	return check_incompatible(src, features, len);
}

/* A table of @len bytes at @offset: aligned, and where the file is. */
static bool is_in_file(const struct source *src, u64 offset, u64 len,
		       u64 cluster_len)
{
	return offset && !(offset & (cluster_len - 1)) &&
	       range_within(offset, len, align_up(src->file_len, cluster_len));
}

static int parse_l1(const struct source *src, struct qcow2_header *out)
{
	unsigned int covered_bits = 2 * out->cluster_bits - 3;
	u64 entries = get32(src, 36);
	u64 needed;

	out->len = get64(src, 24);
	if (out->len > QCOW2_MAX_FILE_LEN)
		return damaged(src, "size", out->len);
	needed = (out->len + BIT64(covered_bits) - 1) >> covered_bits;
	if (entries < needed || entries * sizeof(u64) > QCOW2_MAX_L1_LEN)
		return damaged(src, "l1_size", entries);
	out->l1_entries = (u32)needed;
	out->l1_offset = get64(src, 40);
	if (needed && !is_in_file(src, out->l1_offset, needed * sizeof(u64),
				  BIT64(out->cluster_bits)))
		return damaged(src, "l1_table_offset", out->l1_offset);
	return 0;
}

static int parse_reftable(const struct source *src, struct qcow2_header *out)
{
	u64 clusters = get32(src, 56);
	u64 len = clusters << out->cluster_bits;

	if (!clusters || len > QCOW2_MAX_REFTABLE_LEN)
		return damaged(src, "refcount_table_clusters", clusters);
	out->reftable_clusters = (u32)clusters;
	out->reftable_offset = get64(src, QCOW2_REFTABLE_AT);
	if (!is_in_file(src, out->reftable_offset, len,
			BIT64(out->cluster_bits)))
		return damaged(src, "refcount_table_offset",
			       out->reftable_offset);
	return 0;
}

/* Snapshots are left alone: only where they are can be wrong. */
static int check_snapshots(const struct source *src,
			   const struct qcow2_header *out)
{
	u32 nr = get32(src, 60);

	if (nr > MAX_SNAPSHOTS)
		return damaged(src, "nb_snapshots", nr);
	if (nr && !is_in_file(src, get64(src, 64), 40ULL * nr,
			      BIT64(out->cluster_bits)))
		return damaged(src, "snapshots_offset", get64(src, 64));
	return 0;
}

static int parse_backing(const struct source *src, struct qcow2_header *out,
			 size_t extensions)
{
	u64 offset = get64(src, 8);
	u32 len = get32(src, 16);
	const u8 *format;

	if (!offset)
		return 0;
	if (!len || len > QCOW2_MAX_BACKING_NAME)
		return damaged(src, "backing_file_size", len);
	if (offset < extensions || !range_within(offset, len, src->len) ||
	    memchr(src->bytes + offset, '\0', len))
		return damaged(src, "backing_file_offset", offset);
	memcpy(out->backing, src->bytes + offset, len);
	format = find_extension(src, extensions, EXT_BACKING_FORMAT, &len);
	if (format && len < sizeof(out->backing_format))
		memcpy(out->backing_format, format, len);
	return 0;
}

static int parse_first_fields(const struct source *src,
			      struct qcow2_header *out)
{
	if (src->len < V2_LEN || memcmp(src->bytes, "QFI\xfb", 4))
		return fail(src->why, -EINVAL, "disk %s: is no qcow2 image",
			    src->path);
	out->version = get32(src, 4);
	if (out->version != 2 && out->version != 3)
		return fail(src->why, -ENOTSUP,
			    "disk %s: is of version %u, and lkvm knows qcow2's "
			    "versions 2 and 3",
			    src->path, out->version);
	out->cluster_bits = get32(src, 20);
	if (out->cluster_bits < QCOW2_MIN_CLUSTER_BITS ||
	    out->cluster_bits > QCOW2_MAX_CLUSTER_BITS)
		return damaged(src, "cluster_bits", out->cluster_bits);
	if (get32(src, 32))
		return unsupported(src, "encryption", "");
	return 0;
}

int qcow2_header_parse(const u8 *bytes, size_t len, u64 file_len,
		       const char *path, struct qcow2_header *out,
		       struct failure *why)
{
	struct source src = { bytes, len, file_len, path, why };
	size_t extensions;
	int err;

	*out = (struct qcow2_header){ 0 };
	err = parse_first_fields(&src, out);
	if (err)
		return err;
	/* Names and extensions are part of the first cluster. */
	if (src.len > BIT64(out->cluster_bits))
		src.len = BIT64(out->cluster_bits);
	err = parse_features(&src, out, &extensions);
	if (!err)
		err = parse_l1(&src, out);
	if (!err)
		err = parse_reftable(&src, out);
	if (!err)
		err = check_snapshots(&src, out);
	if (!err)
		err = parse_backing(&src, out, extensions);
	return err;
}
