/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client of the control socket that sends anything, in pieces: a byte of the
 * input is the length of the piece that follows. What is posted to the main thread
 * is done between pieces.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control_priv.h"
#include "lkvm/display.h"
#include "tests/support/fake_machine.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static struct fake_machine fake;
static struct control *ctl;

/* A picture of two rows, and what lies between them. */
static bool frame(void *opaque, struct display_frame *out)
{
	static u8 pixels[64];

	*out = (struct display_frame){ pixels, 6, 2, 32 };
	return true;
}

static const struct display_source_ops source = { .frame = frame };

static void set_up(void)
{
	struct failure why = FAILURE_INIT;
	char folder[] = "/tmp/lkvm-fuzz-XXXXXX";

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder) || setenv("XDG_RUNTIME_DIR", folder, 1))
		abort();
	fake_machine_init(&fake);
	fake.vm.framebuffer.source = &source;
	if (control_open("fuzz", &why, &ctl) || control_attach(ctl, &fake.vm))
		abort();
	/* Nothing of it stays behind. */
	instance_release(&ctl->instance);
	ctl->instance.listen_fd = -1;
	char path[sizeof(folder) + 8];

	snprintf(path, sizeof(path), "%s/lkvm", folder);
	rmdir(path);
	rmdir(folder);
}

static void drain(int fd)
{
	char text[65536];

	while (recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0)
		;
}

static void let_serve(void)
{
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i])
			client_ready(&ctl->clients[i]->source,
				     EPOLLIN | EPOLLOUT);
	fake_machine_run_jobs(&fake);
	ctl->work_ready.ready(&ctl->work_ready, EPOLLIN);
	fake.vm.end = VM_RUNNING;
}

static void send_pieces(int fd, const u8 *data, size_t len)
{
	while (len) {
		size_t piece = *data++ * 16U + 1;

		len--;
		if (piece > len)
			piece = len;
		if (send(fd, data, piece, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
		data += piece;
		len -= piece;
		let_serve();
		if (piece & 1)
			drain(fd);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	int fds[2];

	if (!ctl)
		set_up();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	if (!control_add_client(ctl, fds[1]))
		abort();
	send_pieces(fds[0], data, len);
	drain(fds[0]);
	close(fds[0]);
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i])
			client_ready(&ctl->clients[i]->source, EPOLLHUP);
	let_serve();
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (ctl->clients[i])
			abort();
	return 0;
}
