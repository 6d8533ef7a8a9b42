/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket of a running VM: JSON lines, docs/control.md.
 *
 *   control_open()    takes the name; clients may connect and wait
 *   control_attach()  serves them on the VM's event loop
 *   control_detach()  the VM is about to go; another may follow
 *   control_end()     tells those who wait how it ended, and gives up the name
 *   control_close()
 *
 * All of them on the main thread. Clients are processes of the same user, and of root;
 * they are not trusted to be well-behaved: whatever they send, and whether
 * or not they read, the guest runs on.
 */
#ifndef LKVM_CONTROL_H
#define LKVM_CONTROL_H

#include "lkvm/types.h"

struct control;
struct failure;
struct kvm;

/*
 * -EEXIST: a VM with that name runs. Any other error: there can be no socket,
 * and a VM can do without. @why says why.
 */
int control_open(const char *name, struct failure *why, struct control **out);

/* After kvm_create() and before kvm_start(). Says why on failure. NULL: nothing. */
int control_attach(struct control *ctl, struct kvm *vm);
/* After kvm_wait() and before kvm_destroy(). */
void control_detach(struct control *ctl);

/* @how: a word of docs/control.md; @status: the exit status that will follow. */
void control_end(struct control *ctl, const char *how, int status);
/* Accepts NULL. */
void control_close(struct control *ctl);

#endif
