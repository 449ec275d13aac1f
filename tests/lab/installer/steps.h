/* SPDX-License-Identifier: MIT */
/*
 * Stands in for an installer of Windows, on BIOS and on UEFI. `run` is what both do; the rest is
 * what each does its own way. A block of a disc has 2048 bytes, a sector of the disk 512.
 */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stdint.h>

enum { DISC_BLOCK = 2048, DISK_SECTOR = 512 };

/* Never returns. */
void run(void);
void fail(const char *why);

bool begins(const void *at, const char *text);

/* Drives: discs are 0, 1, ... until one is missing. */
bool disc_read(unsigned disc, uint32_t block, void *to);
unsigned disc_count(void);
bool disk_read(uint32_t sector, void *to);
bool disk_write(uint32_t sector, const void *from);
/* Makes the disk one that starts this program. */
bool disk_make_bootable(void);

#endif
