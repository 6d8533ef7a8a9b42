/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lkvm needs beside jansson's own functions.
 */
#ifndef LKVM_JSON_H
#define LKVM_JSON_H

#include <jansson.h>

/*
 * Before the first JSON object: a seed for hashes, from a system call. jansson by
 * itself would open /dev/urandom, which confined threads cannot.
 */
void json_prepare(void);

/* A string of @text, which need not be UTF-8: then what is not ASCII becomes '?'. */
json_t *json_text(const char *text);

#endif
