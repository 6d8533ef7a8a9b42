/* SPDX-License-Identifier: GPL-2.0-only */
/* The program that becomes the first process of a guest: see guest/guest.h. */
#ifndef LKVM_GUEST_INIT_H
#define LKVM_GUEST_INIT_H

#include "lkvm/types.h"

extern const u8 guest_init_start[];
/* Bytes of it; 0: this lkvm was built without a static C library. */
extern const u64 guest_init_len;

#endif
