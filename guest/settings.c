/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host said: builtin-run-guest.c writes it. */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Keys of which there is one. */
static const struct {
	const char *name;
	size_t offset;
} keys[] = {
	{ "root", offsetof(struct settings, root) },
	{ "name", offsetof(struct settings, name) },
	{ "console", offsetof(struct settings, console) },
	{ "rows", offsetof(struct settings, rows) },
	{ "columns", offsetof(struct settings, columns) },
	{ "in", offsetof(struct settings, in) },
	{ "out", offsetof(struct settings, out) },
	{ "err", offsetof(struct settings, err) },
	{ "status", offsetof(struct settings, status) },
	{ "folder", offsetof(struct settings, folder) },
	{ "init", offsetof(struct settings, init) },
	{ "address", offsetof(struct settings, address) },
	{ "gateway", offsetof(struct settings, gateway) },
	{ "dns", offsetof(struct settings, dns) },
	{ "uid", offsetof(struct settings, uid) },
	{ "gid", offsetof(struct settings, gid) },
};

static void take_list(struct settings *settings, const char *key, char *value)
{
	if (!strcmp(key, "argument") && settings->nr_arguments < MAX_WORDS)
		settings->arguments[settings->nr_arguments++] = value;
	else if (!strcmp(key, "variable") &&
		 settings->nr_environment < MAX_WORDS)
		settings->environment[settings->nr_environment++] = value;
	else if (!strcmp(key, "module") && settings->nr_modules < MAX_WORDS)
		settings->modules[settings->nr_modules++] = value;
	else if (!strcmp(key, "group") && settings->nr_groups < MAX_GROUPS)
		settings->groups[settings->nr_groups++] =
			(gid_t)strtoul(value, NULL, 10);
}

static void take(struct settings *settings, const char *key, char *value)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i].name) != 0)
			continue;
		*(const char **)(void *)((char *)settings + keys[i].offset) =
			value;
		return;
	}
	take_list(settings, key, value);
}

/* The whole file with a NUL behind it; it stays for good. */
static char *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t used = 0;
	ssize_t n = 1;
	char *text;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", path, strerror(errno));
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		die("out of memory");
	while (used < (size_t)st.st_size && n > 0) {
		n = read(fd, text + used, (size_t)st.st_size - used);
		used += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	*len = used;
	return text;
}

void settings_read(struct settings *settings, const char *path)
{
	size_t len;
	char *text = read_file(path, &len);
	char *at = text;

	settings->text = text;
	while (at < text + len) {
		char *next = at + strlen(at) + 1;
		char *value = strchr(at, '=');

		if (value) {
			*value++ = '\0';
			take(settings, at, value);
		}
		at = next;
	}
}
