/* SPDX-License-Identifier: MIT */
/* Texts with values in them. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "os2_calls.h"

struct output {
	char *to;
	size_t room;
	size_t length;
};

static void put(struct output *o, char c)
{
	if (o->length + 1 < o->room)
		o->to[o->length] = c;
	o->length++;
}

static void put_number(struct output *o, uint64_t value, unsigned base, int width, char fill)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (width-- > n)
		put(o, fill);
	while (n)
		put(o, digits[--n]);
}

static void put_text(struct output *o, const char *text, int width, int room)
{
	int n = (int)strnlen(text, room < 0 ? SIZE_MAX : (size_t)room);

	for (int i = 0; i < n; i++)
		put(o, text[i]);
	while (n++ < width)
		put(o, ' ');
}

/* %s %c %d %i %u %x %p, width, 0, precision of %s, h l ll z. */
int vsnprintf(char *to, size_t room, const char *how, va_list list)
{
	struct output o = {to, room, 0};

	for (; *how; how++) {
		int width = 0, precision = -1, longs = 0;
		char fill = ' ';
		int64_t value;

		if (*how != '%') {
			put(&o, *how);
			continue;
		}
		how++;
		if (*how == '-')
			how++;
		if (*how == '0')
			fill = '0';
		for (; *how >= '0' && *how <= '9'; how++)
			width = width * 10 + (*how - '0');
		if (*how == '.') {
			how++;
			if (*how == '*') {
				precision = va_arg(list, int);
				how++;
			} else {
				for (precision = 0; *how >= '0' && *how <= '9'; how++)
					precision = precision * 10 + (*how - '0');
			}
		}
		for (; *how == 'l' || *how == 'z' || *how == 'h'; how++)
			longs += *how == 'l';
		switch (*how) {
		case 's':
			put_text(&o, va_arg(list, const char *), width, precision);
			break;
		case 'c':
			put(&o, (char)va_arg(list, int));
			break;
		case 'd':
		case 'i':
			value = longs > 1 ? va_arg(list, int64_t) : va_arg(list, int32_t);
			if (value < 0)
				put(&o, '-');
			put_number(&o, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, width,
				   fill);
			break;
		case 'u':
		case 'x':
		case 'X':
			put_number(&o, longs > 1 ? va_arg(list, uint64_t) : va_arg(list, uint32_t),
				   *how == 'u' ? 10 : 16, width, fill);
			break;
		case 'p':
			put_number(&o, va_arg(list, uint32_t), 16, 8, '0');
			break;
		default:
			put(&o, *how);
		}
	}
	if (room)
		to[o.length < room ? o.length : room - 1] = 0;
	return (int)o.length;
}

int snprintf(char *to, size_t room, const char *how, ...)
{
	va_list list;
	int n;

	va_start(list, how);
	n = vsnprintf(to, room, how, list);
	va_end(list);
	return n;
}

int printf(const char *how, ...)
{
	char text[512];
	uint32_t written, action;
	HFILE console;
	va_list list;
	int n;

	va_start(list, how);
	n = vsnprintf(text, sizeof(text), how, list);
	va_end(list);
	if (DosOpen("CON", &console, &action, 0, 0, OPEN_ACTION_OPEN_IF_EXISTS,
		    OPEN_ACCESS_WRITEONLY, NULL))
		return -1;
	DosWrite(console, text, strlen(text), &written);
	DosClose(console);
	return n;
}
