/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the control server:
 *   control.c        its life, clients coming and going
 *   control_line.c   one client: lines in, replies out
 *   control_ops.c    what can be asked
 *   control_debug.c  of that, what is for people who debug
 *   control_devices.c  of these, what is about virtio devices
 *   control_console.c  the console as a stream
 *   control_screen.c   the screen and the keyboard
 *
 * Threads: callbacks run on the event loop with control.lock held; the main
 * thread takes it to attach and detach. Work that may block goes to the main
 * thread as the one struct control_work, whose result comes back with an eventfd.
 */
#ifndef LKVM_CONTROL_PRIV_H
#define LKVM_CONTROL_PRIV_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include "lkvm/balloon.h"
#include "lkvm/control.h"
#include "lkvm/event.h"
#include "lkvm/failure.h"
#include "lkvm/instance.h"
#include "lkvm/json.h"
#include "lkvm/kvm.h"
#include "lkvm/types.h"

#define CONTROL_MAX_CLIENTS 32U
/* With the newline. */
#define CONTROL_LINE_LEN 4096U
/* Of a reply: the dump of a VM with hundreds of CPUs has room. */
#define CONTROL_REPLY_MAX (4 * MIB)

enum control_client_state {
	CLIENT_READS,	/* for the next request */
	CLIENT_QUEUED,	/* its request waits for control_work to be free */
	CLIENT_WORKING, /* its request is control_work */
	CLIENT_ASKS,	/* the guest's balloon, for its statistics */
	CLIENT_WAITS,	/* for the end of the VM */
	CLIENT_CONSOLE, /* a stream from now on: control_console.c */
	CLIENT_CLOSING, /* when its reply is written */
};

struct control_client {
	struct control *ctl;
	struct event_source source; /* the socket; fd owned */
	enum control_client_state state;
	u64 stamp; /* of its last request: the oldest goes when room is short */
	u32 events; /* what the loop watches for */
	bool in_loop;
	bool at_end; /* sends no more */

	char line[CONTROL_LINE_LEN];
	size_t len;
	char *reply; /* not yet written: reply_len bytes from reply_sent on */
	size_t reply_len, reply_sent;
	u8 *data; /* goes behind the next reply's line; NULL: nothing */
	size_t data_len;
	u64 console_from; /* see chardev_read_history() */
	struct balloon_ask ask;
	json_t *asked; /* the reply it is for; NULL: none */
};

struct control_request {
	struct control_client *client;
	json_t *body;  /* the object; borrowed */
	json_t *reply; /* an object to add to */
	struct failure *why;
};

/* What the main thread does for a client. */
struct control_work {
	struct vm_job job;
	int (*run)(struct control_work *work, struct kvm *vm);
	struct control_client *client; /* NULL: went away; event loop only */
	bool is_busy;		       /* event loop only */
	int cpu;		       /* -1: all */
	json_t *reply;		       /* the main thread's until is_done */
	int err;
	struct failure why;
	/* Release by the main thread, pairs with acquire in work_ready(). */
	atomic_bool is_done;
};

struct control {
	struct instance instance;
	uid_t uid; /* ours */
	u64 started_ns;
	pthread_mutex_t lock; /* guards all below */
	struct kvm *vm;	      /* NULL: none, nothing is served */
	struct event_source listener, work_ready;
	struct event_source output_ready; /* of the console */
	struct event_timer grace;	  /* of "stop" */
	struct event_timer retry;	  /* a guest did not take input */
	struct control_client *clients[CONTROL_MAX_CLIENTS]; /* NULL: free */
	struct control_work work;
	u64 requests; /* source of stamps */
};

/* ---- control.c ---- */

struct control_client *control_add_client(struct control *ctl, int fd);
void control_remove_client(struct control_client *client);
/* Look at those whose request waited. */
void control_run_queued(struct control *ctl);
/* Since control_open(). */
u64 control_uptime_ns(const struct control *ctl);

/* ---- control_line.c ---- */

/* The socket is ready. May free the client. */
void client_ready(struct event_source *source, u32 events);
/*
 * Answer: with @reply's members (consumed; NULL: none), or, for a negative @err,
 * with what @why says. client_settle() follows.
 */
void client_reply(struct control_client *client, json_t *reply, int err,
		  const struct failure *why);
/* Handle requests that have come in, and one that waited. Settles. */
void client_go_on(struct control_client *client);
/* Watch for what its state wants; free it if that is nothing any more. */
void client_settle(struct control_client *client);
/* Only the former. */
void client_watch(struct control_client *client);
bool client_has_reply(const struct control_client *client);
/* Write what it takes now. Its end changes the state. */
void client_flush(struct control_client *client);

/* ---- control_ops.c ---- */

enum {
	CONTROL_LATER = 1, /* client_reply() will be called, or nobody is to */
};

struct control_op {
	const char *name;
	const char *const *args; /* names of members it knows; NULL ends */
	/*
	 * 0: reply with what was added to request->reply; CONTROL_LATER;
	 * -EAGAIN: the main thread is busy, ask me again; or another -errno,
	 * having said why. Event loop, control.lock held.
	 */
	int (*run)(struct control_request *request);
};

/* Find and run it: results as of control_op.run. */
int control_dispatch(struct control_request *request);

/* Members of a request. Missing: @missing. -EINVAL, having said why: no good. */
int request_int(struct control_request *request, const char *name,
		long long min, long long max, long long missing,
		long long *out);
int request_bool(struct control_request *request, const char *name, bool *out);

/* Have the main thread @run. CONTROL_LATER, -EAGAIN, or -ESHUTDOWN. */
int request_work(struct control_request *request,
		 int (*run)(struct control_work *work, struct kvm *vm),
		 int cpu);

/* ---- control_balloon.c ---- */

/* The operation "balloon". */
int balloon_op(struct control_request *request);
/* The part of "stat" that is of the balloon: results as of control_op.run. */
int balloon_stat(struct control_request *request);
/* The client goes, or the VM has gone. */
void balloon_forget(struct control_client *client);

/* ---- control_screen.c ---- */

/* The operations of these names. */
int screenshot_op(struct control_request *request);
int sendkey_op(struct control_request *request);

/* ---- control_devices.c ---- */

/* Counters of each virtio device, by its label. New reference, or NULL. */
json_t *devices_stat(const struct kvm *vm);
/* For request_work(): "lines", the state of all queues. */
int queues_work(struct control_work *work, struct kvm *vm);

/* ---- control_debug.c ---- */

/* For a struct text_sink whose opaque is a JSON array. */
void control_add_line(void *array, const char *text);

/* ---- control_console.c ---- */

/* The operation: the client gets the stream from now on. */
int console_op(struct control_request *request);
/* Move bytes both ways. */
void console_go_on(struct control_client *client);
void console_output_ready(struct event_source *source, u32 events);
void console_retry(struct event_timer *timer);
/* The VM is about to go: what it printed last. Main thread. */
void console_finish(struct control *ctl);

extern const struct control_op control_ops[];	    /* NULL name ends */
extern const struct control_op control_debug_ops[]; /* the same */

#endif
