/* SPDX-License-Identifier: MIT */
/* The drives as BIOS has them: discs from 0xe0 on, the disk at 0x80. In real mode, in the first 64
 * KiB. */
#include "steps.h"

enum { DISK = 0x80, FIRST_DISC = 0xe0, MOST_DISCS = 8, LOADED_AT = 0x7c00 };

/* `count` blocks between memory at `at` and a drive; blocks are as long as the drive's are. */
static bool transfer(uint8_t drive, bool write, uint32_t first, uint16_t count, const void *at)
{
	struct {
		uint8_t size, zero;
		uint16_t count, offset, segment;
		uint64_t first;
	} packet = {16, 0, count, (uint16_t)(uintptr_t)at, 0, first};
	uint16_t function = write ? 0x4300 : 0x4200;
	uint8_t failed;

	__asm__ volatile("int $0x13; setc %0"
			 : "=qm"(failed), "+a"(function)
			 : "d"(drive), "S"(&packet)
			 : "memory", "cc");
	return !failed;
}

unsigned disc_count(void)
{
	return MOST_DISCS;
}

bool disc_read(unsigned disc, uint32_t block, void *to)
{
	return transfer(FIRST_DISC + disc, false, block, 1, to);
}

bool disk_read(uint32_t sector, void *to)
{
	return transfer(DISK, false, sector, 1, to);
}

bool disk_write(uint32_t sector, const void *from)
{
	return transfer(DISK, true, sector, 1, from);
}

/* The whole program lies in memory as it was loaded; it starts the same way from a disk. */
bool disk_make_bootable(void)
{
	return transfer(DISK, true, 0, SECTORS, (const void *)LOADED_AT);
}
