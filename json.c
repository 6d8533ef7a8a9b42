/* SPDX-License-Identifier: GPL-2.0-only */
#include "lkvm/json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void json_prepare(void)
{
	size_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (size_t)time(NULL);
	/* 0 would mean that jansson chooses. */
	json_object_seed(seed | 1);
}

json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char *copy;

	if (string)
		return string;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if (*c & 0x80)
			*c = '?';
	string = json_string(copy);
	free(copy);
	return string;
}
