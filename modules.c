/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lkvm/codec.h"
#include "lkvm/failure.h"
#include "lkvm/image.h"

/* As long as a module may be, unpacked. */
#define MODULE_MAX_LEN (64 * MIB)

/* ---- modules.dep: "kernel/a/b.ko.xz: kernel/c.ko.xz kernel/d.ko.xz" ---- */

static bool same_character(char a, char b)
{
	return a == b || ((a == '-' || a == '_') && (b == '-' || b == '_'));
}

/* Is the file of @len characters at @path module @name? */
static bool is_module(const char *path, size_t len, const char *name)
{
	const char *file = path;

	for (size_t i = 0; i < len; i++)
		if (path[i] == '/')
			file = path + i + 1;
	while (*name && file < path + len && same_character(*file, *name)) {
		file++;
		name++;
	}
	return !*name && (size_t)(path + len - file) >= 3 &&
	       !strncmp(file, ".ko", 3);
}

static bool has_path(const struct module_list *list, const char *path,
		     size_t len)
{
	for (unsigned int i = 0; i < list->nr; i++)
		if (strlen(list->paths[i]) == len &&
		    !memcmp(list->paths[i], path, len))
			return true;
	return false;
}

static int add_path(struct module_list *list, const char *path, size_t len)
{
	char *copy;

	if (!len || has_path(list, path, len))
		return 0;
	if (list->nr == MODULES_MAX)
		return -ENOSPC;
	copy = strndup(path, len);
	if (!copy)
		return -ENOMEM;
	list->paths[list->nr++] = copy;
	return 0;
}

/* What is needed stands behind what needs it: from the end of the line. */
static int add_line(struct module_list *list, const char *line, size_t len)
{
	size_t end = len;
	int err = 0;

	while (end && !err) {
		size_t start = end;

		while (start && line[start - 1] != ' ')
			start--;
		len = end - start;
		if (!start && len && line[len - 1] == ':')
			len--;
		err = add_path(list, line + start, len);
		end = start ? start - 1 : 0;
	}
	return err;
}

int module_list_add(struct module_list *list, const char *dep, const char *name)
{
	for (const char *line = dep; *line;) {
		size_t len = strcspn(line, "\n");
		size_t colon = strcspn(line, ":\n");

		if (is_module(line, colon, name))
			return add_line(list, line, len);
		line += len;
		line += *line == '\n';
	}
	return -ENOENT;
}

void module_list_release(struct module_list *list)
{
	while (list->nr)
		free(list->paths[--list->nr]);
}

/* ---- Files ---- */

static int unpack(const char *path, void **bytes, size_t *len,
		  struct failure *why)
{
	enum codec codec = codec_detect(*bytes, *len);
	size_t out_len = MODULE_MAX_LEN;
	void *out;
	int err;

	if (codec == CODEC_NONE)
		return 0;
	out = malloc(out_len);
	err = out ? codec_unpack(codec, *bytes, *len, out, &out_len) : -ENOMEM;
	if (err) {
		free(out);
		return fail(why, err, "module %s: cannot unpack %s: %s", path,
			    codec_name(codec),
			    err == -ENOTSUP ? "install the library for it"
					    : strerror(-err));
	}
	free(*bytes);
	*bytes = out;
	*len = out_len;
	return 0;
}

static int read_image(const struct image *img, void **bytes, size_t *len)
{
	if (img->len > MODULE_MAX_LEN)
		return -EFBIG;
	*len = (size_t)img->len;
	*bytes = malloc(*len + 1);
	return *bytes ? image_read(img, 0, *bytes, *len) : -ENOMEM;
}

int module_read(const char *folder, const char *path, void **bytes, size_t *len,
		struct failure *why)
{
	struct image img = IMAGE_NONE;
	char name[4096];
	int err;

	*bytes = NULL;
	snprintf(name, sizeof(name), "%s/%s", folder, path);
	err = image_open(&img, name, "module", why);
	if (err)
		return err;
	err = read_image(&img, bytes, len);
	if (err)
		fail(why, err, "module %s: %s", name, strerror(-err));
	else
		err = unpack(name, bytes, len, why);
	image_release(&img);
	if (err) {
		free(*bytes);
		*bytes = NULL;
	}
	return err;
}
