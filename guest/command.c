/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process that the VM is for: the user's command, or a shell. It leads a
 * session of its own, with the console as its terminal or with pipes for its
 * standard streams.
 */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* As shells have it. */
#define NOT_FOUND 127
#define NOT_RUNNABLE 126

static unsigned long number(const char *text)
{
	return text ? strtoul(text, NULL, 10) : 0;
}

static void become_user(const struct settings *settings)
{
	if (!settings->uid)
		return;
	if (setgroups(settings->nr_groups, settings->groups) ||
	    setgid((gid_t)number(settings->gid)) ||
	    setuid((uid_t)number(settings->uid)))
		_exit(NOT_RUNNABLE);
}

static void use_terminal(const struct settings *settings)
{
	struct winsize size = {
		.ws_row = (unsigned short)number(settings->rows),
		.ws_col = (unsigned short)number(settings->columns),
	};
	int fd = open(settings->console, O_RDWR);

	if (fd < 0)
		return; /* it keeps /dev/console */
	ioctl(fd, TIOCSCTTY, 1);
	if (size.ws_row && size.ws_col)
		ioctl(fd, TIOCSWINSZ, &size);
	if (settings->uid && fchown(fd, (uid_t)number(settings->uid), -1))
		note("%s: %s", settings->console, strerror(errno));
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* In the child. @pipes NULL: it has the console. */
static void run(struct settings *settings, const int *pipes)
{
	static char shell[] = "/bin/sh";
	static char *const just_shell[] = { shell, NULL };
	char *const *words = settings->nr_arguments ? settings->arguments
						    : just_shell;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (!pipes)
		use_terminal(settings);
	for (int i = 0; pipes && i < 3; i++)
		dup2(pipes[i], i);
	become_user(settings);
	environ = settings->environment;
	execvp(words[0], words);
	dprintf(2, "lkvm: %s: %s\n", words[0], strerror(errno));
	_exit(errno == ENOENT ? NOT_FOUND : NOT_RUNNABLE);
}

static pid_t start(struct settings *settings, const int *pipes)
{
	pid_t pid;

	if (settings->folder && chdir(settings->folder))
		die("the folder %s cannot be entered in the guest: %s",
		    settings->folder, strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		run(settings, pipes);
	return pid;
}

bool reap(pid_t pid, int *status)
{
	bool found = false;
	int how;
	pid_t child;

	while ((child = waitpid(-1, &how, WNOHANG)) > 0) {
		if (child != pid)
			continue;
		found = true;
		*status = WIFEXITED(how) ? WEXITSTATUS(how)
					 : 128 + WTERMSIG(how);
	}
	return found;
}

static int wait_on_terminal(struct settings *settings, pid_t pid)
{
	int status = 0, fd;
	siginfo_t info;

	do {
		waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
	} while (!reap(pid, &status));
	kill(-1, SIGKILL);
	fd = open(settings->console, O_WRONLY | O_NOCTTY);
	if (fd >= 0)
		tcdrain(fd);
	return status;
}

/* Ends 0 of @ours, and 1 and 2, belong to @theirs. */
static void make_pipes(int ours[3], int theirs[3])
{
	for (int i = 0; i < 3; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC))
			die("pipe: %s", strerror(errno));
		ours[i] = ends[i ? 0 : 1];
		theirs[i] = ends[i ? 1 : 0];
	}
}

int command_run(struct settings *settings)
{
	struct streams streams;
	int ours[3], theirs[3];
	pid_t pid;

	if (!settings->in)
		return wait_on_terminal(settings, start(settings, NULL));
	streams_open(settings, &streams);
	make_pipes(ours, theirs);
	pid = start(settings, theirs);
	for (int i = 0; i < 3; i++)
		close(theirs[i]);
	return streams_serve(&streams, ours, pid);
}
