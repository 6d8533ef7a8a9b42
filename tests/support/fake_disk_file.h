/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file below a disk format that remembers what a flush has made stable: for
 * simulated crashes. Each write since the last flush may or may not have reached
 * the disk when the power fails.
 */
#ifndef LKVM_TESTS_FAKE_DISK_FILE_H
#define LKVM_TESTS_FAKE_DISK_FILE_H

#include "backend/disk_priv.h"

struct fake_write;

struct fake_disk_file {
	struct disk disk; /* give a pointer to it to disk_qcow2_open() */
	int fd;		  /* a memory file: what a reader sees; borrowed */
	int stable_fd;	  /* as of the last flush; owned */
	struct fake_write *writes; /* since the last flush; owned */
	unsigned int nr_writes, max_writes;
	unsigned int changes; /* writes, ever */
	/* Before a flush has made anything stable. Optional. */
	void (*on_flush)(struct fake_disk_file *file);
	/* This change and all later ones fail with -ENOSPC; 0: none. */
	unsigned int fail_at;
};

/* On the heap, since who opens a disk on it frees disk. @fd stays yours. */
struct fake_disk_file *fake_disk_file_create(int fd, bool read_only);

/*
 * Power fails now: what is on the disk, in a new memory file. Of the writes
 * since the last flush some made it, and some of their sectors, as @seed says.
 * @killed: the process dies instead, and the first so many writes are there.
 */
int fake_disk_file_crash(struct fake_disk_file *file, unsigned int *seed,
			 bool killed);

#endif
