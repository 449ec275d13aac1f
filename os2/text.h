/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Text made of a format. */
#ifndef SUPDRV_TEXT_H
#define SUPDRV_TEXT_H

#include <stdarg.h>

#include "supdrv_os.h"

/*
 * As vsnprintf, for %c %s %d %i %u %x %X %p %% with the flags 0 and -, a width, a precision of
 * texts, and the lengths l, ll and z. What else begins with % is put as it is. Returns the length
 * of what was put, without the NUL: what does not fit is cut off. size is not 0.
 */
size_t text_format(char *to, size_t size, const char *format, va_list arguments);

#endif
