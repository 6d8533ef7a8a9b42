/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/shell.h"

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

int shell(const char *line)
{
	char name[] = "sh", option[] = "-c";
	char *const argv[] = { name, option, (char *)(uintptr_t)line, NULL };
	pid_t pid;
	int status;

	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) ||
	    waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
