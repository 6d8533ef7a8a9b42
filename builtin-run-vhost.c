/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of "lkvm run" for devices that the host's kernel serves. */
#include "builtin-run.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "lkvm/failure.h"

#include <linux/vm_sockets.h> /* older ones want sys/socket.h before them */

int run_set_vsock(const struct option *opt, const struct option_value *value,
		  void *target, struct failure *why)
{
	struct run_options *run = target;
	u64 cid = 0;

	if (!value->negated && !parse_u64(value->text, &cid))
		return option_fail(opt, why, "%s is no number", value->text);
	/* kvmtool's word for "none". */
	if (cid && (cid <= VMADDR_CID_HOST || cid >= VMADDR_CID_ANY))
		return option_fail(opt, why,
				   "%s is no guest's CID: those are %u to %u",
				   value->text, VMADDR_CID_HOST + 1,
				   VMADDR_CID_ANY - 1);
	run->config.vsock_cid = cid;
	return 0;
}

/* kvmtool has a second field, which it ignores. Names of iSCSI have colons. */
static size_t wwpn_len(const char *text)
{
	return strncmp(text, "iqn.", 4) ? strcspn(text, ":,")
					: strcspn(text, ",");
}

int run_add_scsi(const struct option *opt, struct run_options *run,
		 const char *text, struct failure *why)
{
	struct kvm_config *config = &run->config;
	size_t len = wwpn_len(text);
	struct scsi_config *scsi;

	if (text[len] == ',')
		return option_fail(opt, why,
				   "scsi:%s: vhost-scsi disks have no further "
				   "words: the target on the host has",
				   text);
	if (!len || len >= sizeof(scsi->wwpn))
		return option_fail(opt, why,
				   "scsi:%s: needs the name of a vhost target, "
				   "as naa.600140554cf3a18e",
				   text);
	if (config->nr_scsi == CONFIG_MAX_SCSI)
		return option_fail(opt, why, "scsi:%s: at most %d SCSI targets",
				   text, CONFIG_MAX_SCSI);
	scsi = &config->scsi[config->nr_scsi++];
	memcpy(scsi->wwpn, text, len);
	scsi->wwpn[len] = '\0';
	return 0;
}
