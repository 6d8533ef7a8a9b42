/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of buffers (struct iovec): copying and trimming. Entries of length 0
 * are legal everywhere.
 */
#ifndef LKVM_IOV_H
#define LKVM_IOV_H

#include <sys/uio.h>
#include "lkvm/types.h"

u64 iov_len(const struct iovec *iov, unsigned int nr);

/*
 * Copy between a flat buffer and a list, from byte @offset of the list. Returns
 * the bytes copied: less than @len where the list ends first.
 */
size_t iov_to_buf(const struct iovec *iov, unsigned int nr, u64 offset,
		  void *buf, size_t len);
size_t iov_from_buf(const struct iovec *iov, unsigned int nr, u64 offset,
		    const void *buf, size_t len);

/*
 * Drop @bytes from the front or the back of a list, in place: *iov and *nr
 * change, and so does the entry that is cut. Returns the bytes dropped.
 */
u64 iov_drop_front(struct iovec **iov, unsigned int *nr, u64 bytes);
u64 iov_drop_back(struct iovec *iov, unsigned int *nr, u64 bytes);

/* Are all addresses and lengths multiples of @align, a power of two? */
bool iov_is_aligned(const struct iovec *iov, unsigned int nr, size_t align);

#endif
