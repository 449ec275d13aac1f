/* SPDX-License-Identifier: MIT */
/* Bytes, strings and numbers. */
#include "runtime.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(length) : : "memory");
	return to;
}

void *memset(void *to, int byte, size_t length)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(length) : "a"(byte) : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t length)
{
	char *end = (char *)to + length;
	const char *last = (const char *)from + length;

	if ((uintptr_t)to - (uintptr_t)from >= length)
		return memcpy(to, from, length);
	while (length-- > 0) {
		*--end = *--last;
		__asm__ volatile("" : : : "memory");
	}
	return to;
}

int memcmp(const void *one, const void *other, size_t length)
{
	const unsigned char *a = one, *b = other;

	for (; length > 0; length--, a++, b++)
		if (*a != *b)
			return *a - *b;
	return 0;
}

void *memchr(const void *in, int byte, size_t length)
{
	const unsigned char *at = in;

	for (; length > 0; length--, at++)
		if (*at == (unsigned char)byte)
			return (void *)(uintptr_t)at;
	return NULL;
}

size_t strnlen(const char *text, size_t most)
{
	size_t length = 0;

	while (length < most && text[length]) {
		length++;
		__asm__ volatile("");
	}
	return length;
}

size_t strlen(const char *text)
{
	return strnlen(text, SIZE_MAX);
}

int strcmp(const char *one, const char *other)
{
	while (*one && *one == *other) {
		one++;
		other++;
	}
	return (unsigned char)*one - (unsigned char)*other;
}

int strncmp(const char *one, const char *other, size_t most)
{
	for (; most > 0; most--, one++, other++)
		if (*one != *other || !*one)
			return (unsigned char)*one - (unsigned char)*other;
	return 0;
}

char *strchr(const char *text, int wanted)
{
	for (;; text++) {
		if (*text == (char)wanted)
			return (char *)(uintptr_t)text;
		if (!*text)
			return NULL;
	}
}

char *strrchr(const char *text, int wanted)
{
	const char *found = NULL;

	do {
		if (*text == (char)wanted)
			found = text;
	} while (*text++);
	return (char *)(uintptr_t)found;
}

char *strpbrk(const char *text, const char *any)
{
	for (; *text; text++)
		if (strchr(any, *text))
			return (char *)(uintptr_t)text;
	return NULL;
}

/* Numbers. */

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A') + 10;
	return UINT_MAX;
}

long long strtoll(const char *text, char **end, int base)
{
	const char *at = text;
	unsigned long long value = 0;
	bool negative;

	while (*at == ' ' || *at == '\t' || *at == '\n')
		at++;
	negative = *at == '-';
	if (*at == '-' || *at == '+')
		at++;
	if ((base == 0 || base == 16) && at[0] == '0' && (at[1] | 0x20) == 'x') {
		at += 2;
		base = 16;
	}
	if (base == 0)
		base = *at == '0' ? 8 : 10;
	for (; digit_of(*at) < (unsigned)base; at++)
		value = value * (unsigned)base + digit_of(*at);
	if (end)
		*end = (char *)(uintptr_t)at;
	return (long long)(negative ? 0 - value : value);
}

long strtol(const char *text, char **end, int base)
{
	return (long)strtoll(text, end, base);
}

unsigned long strtoul(const char *text, char **end, int base)
{
	return (unsigned long)strtoll(text, end, base);
}

int atoi(const char *text)
{
	return (int)strtoll(text, NULL, 10);
}

/* Knows %s, %d, %u, %c and %%, without widths. */

struct text_room {
	char *at;
	char *end;
	int length;
};

static void room_put(struct text_room *room, char c)
{
	if (room->at < room->end)
		*room->at++ = c;
	room->length++;
}

static void room_put_number(struct text_room *room, unsigned value)
{
	char digits[12];
	unsigned count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	while (count > 0)
		room_put(room, digits[--count]);
}

static void room_put_argument(struct text_room *room, char kind, va_list *arguments)
{
	const char *text;
	int number;

	switch (kind) {
	case 's':
		for (text = va_arg(*arguments, const char *); *text; text++)
			room_put(room, *text);
		break;
	case 'd':
		number = va_arg(*arguments, int);
		if (number < 0)
			room_put(room, '-');
		room_put_number(room, number < 0 ? 0u - (unsigned)number : (unsigned)number);
		break;
	case 'u':
		room_put_number(room, va_arg(*arguments, unsigned));
		break;
	case 'c':
		room_put(room, (char)va_arg(*arguments, int));
		break;
	default:
		room_put(room, kind);
	}
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
	struct text_room room = {to, size ? to + size - 1 : to, 0};
	va_list arguments;

	va_start(arguments, format);
	for (; *format; format++) {
		if (*format == '%' && format[1])
			room_put_argument(&room, *++format, &arguments);
		else
			room_put(&room, *format);
	}
	va_end(arguments);
	if (size)
		*room.at = 0;
	return room.length;
}

/* Sorting, of few things. */

static void items_swap(char *one, char *other, size_t size)
{
	while (size-- > 0) {
		char kept = *one;

		*one++ = *other;
		*other++ = kept;
	}
}

static void heap_sink(char *base, size_t root, size_t count, size_t size,
		      int (*compare)(const void *, const void *))
{
	for (;;) {
		size_t child = 2 * root + 1;

		if (child >= count)
			return;
		if (child + 1 < count &&
		    compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(base + root * size, base + child * size) >= 0)
			return;
		items_swap(base + root * size, base + child * size, size);
		root = child;
	}
}

void qsort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	size_t i;

	for (i = count / 2; i-- > 0;)
		heap_sink(items, i, count, size, compare);
	for (i = count; i-- > 1;) {
		items_swap(items, (char *)items + i * size, size);
		heap_sink(items, 0, i, size, compare);
	}
}
