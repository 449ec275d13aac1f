/* SPDX-License-Identifier: MIT */
/* Between os_posix.c and the file of one Unix. */
#ifndef AGENT_OS_POSIX_H
#define AGENT_OS_POSIX_H

#include "os.h"

/* errno if result is -1, else 0. */
uint32_t posix_error(long result);
/* Descriptors that a fork must not share: closed now, made again when needed. */
void posix_memory_forget(void);

/* Opens the port that a text like "tcp:4001" names, for peers to call at. */
uint32_t posix_listen(const char *port, os_handle *listener);

/* Supplied by the Unix: */

/* mmap() flags for MEM_FIXED and MEM_LOW. */
uint32_t posix_map_flags(uint32_t flags);
/* A path to the program that this process runs. */
const char *posix_own_program(void);
/* In a child: die when the parent does. */
void posix_die_with(int parent);
/* Whether a path names no file, but something else that the Unix tells or lets one change. */
bool posix_pseudo_file(const char *path);
uint32_t posix_pseudo_read(const char *path, uint64_t offset, void *to, uint32_t length,
			   uint32_t *got);
uint32_t posix_pseudo_write(const char *path, const void *from, uint32_t length, uint32_t *written);

#endif
