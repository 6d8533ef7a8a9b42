// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long commands take from exec to the first instructions of first.S and to
 * their exit. The guest shows itself by a "!" on standard output, or, where a
 * console thread stands between and may gather output first, by the message of
 * "lkvm run --debug-ioport" about the guest's write to port 80.
 *
 *   startup REPEATS COMMAND... [-- COMMAND...]...
 *
 * The commands take turns, so that whatever else the machine does hits all of
 * them alike. Prints a line for each: the medians of both times, of the CPU time
 * in user mode and of all CPU time, and the lowest of both times (what a busy
 * machine disturbs least), in microseconds.
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
#define CONSOLE_SIGN "!"
#define PORT_SIGN "port 0x80"

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
	posix_spawn_file_actions_adddup2(&actions, stdout_fd, 2);
	error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	if (error)
		errx(1, "%s: %s", argv[0], strerror(error));
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* Read what the command prints until the guest shows itself. */
static void wait_for_guest(int fd, const char *command)
{
	char text[4096];
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, sizeof(text) - 1 - len);
		if (got <= 0)
			errx(1, "%s: no sign of the guest", command);
		len += (size_t)got;
		text[len] = '\0';
	} while (!strstr(text, CONSOLE_SIGN) && !strstr(text, PORT_SIGN));
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
	wait_for_guest(fds[0], argv[0]);
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

/* The double at @offset of each sample, in ascending order. */
static const double *sorted(const struct sample *samples, unsigned int nr,
			    size_t offset)
{
	static double values[MAX_REPEATS];
	unsigned int i;

	for (i = 0; i < nr; i++)
		memcpy(&values[i], (const char *)&samples[i] + offset,
		       sizeof(double));
	qsort(values, nr, sizeof(double), compare);
	return values;
}

static void print_result(const struct sample *samples, unsigned int nr)
{
	static const size_t medians[] = { offsetof(struct sample, first_us),
					  offsetof(struct sample, exit_us),
					  offsetof(struct sample, user_us),
					  offsetof(struct sample, cpu_us) };
	unsigned int i;

	for (i = 0; i < 4; i++)
		printf("%.0f ", sorted(samples, nr, medians[i])[nr / 2]);
	for (i = 0; i < 2; i++)
		printf("%.0f ", sorted(samples, nr, medians[i])[0]);
	printf("\n");
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
		print_result(commands[i].samples, repeats);
	return 0;
}
