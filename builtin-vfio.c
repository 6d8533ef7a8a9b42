/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkvm vfio: which devices of the host can be passed through, and what keeps the
 * others. It changes nothing: it prints the commands that do.
 */
#include <string.h>
#include "lkvm/builtin.h"
#include "lkvm/failure.h"
#include "lkvm/log.h"
#include "lkvm/vfio.h"

static int usage(const char *what)
{
	log_error("vfio: %s; \"lkvm help vfio\" tells more", what);
	return STATUS_USAGE;
}

static int check_main(const char *address)
{
	char name[VFIO_NAME_LEN];

	if (!vfio_parse_address(address, name)) {
		log_error("vfio check: %s is no PCI address, as 0000:01:00.0",
			  address);
		return STATUS_USAGE;
	}
	return vfio_print_check(name) ? STATUS_HOST : STATUS_OK;
}

static int vfio_main(int argc, char **argv)
{
	if (!argc)
		return usage("needs list, or check and an address");
	if (!strcmp(argv[0], "list")) {
		if (argc > 1)
			return usage("list takes nothing more");
		return vfio_print_list() ? STATUS_HOST : STATUS_OK;
	}
	if (!strcmp(argv[0], "check")) {
		if (argc != 2)
			return usage("check takes one address");
		return check_main(argv[1]);
	}
	return usage("there is only list, and check");
}

const struct command vfio_command = {
	.name = "vfio",
	.summary = "show the host's devices that can be passed through",
	.usage = "lkvm vfio list | lkvm vfio check ADDRESS",
	.notes = "list: every PCI device behind an IOMMU, by group, with its "
		 "driver.\n"
		 "check: whether \"lkvm run --vfio-pci ADDRESS\" can work, and "
		 "if not, what to do.\n"
		 "Neither changes anything. Exit status: 77 where something is "
		 "missing.",
	.run = vfio_main,
};
