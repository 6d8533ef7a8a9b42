/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that have no safe use: calling one does not compile. The Makefile
 * includes this file in front of every source file.
 */
#ifndef LKVM_BANNED_H
#define LKVM_BANNED_H

/* Their declarations must have been read before their names are taken. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LKVM_BANNED(function) sorry_##function##_is_banned

#undef strcpy
#define strcpy(to, from) LKVM_BANNED(strcpy)
#undef strcat
#define strcat(to, from) LKVM_BANNED(strcat)
#undef strncpy
#define strncpy(to, from, len) LKVM_BANNED(strncpy)
#undef strncat
#define strncat(to, from, len) LKVM_BANNED(strncat)
#undef sprintf
#define sprintf(...) LKVM_BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) LKVM_BANNED(vsprintf)
#undef gets
#define gets(to) LKVM_BANNED(gets)
#undef strtok
#define strtok(text, delimiters) LKVM_BANNED(strtok)
#undef atoi
#define atoi(text) LKVM_BANNED(atoi)
#undef alloca
#define alloca(len) LKVM_BANNED(alloca)

#endif
