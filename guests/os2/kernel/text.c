/* SPDX-License-Identifier: MIT */
/* Memory and text. */
#include "kernel.h"

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

uint32_t number_of(const char *text)
{
	uint32_t value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (uint32_t)(*text++ - '0');
	return value;
}

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

static void put_number(struct output *o, uint32_t value, uint32_t base, int width, char fill)
{
	char digits[12];
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

static void put_text(struct output *o, const char *text, int width)
{
	int n = 0;

	for (; text[n]; n++)
		put(o, text[n]);
	while (n++ < width)
		put(o, ' ');
}

int format_list(char *to, size_t room, const char *how, va_list list)
{
	struct output o = {to, room, 0};

	for (; *how; how++) {
		int width = 0;
		char fill = ' ';

		if (*how != '%') {
			put(&o, *how);
			continue;
		}
		how++;
		if (*how == '-')
			how++;
		if (*how == '0')
			fill = '0';
		while (*how >= '0' && *how <= '9')
			width = width * 10 + (*how++ - '0');
		switch (*how) {
		case 's':
			put_text(&o, va_arg(list, const char *), width);
			break;
		case 'c':
			put(&o, (char)va_arg(list, int));
			break;
		case 'd': {
			int value = va_arg(list, int);

			if (value < 0)
				put(&o, '-');
			put_number(&o, value < 0 ? 0u - (uint32_t)value : (uint32_t)value, 10,
				   width, fill);
			break;
		}
		case 'u':
			put_number(&o, va_arg(list, uint32_t), 10, width, fill);
			break;
		case 'x':
			put_number(&o, va_arg(list, uint32_t), 16, width, fill);
			break;
		default:
			put(&o, *how);
		}
	}
	if (room)
		to[o.length < room ? o.length : room - 1] = 0;
	return (int)o.length;
}

int format(char *to, size_t room, const char *how, ...)
{
	va_list list;
	int n;

	va_start(list, how);
	n = format_list(to, room, how, list);
	va_end(list);
	return n;
}
