/* SPDX-License-Identifier: MIT */
/* The system calls: EAX has the number, EDX the address of the arguments. */
#include "os2_call_numbers.h"

#define NUMBER(name) NUMBER_##name,
enum { GUEST_CALLS(NUMBER) };

#define STUB(name)                                                                                 \
	__attribute__((naked)) void name(void)                                                     \
	{                                                                                          \
		__asm__("mov %0, %%eax\n\t"                                                        \
			"lea 4(%%esp), %%edx\n\t"                                                  \
			"int $0x60\n\t"                                                            \
			"ret" ::"i"(NUMBER_##name));                                               \
	}
GUEST_CALLS(STUB)
