/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the core takes from a compiler without a library, and os2/runtime.c. */
#ifndef SUPDRV_OS_H
#define SUPDRV_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUPDRV_TYPES_PROVIDED 1

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *memory, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memchr(const void *memory, int value, size_t size);
int strcmp(const char *left, const char *right);
size_t strlen(const char *text);

/* Code of the kernel runs until it blocks or yields, so that a word is enough. Who waits blocks on
 * its address. */
struct supdrv_lock {
	bool held;
};

#endif
