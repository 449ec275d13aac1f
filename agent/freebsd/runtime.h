/* SPDX-License-Identifier: MIT */
/*
 * What an ordinary program has from its C library, as far as the agent needs it. There is none for
 * FreeBSD that could be linked in here, and a guest of one's own may have none at all. System calls
 * by these numbers are the same in FreeBSD 12 to 15.
 */
#ifndef AGENT_FREEBSD_RUNTIME_H
#define AGENT_FREEBSD_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

/* errno and -1, or the result. Each argument is a word, but for a file offset. */
long runtime_call(long number, ...);
/* For a result that is a file offset. */
int64_t runtime_call_wide(long number, ...);

/* What the thread pointer points at. */
struct runtime_thread {
	struct runtime_thread *self;
	int error;
};
void runtime_thread_adopt(struct runtime_thread *thread);

/* Far from where the kernel puts what a program asks for without an address. */
#ifdef __LP64__
#define RUNTIME_AREA ((void *)0x600000000000)
#else
#define RUNTIME_AREA ((void *)0x80000000)
#endif

/* The path this program was started by. */
extern const char *runtime_program;

#endif
