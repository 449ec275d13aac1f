/* SPDX-License-Identifier: MIT */
/* What guests/os2/lib has of it. */
#ifndef OS2_LIB_STDLIB_H
#define OS2_LIB_STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);
void exit(int code) __attribute__((noreturn));
void _Exit(int code) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));
char *getenv(const char *name);
unsigned long strtoul(const char *text, char **end, int base);
long strtol(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);
long long strtoll(const char *text, char **end, int base);
int atoi(const char *text);
void qsort(void *base, size_t count, size_t size, int (*order)(const void *, const void *));

#endif
