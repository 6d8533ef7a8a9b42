// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long commands take from exec to their first byte on standard output (the
 * guest's first instructions write it) and to their exit.
 *
 *   startup REPEATS COMMAND... [-- COMMAND...]...
 *
 * The commands take turns, so that whatever else the machine does hits all of
 * them alike. Prints a line for each: the medians of both times, of the CPU time
 * in user mode and of all CPU time, in microseconds.
 */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 8
#define MAX_REPEATS 1000

struct sample {
	double first_us, exit_us, user_us, cpu_us;
};

struct command {
	char **argv;
	struct sample samples[MAX_REPEATS];
};

extern char **environ;

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double timeval_us(struct timeval tv)
{
	return (double)tv.tv_sec * 1e6 + (double)tv.tv_usec;
}

static pid_t spawn(char **argv, int stdout_fd)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, stdout_fd, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	if (error)
		errx(1, "%s: %s", argv[0], strerror(error));
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static struct sample run(char **argv)
{
	struct sample sample;
	struct rusage usage;
	char buf[4096];
	double start;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		err(1, "pipe");
	start = now_us();
	pid = spawn(argv, fds[1]);
	close(fds[1]);
	if (read(fds[0], buf, 1) != 1)
		errx(1, "%s printed nothing", argv[0]);
	sample.first_us = now_us() - start;
	while (read(fds[0], buf, sizeof(buf)) > 0)
		;
	if (wait4(pid, NULL, 0, &usage) < 0)
		err(1, "wait4");
	sample.exit_us = now_us() - start;
	sample.user_us = timeval_us(usage.ru_utime);
	sample.cpu_us = sample.user_us + timeval_us(usage.ru_stime);
	close(fds[0]);
	return sample;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of the double at @offset of each sample. */
static double median(const struct sample *samples, unsigned int nr,
		     size_t offset)
{
	static double values[MAX_REPEATS];
	unsigned int i;

	for (i = 0; i < nr; i++)
		memcpy(&values[i], (const char *)&samples[i] + offset,
		       sizeof(double));
	qsort(values, nr, sizeof(double), compare);
	return values[nr / 2];
}

static void print_medians(const struct sample *samples, unsigned int nr)
{
	printf("%.0f %.0f %.0f %.0f\n",
	       median(samples, nr, offsetof(struct sample, first_us)),
	       median(samples, nr, offsetof(struct sample, exit_us)),
	       median(samples, nr, offsetof(struct sample, user_us)),
	       median(samples, nr, offsetof(struct sample, cpu_us)));
}

/* Split argv at "--". */
static unsigned int split(char **argv, struct command *commands)
{
	unsigned int nr = 0;

	commands[nr++].argv = argv;
	for (; *argv; argv++) {
		if (strcmp(*argv, "--"))
			continue;
		if (nr == MAX_COMMANDS)
			errx(2, "too many commands");
		*argv = NULL;
		commands[nr++].argv = argv + 1;
	}
	return nr;
}

int main(int argc, char **argv)
{
	static struct command commands[MAX_COMMANDS];
	unsigned int repeats, nr, i, turn;

	if (argc < 3)
		errx(2, "usage: startup REPEATS COMMAND... [-- COMMAND...]...");
	repeats = (unsigned int)strtoul(argv[1], NULL, 10);
	if (!repeats || repeats > MAX_REPEATS)
		errx(2, "%s: 1 to %d repeats", argv[1], MAX_REPEATS);
	nr = split(argv + 2, commands);
	for (i = 0; i < nr; i++)
		run(commands[i].argv); /* warms the caches */
	for (turn = 0; turn < repeats; turn++)
		for (i = 0; i < nr; i++)
			commands[i].samples[turn] = run(commands[i].argv);
	for (i = 0; i < nr; i++)
		print_medians(commands[i].samples, repeats);
	return 0;
}
