/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this host can do, asked of KVM itself and of nothing else.
 */
#ifndef LKVM_HOST_H
#define LKVM_HOST_H

struct failure;

/*
 * Open the KVM device at @path and check that it is one, of the API version
 * that we speak, with every capability that lkvm needs. Returns the fd, or a
 * negative errno with @why (FAILURE_HOST) naming the cure.
 */
int host_open_kvm(const char *path, struct failure *why);

/* vCPUs that one VM may have; at least 1. */
unsigned int host_max_vcpus(int kvm_fd);

#endif
