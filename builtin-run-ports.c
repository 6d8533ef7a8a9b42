/* SPDX-License-Identifier: GPL-2.0-only */
/* The option of "lkvm run" for ports of the virtio console. */
#include "builtin-run.h"

#include <errno.h>
#include <string.h>
#include "lkvm/failure.h"

/* Udev makes a file name of it in the guest. */
static bool is_name(const char *text, size_t len)
{
	if (!len || len >= CONFIG_PORT_NAME_LEN || *text == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '/' || (unsigned char)text[i] <= ' ' ||
		    text[i] == 0x7f)
			return false;
	return true;
}

static bool is_taken(const struct kvm_config *config, const char *name)
{
	for (unsigned int i = 0; i < config->nr_ports; i++)
		if (!strcmp(config->ports[i].name, name))
			return true;
	return false;
}

/* pty, file:PATH, unix:PATH */
static bool parse_end(const char *text, struct port_config *port)
{
	static const struct {
		const char *start;
		enum port_kind kind;
	} kinds[] = { { "file:", PORT_FILE }, { "unix:", PORT_UNIX } };

	port->kind = PORT_PTY;
	port->path = NULL;
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i].start);

		if (strncmp(text, kinds[i].start, len) || !text[len])
			continue;
		port->kind = kinds[i].kind;
		port->path = text + len;
		return true;
	}
	return !strcmp(text, "pty");
}

int run_add_port(const struct option *opt, const struct option_value *value,
		 void *target, struct failure *why)
{
	struct kvm_config *config = &((struct run_options *)target)->config;
	struct port_config port = { .kind = PORT_PTY };
	const char *text = value->text;
	size_t len;

	if (value->negated) {
		config->nr_ports = 0;
		return 0;
	}
	len = strcspn(text, "=");
	if (!text[len] || !parse_end(text + len + 1, &port))
		return option_fail(opt, why,
				   "%s is none of NAME=pty, NAME=file:PATH, "
				   "NAME=unix:PATH",
				   text);
	if (!is_name(text, len))
		return option_fail(opt, why,
				   "%s: a name has 1 to %d characters, no "
				   "blanks or slashes, the first one no dot",
				   text, CONFIG_PORT_NAME_LEN - 1);
	memcpy(port.name, text, len);
	if (is_taken(config, port.name))
		return option_fail(opt, why, "two ports are called %s",
				   port.name);
	if (config->nr_ports == CONFIG_MAX_PORTS)
		return option_fail(opt, why, "%s: at most %d ports", text,
				   CONFIG_MAX_PORTS);
	config->ports[config->nr_ports++] = port;
	return 0;
}
