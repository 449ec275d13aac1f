/* SPDX-License-Identifier: MIT */
/* What guests/os2/lib has of it. */
#ifndef OS2_LIB_STRING_H
#define OS2_LIB_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *in, int value, size_t n);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t room);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
char *strpbrk(const char *text, const char *any);
char *strcpy(char *to, const char *from);
char *strdup(const char *text);

#endif
