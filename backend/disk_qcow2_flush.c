/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order in which changes of tables reach the file. Each step is stable
 * before the next one begins, so that nothing in the file ever refers to what
 * is not there (see disk_qcow2_priv.h).
 */
#include "backend/disk_qcow2_priv.h"

#include <errno.h>

bool qcow2_has_changes(const struct qcow2 *q)
{
	return q->refcounts.nr_dirty || q->l2.nr_dirty || q->nr_dead ||
	       q->l1_dirty_end > q->l1_dirty_first ||
	       q->reftable_dirty_end > q->reftable_dirty_first;
}

/* Entries [@first, @end) of a table at @offset. */
static int write_entries(struct qcow2 *q, u64 offset, const u64 *table,
			 u32 *first, u32 *end)
{
	int err = qcow2_file_write(q, offset + *first * sizeof(u64),
				   table + *first,
				   (*end - *first) * sizeof(u64));

	if (!err)
		*first = *end = 0;
	return err;
}

/* Blocks, then the table that leads to new ones. */
static int write_refcounts(struct qcow2 *q)
{
	int err = qcow2_cache_write(q, &q->refcounts);

	if (err || q->reftable_dirty_first == q->reftable_dirty_end)
		return err;
	err = qcow2_file_sync(q);
	if (err)
		return err;
	return write_entries(q, q->header.reftable_offset, q->reftable,
			     &q->reftable_dirty_first, &q->reftable_dirty_end);
}

/*
 * What leads to data and to L2 tables. New tables were filled when they were
 * made, so that these two need no order.
 */
static int write_mapping(struct qcow2 *q)
{
	bool has_l1 = q->l1_dirty_end > q->l1_dirty_first;
	int err;

	if (!q->l2.nr_dirty && !has_l1)
		return 0;
	err = qcow2_file_sync(q);
	if (!err)
		err = qcow2_cache_write(q, &q->l2);
	if (err || !has_l1)
		return err;
	return write_entries(q, q->header.l1_offset, q->l1, &q->l1_dirty_first,
			     &q->l1_dirty_end);
}

/* Nothing in the file refers to them any more. */
static int bury_the_dead(struct qcow2 *q)
{
	unsigned int nr = q->nr_dead;
	int err = 0;

	q->nr_dead = 0;
	for (unsigned int i = 0; i < nr && !err; i++)
		err = qcow2_unref(q, q->dead[i].first, q->dead[i].count);
	return err;
}

int qcow2_flush_tables(struct qcow2 *q)
{
	int err = q->failed ? -EIO : write_refcounts(q);

	if (!err)
		err = write_mapping(q);
	if (!err)
		err = qcow2_file_sync(q);
	return err ? err : bury_the_dead(q);
}
