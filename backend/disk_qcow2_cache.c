/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pieces of L2 tables and refcount blocks, as many as the budget has room for:
 * a cache of sets, each with a few ways, so that a lookup looks at few slots
 * whatever the size. Tables of large clusters are cached by pages.
 */
#include "backend/disk_qcow2_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WAYS 8U
#define MAX_SLICE_LEN 4096U

int qcow2_cache_init(struct qcow2_cache *cache, u64 cluster_len, u64 budget)
{
	void *data;

	cache->slice_len = cluster_len < MAX_SLICE_LEN ? (u32)cluster_len
						       : MAX_SLICE_LEN;
	cache->nr_slices = (unsigned int)(budget / cache->slice_len);
	cache->slices = calloc(cache->nr_slices, sizeof(*cache->slices));
	if (!cache->slices)
		return -ENOMEM;
	data = mmap(NULL, (size_t)cache->nr_slices * cache->slice_len,
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return -ENOMEM;
	cache->data = data;
	return 0;
}

void qcow2_cache_release(struct qcow2_cache *cache)
{
	if (cache->data)
		munmap(cache->data,
		       (size_t)cache->nr_slices * cache->slice_len);
	free(cache->slices);
	*cache = (struct qcow2_cache){ 0 };
}

static u8 *slice_data(const struct qcow2_cache *cache, unsigned int index)
{
	return cache->data + (size_t)index * cache->slice_len;
}

/* First slot of the set that @offset belongs to; neighbours differ. */
static unsigned int first_way(const struct qcow2_cache *cache, u64 offset)
{
	u64 sets = cache->nr_slices / WAYS;

	return (unsigned int)(offset / cache->slice_len % sets * WAYS);
}

static bool find(const struct qcow2_cache *cache, u64 offset,
		 unsigned int *index)
{
	unsigned int first = first_way(cache, offset);

	for (*index = first; *index < first + WAYS; (*index)++)
		if (cache->slices[*index].offset == offset)
			return true;
	return false;
}

/* The slot of a set that was not used for longest, and is not dirty. */
static bool find_victim(const struct qcow2_cache *cache, u64 offset,
			unsigned int *victim)
{
	unsigned int first = first_way(cache, offset);
	u64 oldest = UINT64_MAX;

	for (unsigned int i = first; i < first + WAYS; i++) {
		const struct qcow2_slice *slice = &cache->slices[i];

		if (slice->dirty || slice->stamp >= oldest)
			continue;
		oldest = slice->stamp;
		*victim = i;
	}
	return oldest != UINT64_MAX;
}

int qcow2_cache_get(struct qcow2 *q, struct qcow2_cache *cache, u64 offset,
		    u8 **out)
{
	unsigned int index;
	int err;

	offset = align_down(offset, cache->slice_len);
	if (!find(cache, offset, &index)) {
		if (!find_victim(cache, offset, &index))
			return -EAGAIN;
		cache->slices[index].offset = 0;
		err = qcow2_file_read(q, offset, slice_data(cache, index),
				      cache->slice_len);
		if (err)
			return err;
		cache->slices[index].offset = offset;
	}
	cache->slices[index].stamp = ++cache->stamp;
	*out = slice_data(cache, index);
	return 0;
}

void qcow2_cache_dirty(struct qcow2_cache *cache, const u8 *piece)
{
	size_t index = (size_t)(piece - cache->data) / cache->slice_len;

	if (cache->slices[index].dirty)
		return;
	cache->slices[index].dirty = true;
	cache->nr_dirty++;
}

int qcow2_cache_write(struct qcow2 *q, struct qcow2_cache *cache)
{
	for (unsigned int i = 0; i < cache->nr_slices && cache->nr_dirty; i++) {
		struct qcow2_slice *slice = &cache->slices[i];
		int err;

		if (!slice->dirty)
			continue;
		err = qcow2_file_write(q, slice->offset, slice_data(cache, i),
				       cache->slice_len);
		if (err)
			return err;
		slice->dirty = false;
		cache->nr_dirty--;
	}
	return 0;
}
