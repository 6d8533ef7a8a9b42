/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/iov.h"

#include <string.h>

u64 iov_len(const struct iovec *iov, unsigned int nr)
{
	u64 len = 0;

	while (nr--)
		len += iov++->iov_len;
	return len;
}

/* The part of @entry behind *@offset bytes, at most @max; *@offset shrinks. */
static size_t iov_piece(const struct iovec *entry, u64 *offset, size_t max,
			u8 **start)
{
	size_t skip = *offset < entry->iov_len ? *offset : entry->iov_len;
	size_t len = entry->iov_len - skip;

	*offset -= skip;
	*start = (u8 *)entry->iov_base + skip;
	return len < max ? len : max;
}

size_t iov_to_buf(const struct iovec *iov, unsigned int nr, u64 offset,
		  void *buf, size_t len)
{
	size_t done = 0;

	for (; nr && done < len; nr--, iov++) {
		u8 *start;
		size_t piece = iov_piece(iov, &offset, len - done, &start);

		memcpy((u8 *)buf + done, start, piece);
		done += piece;
	}
	return done;
}

size_t iov_from_buf(const struct iovec *iov, unsigned int nr, u64 offset,
		    const void *buf, size_t len)
{
	size_t done = 0;

	for (; nr && done < len; nr--, iov++) {
		u8 *start;
		size_t piece = iov_piece(iov, &offset, len - done, &start);

		memcpy(start, (const u8 *)buf + done, piece);
		done += piece;
	}
	return done;
}

u64 iov_drop_front(struct iovec **iov, unsigned int *nr, u64 bytes)
{
	u64 left = bytes;

	while (*nr && left >= (*iov)->iov_len) {
		left -= (*iov)->iov_len;
		(*iov)++;
		(*nr)--;
	}
	if (!*nr || !left)
		return bytes - left;
	(*iov)->iov_base = (u8 *)(*iov)->iov_base + left;
	(*iov)->iov_len -= left;
	return bytes;
}

u64 iov_drop_back(struct iovec *iov, unsigned int *nr, u64 bytes)
{
	u64 left = bytes;

	while (*nr && left >= iov[*nr - 1].iov_len) {
		left -= iov[*nr - 1].iov_len;
		(*nr)--;
	}
	if (!*nr || !left)
		return bytes - left;
	iov[*nr - 1].iov_len -= left;
	return bytes;
}

bool iov_is_aligned(const struct iovec *iov, unsigned int nr, size_t align)
{
	size_t bits = 0;

	for (; nr; nr--, iov++)
		bits |= (uintptr_t)iov->iov_base | iov->iov_len;
	return !(bits & (align - 1));
}
