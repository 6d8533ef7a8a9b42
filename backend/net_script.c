// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user's programs that set an interface up and take it down. The second one
 * is needed when this process is confined and may start none: a shell is started
 * for it at once, and waits at a pipe. It runs the script even if lkvm is killed.
 */
#include "backend/net_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lkvm/failure.h"

/*
 * As a program that a user starts: no signal blocked (all of lkvm's are). With a
 * group of its own @in_background, so that Ctrl-C passes it by.
 */
static int spawn(char *const *argv, int stdin_fd, bool in_background,
		 pid_t *pid)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, pipe;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe);
	if (in_background)
		flags |= POSIX_SPAWN_SETPGROUP;
	posix_spawnattr_setflags(&attr, flags);
	if (stdin_fd < 0)
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
						 "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&actions, stdin_fd,
						 STDIN_FILENO);
	/* Standard output is the guest's. */
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO,
					 STDOUT_FILENO);
	err = posix_spawn(pid, argv[0], &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

static int wait_for(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* posix_spawn() wants what execve() does. */
static char *word(const char *text)
{
	return (char *)(uintptr_t)text;
}

int net_script_run(const char *script, const char *interface,
		   struct failure *why)
{
	char *argv[] = { word(script), word(interface), NULL };
	int status = 0, err;
	pid_t pid;

	err = spawn(argv, -1, false, &pid);
	if (!err)
		err = wait_for(pid, &status);
	if (err)
		return fail(why, err, "network script %s: %s", script,
			    strerror(-err));
	if (WIFSIGNALED(status))
		return fail(why, -ECANCELED,
			    "network script %s %s: killed by signal %d", script,
			    interface, WTERMSIG(status));
	if (WEXITSTATUS(status))
		return fail(why, -ECANCELED,
			    "network script %s %s: it ended with status %d",
			    script, interface, WEXITSTATUS(status));
	return 0;
}

int net_script_prepare(struct net_script *script, const char *path,
		       const char *interface, struct failure *why)
{
	static const char wait_and_run[] = "read -r _; exec \"$0\" \"$1\"";
	char *argv[] = { word("/bin/sh"), word("-c"),	   word(wait_and_run),
			 word(path),	  word(interface), NULL };
	int fds[2], err;

	if (access(path, X_OK) < 0)
		return fail(why, -errno, "network script %s: %s", path,
			    strerror(errno));
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail(why, -errno, "network script %s: %s", path,
			    strerror(errno));
	err = spawn(argv, fds[0], true, &script->pid);
	close(fds[0]);
	if (err) {
		script->pid = 0;
		close(fds[1]);
		return fail(why, err, "network script %s: /bin/sh: %s", path,
			    strerror(-err));
	}
	script->fd = fds[1];
	return 0;
}

void net_script_finish(struct net_script *script)
{
	int status;

	if (!script->pid)
		return;
	close(script->fd);
	wait_for(script->pid, &status);
	script->pid = 0;
}
