/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is left when the VM has gone: --result's JSON object, and the console's last
 * lines for those who do not see the console.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "builtin-run.h"
#include "lkvm/chardev.h"
#include "lkvm/clock.h"
#include "lkvm/failure.h"
#include "lkvm/json.h"
#include "lkvm/kvm.h"
#include "lkvm/vcpu.h"

#define LAST_LINES 20U
/* The last that Linux says before its first process runs, if it is not quiet. */
static const char init_text[] = " as init process";
static const char panic_text[] = "Kernel panic - not syncing";

int report_open(struct run_report *report, const struct run_options *run,
		struct failure *why)
{
	*report = (struct run_report){ .fd = -1, .started_ns = monotonic_ns() };
	if (!run->result_path)
		return 0;
	report->fd = open(run->result_path,
			  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
			  0666);
	if (report->fd < 0)
		return fail(why, -errno, "--result %s: %s", run->result_path,
			    strerror(errno));
	return 0;
}

void report_close(struct run_report *report)
{
	if (report->fd >= 0)
		close(report->fd);
	free(report->console);
}

/* ---- While the VM is there ---- */

void report_take_vm(struct run_report *report, const struct kvm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		const struct vcpu_stats *stats = &vm->vcpus[i].stats;
		u64 first = counter_read(&stats->first_exit_ns);

		report->exits += counter_read(&stats->exits);
		report->port_exits += counter_read(&stats->io);
		report->memory_exits += counter_read(&stats->mmio);
		if (first &&
		    (!report->first_exit_ns || first < report->first_exit_ns))
			report->first_exit_ns = first;
	}
}

/* The chardev of the console, wherever the user put it. */
static struct chardev *console_of(const struct kvm_config *config,
				  const struct vm_consoles *consoles)
{
	if (config->hidden_console && consoles->ttys[0])
		return consoles->ttys[0];
	return consoles->console ? consoles->console : consoles->ttys[0];
}

void report_watch_console(struct run_report *report,
			  const struct kvm_config *config,
			  const struct vm_consoles *consoles)
{
	struct chardev *chr = console_of(config, consoles);

	report->init.text = init_text;
	if (chr && report->fd >= 0)
		chardev_spot_text(chr, &report->init);
}

void report_take_console(struct run_report *report,
			 const struct kvm_config *config,
			 const struct vm_consoles *consoles)
{
	struct chardev *chr = console_of(config, consoles);
	u64 from = 0;

	report->hidden = config->hidden_console;
	report->console = calloc(1, CHARDEV_HISTORY_LEN + 1);
	if (!report->console)
		return;
	if (chr)
		report->console_len = chardev_read_history(
			chr, &from, (u8 *)report->console, CHARDEV_HISTORY_LEN);
	/* As text: a NUL is no end of it. */
	for (size_t i = 0; i < report->console_len; i++)
		if (!report->console[i])
			report->console[i] = ' ';
	report->console[report->console_len] = '\0';
}

/* ---- The console's end ---- */

static size_t line_len(const char *line)
{
	return strcspn(line, "\r\n");
}

/* Where the last LAST_LINES lines begin. */
static const char *last_lines(const struct run_report *report)
{
	const char *at = report->console + report->console_len;
	unsigned int lines = 0;

	while (at > report->console) {
		if (at[-1] == '\n' && at[0] && ++lines == LAST_LINES)
			break;
		at--;
	}
	return at;
}

static bool same_file(int a, int b)
{
	struct stat st_a, st_b;

	return !fstat(a, &st_a) && !fstat(b, &st_b) &&
	       st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

/* Who sees standard output, or finds it in the same file, has seen it all. */
static bool console_is_seen(void)
{
	return isatty(STDOUT_FILENO) || same_file(STDOUT_FILENO, STDERR_FILENO);
}

void report_show_console(const struct run_report *report)
{
	const char *line;

	if (!report->console || !report->console_len ||
	    (!report->hidden && console_is_seen()))
		return;
	log_error("the console's last lines:");
	for (line = last_lines(report); *line; line += strspn(line, "\r\n")) {
		log_text("    %.*s", (int)line_len(line), line);
		line += line_len(line);
	}
}

/* The line with the panic, or NULL. It lacks time stamps and the like. */
static char *find_panic(const struct run_report *report)
{
	const char *at = report->console ? strstr(report->console, panic_text)
					 : NULL;

	return at ? strndup(at, line_len(at)) : NULL;
}

bool report_show_panic(const struct run_report *report)
{
	char *panic = find_panic(report);
	bool found = panic;

	if (found)
		log_error("the guest's kernel said: %s", panic);
	free(panic);
	return found;
}

/* ---- --result ---- */

static void add_number(json_t *object, const char *name, u64 value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

static void add_counters(json_t *result, const struct run_report *report)
{
	struct rusage usage;

	add_number(result, "run_ms",
		   (monotonic_ns() - report->started_ns) / NSEC_PER_MSEC);
	if (report->first_exit_ns)
		add_number(result, "first_exit_ms",
			   (report->first_exit_ns - report->started_ns) /
				   NSEC_PER_MSEC);
	if (report->init.seen_ns)
		add_number(result, "init_ms",
			   (report->init.seen_ns - report->started_ns) /
				   NSEC_PER_MSEC);
	add_number(result, "exits", report->exits);
	add_number(result, "port_exits", report->port_exits);
	add_number(result, "memory_exits", report->memory_exits);
	if (!getrusage(RUSAGE_SELF, &usage))
		add_number(result, "peak_memory", (u64)usage.ru_maxrss * KIB);
}

void report_write(const struct run_report *report, const char *name,
		  const char *how, int status, const struct failure *why)
{
	json_t *result;
	char *panic, *text;

	if (report->fd < 0)
		return;
	result = json_object();
	panic = find_panic(report);
	if (name)
		json_object_set_new(result, "name", json_text(name));
	json_object_set_new(result, "how", json_string(how));
	add_number(result, "status", (u64)status);
	if (why->kind != FAILURE_NONE)
		json_object_set_new(result, "error", json_text(why->text));
	if (panic)
		json_object_set_new(result, "panic", json_text(panic));
	add_counters(result, report);
	text = json_dumps(result, JSON_COMPACT);
	if (!text || dprintf(report->fd, "%s\n", text) < 0)
		log_error("--result: %s",
			  text ? strerror(errno) : "out of memory");
	free(text);
	free(panic);
	json_decref(result);
}
