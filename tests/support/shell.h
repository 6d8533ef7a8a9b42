/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKVM_TESTS_SHELL_H
#define LKVM_TESTS_SHELL_H

/* Run @line in /bin/sh and wait for it. Its exit status; -1: killed, or none. */
int shell(const char *line);

#endif
