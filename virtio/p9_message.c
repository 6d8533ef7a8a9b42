/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the 9P device: a chain has the request in what the driver sent, and
 * room for the reply behind it. Requests are copied before they are read, but for
 * the data of a write, which goes to the file from where it is.
 *
 * Whatever is wrong with a request, it gets a reply: Rlerror.
 */
#include "virtio/p9_priv.h"

#include <errno.h>
#include <string.h>
#include "lkvm/iov.h"

struct header {
	u32 len;
	u8 type;
	u16 tag;
};

static bool read_header(const struct virtq_chain *chain, struct header *header)
{
	u8 bytes[P9_HEADER_LEN];
	struct p9_reader in = { .at = bytes, .left = sizeof(bytes) };
	size_t got =
		iov_to_buf(chain->iov, chain->nr_out, 0, bytes, sizeof(bytes));

	header->len = p9_get_u32(&in);
	header->type = p9_get_u8(&in);
	header->tag = p9_get_u16(&in);
	return got == sizeof(bytes);
}

void p9_request_begin(struct p9_request *req)
{
	struct header header;
	bool ok = read_header(&req->chain, &header);

	req->type = ok ? header.type : 0;
	req->tag = ok ? header.tag : P9_NO_TAG;
	req->written = 0;
	req->flushes = NULL;
}

u16 p9_request_old_tag(const struct p9_request *req)
{
	u16 tag = P9_NO_TAG;

	iov_to_buf(req->chain.iov, req->chain.nr_out, P9_HEADER_LEN, &tag,
		   sizeof(tag));
	return tag;
}

/* ---- Replies ---- */

/* The header goes before what the operation wrote. */
static void send_reply(struct p9_request *req, u8 type, u8 *reply, size_t len,
		       u64 data_len)
{
	const struct virtq_chain *chain = &req->chain;

	p9_put_header(reply, (u32)(len + data_len), type, req->tag);
	iov_from_buf(chain->iov + chain->nr_out, chain->nr_in, 0, reply, len);
	req->written = (u32)(len + data_len);
}

static void send_error(struct p9_request *req, int err)
{
	u8 reply[P9_RLERROR_LEN];
	struct p9_writer out = {
		.buf = reply,
		.size = sizeof(reply),
		.len = P9_HEADER_LEN,
	};

	/* No room for even that: the queue is broken, as p9.c will see. */
	if (req->chain.in_len < sizeof(reply))
		return;
	p9_put_u32(&out, (u32)-err);
	send_reply(req, P9_RLERROR, reply, out.len, 0);
}

void p9_request_flushed(struct p9_request *req)
{
	u8 reply[P9_HEADER_LEN];

	if (req->chain.in_len >= sizeof(reply))
		send_reply(req, P9_TFLUSH + 1, reply, sizeof(reply), 0);
}

/* ---- Operations ---- */

static p9_op_fn *find_op(u8 type)
{
	static p9_op_fn *const ops[] = {
		[P9_TSTATFS] = p9_statfs,
		[P9_TLOPEN] = p9_lopen,
		[P9_TLCREATE] = p9_lcreate,
		[P9_TSYMLINK] = p9_symlink,
		[P9_TMKNOD] = p9_mknod,
		[P9_TRENAME] = p9_rename,
		[P9_TREADLINK] = p9_readlink,
		[P9_TGETATTR] = p9_getattr,
		[P9_TSETATTR] = p9_setattr,
		[P9_TXATTRWALK] = p9_xattrwalk,
		[P9_TXATTRCREATE] = p9_xattrcreate,
		[P9_TREADDIR] = p9_readdir,
		[P9_TFSYNC] = p9_fsync,
		[P9_TLOCK] = p9_lock,
		[P9_TGETLOCK] = p9_getlock,
		[P9_TLINK] = p9_link,
		[P9_TMKDIR] = p9_mkdir,
		[P9_TRENAMEAT] = p9_renameat,
		[P9_TUNLINKAT] = p9_unlinkat,
		[P9_TVERSION] = p9_version,
		[P9_TAUTH] = p9_auth,
		[P9_TATTACH] = p9_attach,
		[P9_TFLUSH] = p9_flush,
		[P9_TWALK] = p9_walk,
		[P9_TREAD] = p9_read,
		[P9_TWRITE] = p9_write,
		[P9_TCLUNK] = p9_clunk,
		[P9_TREMOVE] = p9_remove,
	};

	return type < ARRAY_SIZE(ops) ? ops[type] : NULL;
}

/*
 * The request without a write's data. Old Linux drivers leave those out of the
 * length, so there the chain counts.
 */
static int copy_message(struct p9_op *op, u8 type)
{
	const struct virtq_chain *chain = op->chain;
	u8 *message = op->worker->message;
	struct header header;
	size_t len;

	if (!read_header(chain, &header) || header.len < P9_HEADER_LEN)
		return -EINVAL;
	len = type == P9_TWRITE ? P9_TWRITE_DATA : header.len;
	if (len > P9_MAX_REQUEST)
		return -EMSGSIZE;
	if (iov_to_buf(chain->iov, chain->nr_out, 0, message, len) < len)
		return -EINVAL;
	op->in = (struct p9_reader){
		.at = message + P9_HEADER_LEN,
		.left = len - P9_HEADER_LEN,
	};
	return 0;
}

static int run_op(struct p9_op *op, u8 type)
{
	struct p9 *p9 = op->p9;
	p9_op_fn *fn = find_op(type);
	int err = copy_message(op, type);

	if (err)
		return err;
	if (!fn)
		return -EOPNOTSUPP;
	if (type == P9_TVERSION)
		pthread_rwlock_wrlock(&p9->session);
	else
		pthread_rwlock_rdlock(&p9->session);
	err = p9->msize || type == P9_TVERSION ? fn(op) : -EPROTO;
	pthread_rwlock_unlock(&p9->session);
	return err;
}

void p9_request_serve(struct p9_worker *worker, struct p9_request *req)
{
	struct p9_op op = {
		.p9 = worker->p9,
		.worker = worker,
		.chain = &req->chain,
		.out = {
			.buf = worker->reply,
			.size = sizeof(worker->reply),
			.len = P9_HEADER_LEN,
		},
	};
	int err = run_op(&op, req->type);

	if (!err &&
	    (op.out.is_full || op.out.len + op.data_len > req->chain.in_len))
		err = -EMSGSIZE;
	if (err)
		send_error(req, err);
	else
		send_reply(req, req->type + 1, op.out.buf, op.out.len,
			   op.data_len);
}

/* ---- For operations ---- */

int p9_get_fid(struct p9_op *op, struct p9_fid **fid)
{
	u32 id = p9_get_u32(&op->in);

	if (!p9_args_ok(op))
		return -EINVAL;
	*fid = p9_fid_get(&op->p9->fids, id);
	return *fid ? 0 : -EBADF;
}

int p9_get_file(struct p9_op *op, struct p9_fid **fid)
{
	int err = p9_get_fid(op, fid);

	if (err)
		return err;
	if ((*fid)->kind == P9_FID_PATH || (*fid)->kind == P9_FID_OPEN)
		return 0;
	p9_fid_put(*fid);
	*fid = NULL;
	return -EBADF;
}

/* The version lets a client see that what it has cached is old. */
static int qid_of(struct p9_op *op, const struct stat *st, struct p9_qid *qid)
{
	qid->type = 0;
	if (S_ISDIR(st->st_mode))
		qid->type = P9_QID_DIR;
	else if (S_ISLNK(st->st_mode))
		qid->type = P9_QID_SYMLINK;
	qid->version = (u32)st->st_mtim.tv_sec ^ (u32)st->st_mtim.tv_nsec ^
		       (u32)st->st_size << 8;
	return share_id(op->p9->share, st->st_dev, st->st_ino, &qid->path);
}

int p9_reply_qid_of(struct p9_op *op, const struct stat *st)
{
	struct p9_qid qid;
	int err = qid_of(op, st, &qid);

	if (!err)
		p9_put_qid(&op->out, &qid);
	return err;
}

int p9_reply_qid(struct p9_op *op, struct share_node *node)
{
	struct stat st;
	int err = share_stat(op->p9->share, node, &st);

	return err ? err : p9_reply_qid_of(op, &st);
}

u32 p9_room(const struct p9_op *op, u32 count)
{
	u64 room = op->p9->msize;

	if (room > op->chain->in_len)
		room = op->chain->in_len;
	room = room > P9_RREAD_DATA ? room - P9_RREAD_DATA : 0;
	return count < room ? count : (u32)room;
}

/* @count bytes of a list, from @offset on, which are there. */
static struct iovec *cut(struct p9_op *op, const struct iovec *iov,
			 unsigned int *nr, u64 len, u64 offset, u32 count)
{
	struct iovec *data = op->worker->data;

	memcpy(data, iov, *nr * sizeof(*iov));
	iov_drop_back(data, nr, len - offset - count);
	iov_drop_front(&data, nr, offset);
	return data;
}

struct iovec *p9_data_out(struct p9_op *op, u32 count, unsigned int *nr)
{
	const struct virtq_chain *chain = op->chain;

	*nr = chain->nr_out;
	return cut(op, chain->iov, nr, chain->out_len, P9_TWRITE_DATA, count);
}

struct iovec *p9_data_in(struct p9_op *op, u32 count, unsigned int *nr)
{
	const struct virtq_chain *chain = op->chain;

	*nr = chain->nr_in;
	return cut(op, chain->iov + chain->nr_out, nr, chain->in_len,
		   P9_RREAD_DATA, count);
}
