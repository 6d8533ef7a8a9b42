/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file behind flash memory, mapped (backend/flash_file.c): what is written
 * to the mapping is in the file.
 */
#ifndef LKVM_FLASH_FILE_H
#define LKVM_FLASH_FILE_H

#include "lkvm/types.h"

struct failure;

struct flash_file {
	int fd;	  /* keeps others out; -1: closed */
	u8 *data; /* the file, from its beginning */
	u64 len;  /* a power of two, at most what was asked for */
};

#define FLASH_FILE_NONE                                                        \
	{                                                                      \
		.fd = -1                                                       \
	}

/* 1 MiB to @max bytes, rounded down to a power of two, with a warning. */
int flash_file_open(struct flash_file *file, const char *path, u64 max,
		    struct failure *why);
/* Accepts FLASH_FILE_NONE. */
void flash_file_close(struct flash_file *file);

#endif
