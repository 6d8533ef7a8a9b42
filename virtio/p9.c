/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The 9P device (virtio 1.2 gives it the ID 9; its queue and configuration are
 * those of Linux's driver, linux/virtio_9p.h): a directory of the host, which the
 * guest mounts by its tag.
 *
 * A few threads serve one queue. Whoever wakes up takes a request and serves it
 * himself, so that a request alone changes no thread; those that come meanwhile
 * wake others, so that one which waits for the host keeps nobody waiting.
 */
#include "virtio/p9_priv.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "lkvm/confine.h"
#include "lkvm/devices.h"
#include "lkvm/kvm.h"
#include "lkvm/thread.h"

#define P9_CLASS 0xff0000 /* no class of its own */

static struct virtq *p9_queue(struct p9 *p9)
{
	return &p9->vdev.queues[0];
}

/* ---- Requests; all with the lock held ---- */

/* Is @tag that of @req, or of a flush that waits behind it? */
static bool answers_to(const struct p9_request *req, u16 tag)
{
	const struct p9_request *flush = req->flushes;

	if (req->tag == tag)
		return true;
	while (flush && flush->tag != tag)
		flush = flush->next;
	return flush;
}

/*
 * A flush is answered after the request that it is for (9P manual, flush(5)), and
 * waits behind it; so do flushes of flushes. True: it has to.
 */
static bool wait_for_old_locked(struct p9 *p9, struct p9_request *flush)
{
	struct p9_request *old = p9->in_flight;
	struct p9_request **last;
	u16 tag;

	if (flush->type != P9_TFLUSH)
		return false;
	tag = p9_request_old_tag(flush);
	while (old && !answers_to(old, tag))
		old = old->next;
	if (!old)
		return false;
	for (last = &old->flushes; *last; last = &(*last)->next)
		;
	flush->next = NULL;
	*last = flush;
	return true;
}

static void free_request_locked(struct p9 *p9, struct p9_request *req)
{
	req->next = p9->free;
	p9->free = req;
}

/* The next request that has to be served; NULL: none, or none may be taken. */
static struct p9_request *take_locked(struct p9 *p9)
{
	struct virtq *q = p9_queue(p9);

	while (p9->is_running && p9->free) {
		struct p9_request *req = p9->free;

		if (virtq_pop(q, &req->chain) <= 0) {
			if (virtq_enable_kicks(q))
				continue;
			return NULL;
		}
		p9->free = req->next;
		p9_request_begin(req);
		if (wait_for_old_locked(p9, req))
			continue;
		req->next = p9->in_flight;
		p9->in_flight = req;
		return req;
	}
	return NULL;
}

static void push_locked(struct p9 *p9, struct p9_request *req)
{
	if (req->written)
		virtq_push(p9_queue(p9), req->chain.head, req->written);
	else
		virtq_break(p9_queue(p9),
			    "a request has no room for its reply");
	free_request_locked(p9, req);
}

static void forget_locked(struct p9 *p9, const struct p9_request *req)
{
	struct p9_request **at = &p9->in_flight;

	while (*at != req)
		at = &(*at)->next;
	*at = req->next;
}

/* In the order in which they came. */
static void push_flushes_locked(struct p9 *p9, struct p9_request *list)
{
	while (list) {
		struct p9_request *flush = list;

		list = flush->next;
		p9_request_flushed(flush);
		push_locked(p9, flush);
	}
}

static void complete_locked(struct p9 *p9, struct p9_request *req)
{
	struct p9_request *flushes = req->flushes;

	forget_locked(p9, req);
	push_locked(p9, req);
	push_flushes_locked(p9, flushes);
	virtq_notify(p9_queue(p9));
	if (!p9->in_flight)
		pthread_cond_broadcast(&p9->idle);
}

/* ---- Threads ---- */

/*
 * Edge-triggered: every kick wakes one thread that waits here, and nobody has to
 * read the eventfd.
 */
static void wait_for_kick(struct p9 *p9)
{
	struct epoll_event event;

	while (epoll_wait(p9->epoll_fd, &event, 1, -1) < 0 && errno == EINTR)
		;
}

/* Serve until the queue is empty. Called, and returns, with the lock held. */
static void serve_locked(struct p9_worker *worker)
{
	struct p9 *p9 = worker->p9;
	struct p9_request *req;

	while ((req = take_locked(p9))) {
		/* Kicks stay on; if there is more already, it is another's. */
		if (virtq_enable_kicks(p9_queue(p9)))
			virtq_kick(p9_queue(p9));
		pthread_mutex_unlock(&p9->lock);
		p9_request_serve(worker, req);
		pthread_mutex_lock(&p9->lock);
		complete_locked(p9, req);
	}
}

static void *worker_main(void *arg)
{
	struct p9_worker *worker = arg;
	struct p9 *p9 = worker->p9;

	share_enter(p9->share);
	confine_thread(CONFINE_SHARE);
	pthread_mutex_lock(&p9->lock);
	while (!p9->is_stopping) {
		serve_locked(worker);
		pthread_mutex_unlock(&p9->lock);
		wait_for_kick(p9);
		pthread_mutex_lock(&p9->lock);
		virtq_count_wakeup(p9_queue(p9));
	}
	pthread_mutex_unlock(&p9->lock);
	/* One kick wakes one thread: tell the next. */
	virtq_kick(p9_queue(p9));
	return NULL;
}

static int start_workers(struct p9 *p9)
{
	int err = 0;

	while (!err && p9->nr_workers < P9_WORKERS) {
		struct p9_worker *worker = &p9->workers[p9->nr_workers];

		worker->p9 = p9;
		err = thread_start(&worker->thread, "virtio-9p", worker_main,
				   worker);
		if (!err)
			p9->nr_workers++;
	}
	return err;
}

static void stop_workers(struct p9 *p9)
{
	if (!p9->nr_workers)
		return;
	pthread_mutex_lock(&p9->lock);
	p9->is_stopping = true;
	pthread_mutex_unlock(&p9->lock);
	virtq_kick(p9_queue(p9));
	while (p9->nr_workers)
		pthread_join(p9->workers[--p9->nr_workers].thread, NULL);
}

/* ---- The device ---- */

static void p9_config_read(struct virtio_device *vdev, unsigned int offset,
			   void *buf, unsigned int len)
{
	const struct p9 *p9 = container_of(vdev, struct p9, vdev);

	memcpy(buf, (const u8 *)p9->config + offset, len);
}

static int p9_activate(struct virtio_device *vdev)
{
	struct p9 *p9 = container_of(vdev, struct p9, vdev);

	pthread_mutex_lock(&p9->lock);
	p9->is_running = true;
	pthread_mutex_unlock(&p9->lock);
	virtq_kick(p9_queue(p9));
	return 0;
}

/* What is being served is finished; flushes wait for nothing else. */
static void p9_deactivate(struct virtio_device *vdev)
{
	struct p9 *p9 = container_of(vdev, struct p9, vdev);

	pthread_mutex_lock(&p9->lock);
	p9->is_running = false;
	while (p9->in_flight)
		pthread_cond_wait(&p9->idle, &p9->lock);
	pthread_mutex_unlock(&p9->lock);
}

/* The next driver begins with a session of its own. */
static void p9_reset(struct virtio_device *vdev)
{
	struct p9 *p9 = container_of(vdev, struct p9, vdev);

	pthread_rwlock_wrlock(&p9->session);
	p9_fids_clear(&p9->fids);
	p9->msize = 0;
	pthread_rwlock_unlock(&p9->session);
}

/* deactivate() has finished all chains, and the session goes on. */
static void p9_queue_reset(struct virtio_device *vdev, struct virtq *q)
{
}

static const struct virtio_dev_ops p9_vdev_ops = {
	.name = "9p",
	.id = VIRTIO_ID_9P,
	.pci_class = P9_CLASS,
	.config_read = p9_config_read,
	.activate = p9_activate,
	.deactivate = p9_deactivate,
	.reset = p9_reset,
	.queue_reset = p9_queue_reset,
};

static unsigned int config_len(const char *tag)
{
	return (unsigned int)(sizeof(struct virtio_9p_config) + strlen(tag));
}

/* What cannot fail, so that p9_destroy() can undo it at any time. */
static void init_locks(struct p9 *p9, unsigned int max_files)
{
	pthread_mutex_init(&p9->lock, NULL);
	pthread_cond_init(&p9->idle, NULL);
	pthread_rwlock_init(&p9->session, NULL);
	p9_fids_init(&p9->fids, max_files);
	p9->epoll_fd = -1;
}

static int create_config(struct p9 *p9, const char *tag)
{
	p9->config = calloc(1, config_len(tag));
	if (!p9->config)
		return -ENOMEM;
	p9->config->tag_len = (u16)strlen(tag);
	memcpy(p9->config->tag, tag, strlen(tag));
	return 0;
}

static int create_requests(struct p9 *p9)
{
	p9->workers = calloc(P9_WORKERS, sizeof(*p9->workers));
	p9->requests = calloc(P9_REQUESTS, sizeof(*p9->requests));
	if (!p9->workers || !p9->requests)
		return -ENOMEM;
	/* Last one first: a slow queue depth touches the first ones only. */
	for (unsigned int i = P9_REQUESTS; i--;) {
		struct p9_request *req = &p9->requests[i];

		req->chain.iov = req->iov;
		req->chain.max_iov = ARRAY_SIZE(req->iov);
		free_request_locked(p9, req);
	}
	return 0;
}

static int watch_queue(struct p9 *p9)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	p9->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (p9->epoll_fd < 0 || epoll_ctl(p9->epoll_fd, EPOLL_CTL_ADD,
					  p9_queue(p9)->kick_fd, &event))
		return -errno;
	return 0;
}

static int p9_init(struct p9 *p9, const struct memory *mem, const char *tag)
{
	int err = create_config(p9, tag);

	if (!err)
		err = create_requests(p9);
	if (!err)
		err = virtio_device_init(&p9->vdev, &p9_vdev_ops, mem,
					 BIT64(VIRTIO_9P_MOUNT_TAG),
					 config_len(tag), 1, P9_QUEUE_SIZE);
	if (!err)
		err = watch_queue(p9);
	if (!err)
		err = start_workers(p9);
	return err;
}

int p9_create(const struct memory *mem, struct share *share, const char *tag,
	      unsigned int max_files, struct p9 **out)
{
	struct p9 *p9 = calloc(1, sizeof(*p9));
	int err;

	*out = NULL;
	if (!p9) {
		share_close(share);
		return -ENOMEM;
	}
	p9->share = share;
	init_locks(p9, max_files);
	err = p9_init(p9, mem, tag);
	if (err)
		p9_destroy(p9);
	else
		*out = p9;
	return err;
}

void p9_destroy(struct p9 *p9)
{
	if (!p9)
		return;
	virtio_transport_destroy(&p9->vdev);
	virtio_device_stop(&p9->vdev.base);
	stop_workers(p9);
	virtio_device_release(&p9->vdev);
	p9_fids_release(&p9->fids);
	share_close(p9->share);
	if (p9->epoll_fd >= 0)
		close(p9->epoll_fd);
	pthread_rwlock_destroy(&p9->session);
	pthread_cond_destroy(&p9->idle);
	pthread_mutex_destroy(&p9->lock);
	free(p9->requests);
	free(p9->workers);
	free(p9->config);
	free(p9);
}

/* ---- The class ---- */

static void p9_device_destroy(struct device *dev)
{
	p9_destroy(container_of(dev, struct p9, vdev.base));
}

static const struct device_ops p9_device_ops = {
	.name = "virtio-9p",
	.describe = virtio_device_describe,
	.virtio = virtio_device_of,
	.pause = virtio_device_pause,
	.resume = virtio_device_resume,
	.stop = virtio_device_stop,
	.destroy = p9_device_destroy,
};

static int create_one(struct kvm *vm, const struct share_config *config,
		      unsigned int nr_shares)
{
	struct share *share;
	struct p9 *p9;
	int err;

	err = share_open(config, vm->failure, &share);
	if (err)
		return err;
	err = p9_create(&vm->memory, share, config->tag,
			share_max_files(share) / nr_shares, &p9);
	if (!err)
		err = virtio_transport_create(vm, &p9->vdev);
	if (err) {
		p9_destroy(p9);
		return vm_fail(vm, err, "%s: cannot create the 9p device: %s",
			       config->path, strerror(-err));
	}
	device_register(vm, &p9->vdev.base, &p9_device_ops);
	return 0;
}

static int p9_class_create(struct kvm *vm, const struct kvm_config *config)
{
	for (unsigned int i = 0; i < config->nr_shares; i++) {
		int err = create_one(vm, &config->shares[i], config->nr_shares);

		if (err)
			return err;
	}
	return 0;
}

const struct device_class virtio_9p_class = {
	.name = "virtio-9p",
	.create = p9_class_create,
};
