/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the parts of the 9P device:
 *   p9.c          the device, its queue, its threads, flush
 *   p9_message.c  from a chain to an operation, and back
 *   p9_session.c  version, attach, walk, clunk: what fids there are
 *   p9_file.c     open files: read, write, directories, locks
 *   p9_tree.c     names: create, link, rename, remove
 *   p9_attr.c     attributes, extended ones too
 *   p9_fid.c      the table of fids
 *   p9_wire.c     numbers and strings of messages
 */
#ifndef LKVM_VIRTIO_P9_PRIV_H
#define LKVM_VIRTIO_P9_PRIV_H

#include <linux/virtio_9p.h>
#include <pthread.h>
#include "lkvm/share.h"
#include "lkvm/virtio.h"
#include "virtio/p9_fid.h"
#include "virtio/p9_wire.h"

/*
 * Linux's driver uses 128 entries at most. Others may send messages of 1 MiB in
 * scattered pages.
 */
#define P9_QUEUE_SIZE 512U
/* Threads, each of which serves a request: so many may wait for the host. */
#define P9_WORKERS 8U
/* Requests taken from the queue: those being served, and flushes that wait. */
#define P9_REQUESTS 64U
#define P9_MAX_MSIZE (1024U * 1024)
#define P9_MIN_MSIZE 4096U
/* Longest request but for a write's data: walks of 16 long names, links. */
#define P9_MAX_REQUEST 8192U
/* Longest reply but for a read's data: 16 qids, the target of a link. */
#define P9_MAX_REPLY 8192U
/* Directory entries of one request. */
#define P9_MAX_ENTRIES_LEN 32768U

struct p9;

/* A chain of the queue. All of them are allocated with the device. */
struct p9_request {
	struct p9_request *next; /* in free, in_flight or an older's flushes */
	struct p9_request *flushes; /* answered after this one */
	struct virtq_chain chain;
	u8 type;
	u16 tag;
	u32 written; /* length of the reply */
	struct iovec iov[P9_QUEUE_SIZE];
};

/* What one thread needs to serve a request. */
struct p9_worker {
	struct p9 *p9;
	pthread_t thread;
	struct iovec data[P9_QUEUE_SIZE]; /* where data comes from, or goes */
	u8 message[P9_MAX_REQUEST];
	u8 reply[P9_MAX_REPLY];
	u64 raw_entries[P9_MAX_ENTRIES_LEN / sizeof(u64)]; /* the host's */
	u8 entries[P9_MAX_ENTRIES_LEN];			   /* the guest's */
};

/* One message while it is served: the arguments of every operation. */
struct p9_op {
	struct p9 *p9;
	struct p9_worker *worker;
	const struct virtq_chain *chain;
	struct p9_reader in;  /* behind the header */
	struct p9_writer out; /* the reply, with room for a header in front */
	u64 data_len; /* already in the guest's buffers, behind the reply */
};

struct p9 {
	struct virtio_device vdev;
	struct share *share;		 /* owned */
	struct virtio_9p_config *config; /* owned; const after creation */
	struct p9_request *requests;	 /* owned */
	struct p9_worker *workers;	 /* owned */
	unsigned int nr_workers;	 /* threads that run */
	int epoll_fd;			 /* tells one thread of a kick */

	pthread_mutex_t lock; /* guards the queue and all below */
	pthread_cond_t idle;  /* in_flight has become empty */
	bool is_running;      /* requests may be taken */
	bool is_stopping;     /* threads shall leave */
	struct p9_request *free;
	struct p9_request *in_flight; /* newest first */
	unsigned int nr_serving;

	/* Requests hold it for reading; a new session for writing. */
	pthread_rwlock_t session;
	u32 msize; /* 0: no session; guarded by it */
	struct p9_fids fids;
};

struct share_config;

/*
 * Create one for @share, which it owns from now on, on failure too, with fids of
 * @max_files descriptors. Not on a bus yet; its threads wait.
 */
int p9_create(const struct memory *mem, struct share *share, const char *tag,
	      unsigned int max_files, struct p9 **out);
/* Stops the threads, frees everything. Accepts NULL and half-built ones. */
void p9_destroy(struct p9 *p9);

/* ---- p9_message.c ---- */

/* Read type and tag of a request that was taken from the queue. */
void p9_request_begin(struct p9_request *req);
/* What it asks for, and its reply. Sets req->written. */
void p9_request_serve(struct p9_worker *worker, struct p9_request *req);
/* The reply to a flush. */
void p9_request_flushed(struct p9_request *req);
/* The tag that a flush is for. */
u16 p9_request_old_tag(const struct p9_request *req);

/*
 * Operations: read op->in, write op->out. 0 or a negative errno. Arguments are
 * checked with p9_args_ok() before they are used.
 */
typedef int p9_op_fn(struct p9_op *op);

/* Was the message long enough for all that was read from it? */
static inline bool p9_args_ok(const struct p9_op *op)
{
	return !op->in.is_short;
}

/* The fid of the next argument; -EBADF. With a reference. */
int p9_get_fid(struct p9_op *op, struct p9_fid **fid);
/* The same, and it must be a file: not an extended attribute. */
int p9_get_file(struct p9_op *op, struct p9_fid **fid);
/* To the reply: the qid of a file whose attributes are @st. */
int p9_reply_qid_of(struct p9_op *op, const struct stat *st);
/* The same, looking at the file. */
int p9_reply_qid(struct p9_op *op, struct share_node *node);
/* At most how much data the reply to a read may have. */
u32 p9_room(const struct p9_op *op, u32 count);

/* p9_session.c */
p9_op_fn p9_version, p9_auth, p9_attach, p9_walk, p9_clunk, p9_flush;
/* p9_file.c */
p9_op_fn p9_lopen, p9_lcreate, p9_read, p9_write, p9_fsync;
/* p9_lock.c */
p9_op_fn p9_lock, p9_getlock;
/* p9_readdir.c */
p9_op_fn p9_readdir;
/* p9_tree.c */
p9_op_fn p9_symlink, p9_mknod, p9_mkdir, p9_link, p9_rename, p9_renameat,
	p9_unlinkat, p9_remove, p9_readlink;
/* p9_attr.c */
p9_op_fn p9_statfs, p9_getattr, p9_setattr;
/* p9_xattr.c */
p9_op_fn p9_xattrwalk, p9_xattrcreate;

/* Data of extended attributes. */
int p9_xattr_read(struct p9_op *op, struct p9_fid *fid, u64 offset, u32 count);
int p9_xattr_write(struct p9_op *op, struct p9_fid *fid, u64 offset, u32 count);
/* A fid is clunked: what was written becomes the attribute's value. */
int p9_xattr_finish(struct p9_op *op, struct p9_fid *fid);

/* Data from the guest, behind a write's arguments; @count of it are there. */
struct iovec *p9_data_out(struct p9_op *op, u32 count, unsigned int *nr);
/* Where the guest wants data, behind a read's reply; @count fit. */
struct iovec *p9_data_in(struct p9_op *op, u32 count, unsigned int *nr);

#endif
