/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of CPUs: numbers and ranges, with commas between. */
#include "arm/cpulist.h"

/* The digits at *@text; *@text moves behind them. */
static bool parse_cpu(const char **text, unsigned int *out)
{
	unsigned int value = 0;

	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		value = 10 * value + (unsigned int)(**text - '0');
		if (value >= CPU_SETSIZE)
			return false;
	}
	*out = value;
	return true;
}

bool cpulist_parse(const char *text, cpu_set_t *out)
{
	CPU_ZERO(out);
	for (;;) {
		unsigned int first, last;

		if (!parse_cpu(&text, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!parse_cpu(&text, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			CPU_SET(first, out);
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}
