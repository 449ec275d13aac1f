/* SPDX-License-Identifier: MIT */
/* System calls: EAX has the number, EDX the address of the arguments, INT 60h does it. */
#ifndef SYSTEM_CALL_H
#define SYSTEM_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "os2_call_numbers.h"

struct frame;
uint32_t system_call(struct frame *frame);

/* The caller's memory; false where it may not. */
bool user_read(void *to, uint32_t from, uint32_t length);
bool user_write(uint32_t to, const void *from, uint32_t length);
bool user_write_word(uint32_t to, uint32_t value);
/* A text that ends in 0, of at most room - 1 bytes. */
bool user_text(char *to, uint32_t from, uint32_t room);

typedef uint32_t system_call_function(const uint32_t *a);
#define CALL(name) system_call_function call_##name;
GUEST_CALLS(CALL)
#undef CALL

#endif
