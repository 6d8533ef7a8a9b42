// SPDX-License-Identifier: GPL-2.0-only
/*
 * stopwatch FILE COMMAND...: runs COMMAND with its output in FILE and prints
 * the nanoseconds from exec to exit, and the exit status. A command that
 * takes more than a quarter of a minute is killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static pid_t child;

static void on_alarm(int signal)
{
	(void)signal;
	kill(child, SIGKILL);
}

static int run_child(const char *file, char **argv)
{
	int out = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int in = open("/dev/null", O_RDONLY);

	if (out < 0 || in < 0)
		return 126;
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	execv(argv[0], argv);
	return 127;
}

int main(int argc, char **argv)
{
	struct sigaction act = {
		.sa_handler = on_alarm,
		.sa_flags = SA_RESTART,
	};
	uint64_t start;
	int status;

	if (argc < 3)
		return 129;
	start = now_ns();
	child = fork();
	if (child == 0)
		_exit(run_child(argv[1], argv + 2));
	if (child < 0)
		return 1;
	sigaction(SIGALRM, &act, NULL);
	alarm(15);
	if (waitpid(child, &status, 0) < 0)
		return 1;
	printf("%llu %d\n", (unsigned long long)(now_ns() - start),
	       WIFEXITED(status) ? WEXITSTATUS(status)
				 : 128 + WTERMSIG(status));
	return 0;
}
