/* SPDX-License-Identifier: MIT */
/* Of <string.h>, <stdlib.h> and <stdio.h> what programs here use. */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

void *memchr(const void *in, int value, size_t n)
{
	const uint8_t *x = in;

	for (size_t i = 0; i < n; i++)
		if (x[i] == (uint8_t)value)
			return (void *)(x + i);
	return NULL;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

size_t strnlen(const char *text, size_t room)
{
	size_t n = 0;

	while (n < room && text[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] || !a[i])
			return (uint8_t)a[i] - (uint8_t)b[i];
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int c)
{
	for (;; text++) {
		if (*text == (char)c)
			return (char *)text;
		if (!*text)
			return NULL;
	}
}

char *strrchr(const char *text, int c)
{
	const char *found = NULL;

	for (;; text++) {
		if (*text == (char)c)
			found = text;
		if (!*text)
			return (char *)found;
	}
}

char *strpbrk(const char *text, const char *any)
{
	for (; *text; text++)
		if (strchr(any, *text))
			return (char *)text;
	return NULL;
}

char *strcpy(char *to, const char *from)
{
	memcpy(to, from, strlen(from) + 1);
	return to;
}

char *strdup(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	return copy ? strcpy(copy, text) : NULL;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : INT_MAX;
}

unsigned long long strtoull(const char *text, char **end, int base)
{
	unsigned long long value = 0;

	while (*text == ' ')
		text++;
	if ((base == 0 || base == 16) && text[0] == '0' && (text[1] | 0x20) == 'x' &&
	    digit_of(text[2]) < 16) {
		text += 2;
		base = 16;
	} else if (base == 0) {
		base = text[0] == '0' ? 8 : 10;
	}
	for (; digit_of(*text) < base; text++)
		value = value * (unsigned)base + (unsigned)digit_of(*text);
	if (end)
		*end = (char *)text;
	return value;
}

long long strtoll(const char *text, char **end, int base)
{
	while (*text == ' ')
		text++;
	if (*text != '-')
		return (long long)strtoull(text, end, base);
	return (long long)(0 - strtoull(text + 1, end, base));
}

unsigned long strtoul(const char *text, char **end, int base)
{
	return (unsigned long)strtoull(text, end, base);
}

long strtol(const char *text, char **end, int base)
{
	return (long)strtoll(text, end, base);
}

int atoi(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

static void swap(char *a, char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

static void sift(char *base, size_t from, size_t count, size_t size,
		 int (*order)(const void *, const void *))
{
	for (size_t child; (child = from * 2 + 1) < count; from = child) {
		if (child + 1 < count && order(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (order(base + from * size, base + child * size) >= 0)
			return;
		swap(base + from * size, base + child * size, size);
	}
}

/* A heap sort: no more than n log n, in place. */
void qsort(void *base, size_t count, size_t size, int (*order)(const void *, const void *))
{
	for (size_t i = count / 2; i-- > 0;)
		sift(base, i, count, size, order);
	for (size_t n = count; n-- > 1;) {
		swap(base, (char *)base + n * size, size);
		sift(base, 0, n, size, order);
	}
}
