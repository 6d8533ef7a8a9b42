/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that lkvm puts into guests as their first process: it loads
 * modules, mounts the root file system and runs a command or a shell there. A
 * static program of its own, kept in lkvm (blob.S), not a part of it.
 *
 *   init.c      the order of things, and the end
 *   settings.c  what the host said: /lkvm/settings
 *   mounts.c    file systems
 *   network.c   the network card, without DHCP
 *   command.c   the process that all this is for
 *   relay.c     its standard streams, to ports of the virtio console
 */
#ifndef LKVM_GUEST_H
#define LKVM_GUEST_H

#include <stdbool.h>
#include <sys/types.h>

#define MAX_WORDS 4096
#define MAX_GROUPS 256

/*
 * /lkvm/settings is a list of "key=value", each with a NUL behind it. Strings
 * point into it.
 */
struct settings {
	char *text;	     /* all of it, for good */
	const char *root;    /* "sandbox": a view of the host; "own" */
	const char *name;    /* of this VM */
	const char *console; /* terminal of the shell, or of the command */
	/* Rows and columns of the user's terminal, where nothing else says so. */
	const char *rows, *columns;
	/* Names of ports for the command's streams; NULL: it has the console. */
	const char *in, *out, *err;
	const char *status; /* port that hears how it ended; NULL: none does */
	const char *folder; /* where the command begins, or NULL */
	const char *init;   /* runs as first process in the root, or NULL */
	const char *address, *gateway, *dns; /* of the network card, or NULL */
	const char *uid, *gid;
	gid_t groups[MAX_GROUPS];
	size_t nr_groups;
	char *arguments[MAX_WORDS + 1]; /* none: a shell */
	size_t nr_arguments;
	char *environment[MAX_WORDS + 1];
	size_t nr_environment;
	const char *modules[MAX_WORDS]; /* paths, in their order */
	size_t nr_modules;
};

/* settings.c */
void settings_read(struct settings *settings, const char *path);

/* init.c: says why on the status port and the console, and ends the VM. */
void die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* On the kernel's log. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The console's port of that @name, once it is there; -1: it does not come. */
int open_port(const char *name, int flags);

/* mounts.c */
void mount_kernel_views(void);
void mount_root(const struct settings *settings);
void enter_root(const struct settings *settings);
void unmount_root(void);

/* network.c: the root has been entered. */
void network_start(const struct settings *settings);

/*
 * command.c: run it to its end. Returns its exit status, 128 + N for signal N.
 */
int command_run(struct settings *settings);
/* A child has ended: is it @pid, and how? */
bool reap(pid_t pid, int *status);

/* relay.c */
struct streams {
	int in, out, err; /* ports */
};
void streams_open(const struct settings *settings, struct streams *streams);
/*
 * Move bytes between the ports and the command's pipes until the command @pid has
 * ended and all that it wrote is with the host. @pipes: where it reads from,
 * and writes to. Returns as command_run().
 */
int streams_serve(const struct streams *streams, const int pipes[3], pid_t pid);

#endif
