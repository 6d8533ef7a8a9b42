/* SPDX-License-Identifier: GPL-2.0-only */
/* From the kernel's hand-over to the end of the VM. */
#include "guest/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PORTS "/sys/class/virtio-ports"
/* How long a device may take to come after its driver. */
#define DEVICE_TRIES 10000 /* of a millisecond each */

static int status_fd = -1;

static void end_vm(void)
{
	unmount_root();
	/* Without ACPI Linux would halt, and stay. */
	if (access("/sys/firmware/acpi", F_OK) == 0 ||
	    access("/proc/device-tree/psci", F_OK) == 0)
		reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

void note(const char *format, ...)
{
	char text[512];
	va_list args;
	int fd;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dprintf(fd, "<4>lkvm: %s\n", text);
	close(fd);
}

void die(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (status_fd >= 0)
		dprintf(status_fd, "error %s\n", text);
	else
		dprintf(2, "lkvm: %s\n", text);
	end_vm();
	for (;;)
		pause();
}

/* Is it the port @port, "vport1p2", that has that @name? */
static bool is_port(const char *port, const char *name)
{
	char path[300], text[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), PORTS "/%s/name", port);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, name);
}

/* Their numbers depend on the other virtio devices that there are. */
static int try_port(const char *name, int flags)
{
	DIR *ports = opendir(PORTS);
	struct dirent *entry;
	char path[300];
	int fd = -1;

	if (!ports)
		return -1;
	errno = ENOENT;
	while (fd < 0 && (entry = readdir(ports))) {
		if (entry->d_name[0] == '.' || !is_port(entry->d_name, name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, flags);
	}
	closedir(ports);
	return fd;
}

int open_port(const char *name, int flags)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int fd = -1;

	for (int i = 0; fd < 0 && i < DEVICE_TRIES; i++) {
		fd = try_port(name, flags);
		if (fd < 0)
			nanosleep(&pause, NULL);
	}
	return fd;
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 ||
	    (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
		note("module %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/*
 * The last of the ports. Once the host is there, it has been at the others, too:
 * what they are missing from then on has gone.
 */
static void open_status(const char *name)
{
	struct pollfd poll_fd = { .events = POLLOUT };
	const struct timespec pause = { .tv_nsec = 1000000 };

	status_fd = open_port(name, O_WRONLY | O_CLOEXEC);
	if (status_fd < 0)
		die("%s: no such port: does this kernel have a driver for "
		    "virtio consoles, or modules?",
		    name);
	poll_fd.fd = status_fd;
	for (int i = 0; i < DEVICE_TRIES; i++) {
		if (poll(&poll_fd, 1, 0) == 1 && !(poll_fd.revents & POLLHUP))
			return;
		nanosleep(&pause, NULL);
	}
}

int main(void)
{
	static struct settings settings;
	int status;

	mount_kernel_views();
	settings_read(&settings, "/lkvm/settings");
	for (size_t i = 0; i < settings.nr_modules; i++)
		load_module(settings.modules[i]);
	if (settings.status)
		open_status(settings.status);
	mount_root(&settings);
	enter_root(&settings);
	network_start(&settings);
	if (settings.init) {
		environ = settings.environment;
		execl(settings.init, settings.init, (char *)NULL);
		die("init=%s: %s", settings.init, strerror(errno));
	}
	status = command_run(&settings);
	if (status_fd >= 0)
		dprintf(status_fd, "exit %d\n", status);
	kill(-1, SIGKILL);
	end_vm();
}
