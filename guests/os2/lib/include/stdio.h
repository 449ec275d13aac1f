/* SPDX-License-Identifier: MIT */
/* What guests/os2/lib has of it. */
#ifndef OS2_LIB_STDIO_H
#define OS2_LIB_STDIO_H

#include <stdarg.h>
#include <stddef.h>

int snprintf(char *to, size_t room, const char *how, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t room, const char *how, va_list list);
/* To the console, at most 511 characters. */
int printf(const char *how, ...) __attribute__((format(printf, 1, 2)));

#endif
