/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a service manager is told: sd_notify(3)'s protocol, a datagram to the socket
 * that $NOTIFY_SOCKET names.
 */
#ifndef LKVM_NOTIFY_H
#define LKVM_NOTIFY_H

/* A descriptor; -1: nobody wants to know. Before the process is confined. */
int notify_open(void);
/* @text: "READY=1" or the like. Accepts -1. Any thread. */
void notify_send(int fd, const char *text);

#endif
