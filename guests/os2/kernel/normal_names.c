/* SPDX-License-Identifier: MIT */
/* One form for all ways to write a name. */
#include "files.h"

static char capital(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c == '/' ? '\\' : c;
}

bool name_normal(char to[NAME_MAX], const char *name)
{
	size_t n = 0;

	if (capital(name[0]) == 'C' && name[1] == ':')
		name += 2;
	while (capital(*name) == '\\')
		name++;
	for (; *name && n < NAME_MAX - 1; name++)
		to[n++] = capital(*name);
	to[n] = 0;
	return !*name;
}
