/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of backend/net_*.c. */
#ifndef LKVM_BACKEND_NET_PRIV_H
#define LKVM_BACKEND_NET_PRIV_H

#include <sys/types.h>
#include "lkvm/net.h"

/* As net_open(), for one mode each. */
int net_tap_open(const struct net_config *config, struct failure *why,
		 struct net **out);
int net_user_open(const struct net_config *config, struct failure *why,
		  struct net **out);

/* Says @what is missing, unless nobody asked for a network. -ENOTSUP. */
int net_user_missing(const struct net_config *config, const char *what,
		     struct failure *why);

/* Run "@script @interface" and wait for it; it has to succeed. */
int net_script_run(const char *script, const char *interface,
		   struct failure *why);

/*
 * A script for later, when lkvm may start no programs any more: a shell that
 * waits for the end of this process, or for net_script_finish().
 */
struct net_script {
	pid_t pid; /* 0: none */
	int fd;	   /* closed: run now */
};
int net_script_prepare(struct net_script *script, const char *path,
		       const char *interface, struct failure *why);
/* Run it and wait. Accepts a zeroed one. */
void net_script_finish(struct net_script *script);

#endif
