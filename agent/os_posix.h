/* SPDX-License-Identifier: MIT */
/* Between os_posix.c and the file of one Unix. */
#ifndef AGENT_OS_POSIX_H
#define AGENT_OS_POSIX_H

#include "os.h"

/* errno if result is -1, else 0. */
uint32_t posix_error(long result);
/* Descriptors that a fork must not share: closed now, made again when needed. */
void posix_memory_forget(void);

/* Supplied by the Unix: */

/* mmap() flags for MEM_FIXED and MEM_LOW. */
uint32_t posix_map_flags(uint32_t flags);
/* A path to the program that this process runs. */
extern const char *const posix_own_program;
/* In a child: die when the parent does. */
void posix_die_with(int parent);

#endif
