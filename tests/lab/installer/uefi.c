/* SPDX-License-Identifier: MIT */
/*
 * The drives as UEFI has them: handles with the block protocol. What is used of the firmware's
 * tables is declared here, after the UEFI specification, at the offsets that it gives for 64 bits.
 */
#include <stddef.h>

#include "steps.h"

typedef uint64_t status;
typedef void *handle;

struct guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

struct boot_services {
	uint8_t skipped[152];
	status (*handle_protocol)(handle, const struct guid *, void **);
	uint8_t skipped2[96];
	status (*set_watchdog)(uint64_t, uint64_t, uint64_t, void *);
	status (*connect)(handle, handle *, void *, bool);
	uint8_t skipped3[40];
	status (*locate_handles)(int, const struct guid *, void *, uint64_t *, handle **);
};

struct system_table {
	uint8_t skipped[96];
	struct boot_services *boot;
};

struct loaded_image {
	uint8_t skipped[24];
	handle device;
};

struct media {
	uint32_t id;
	bool removable, present, partition, read_only, caching;
	uint32_t block_size;
	uint32_t align;
	uint64_t last;
};

struct block_io {
	uint64_t revision;
	struct media *media;
	void *reset;
	status (*read)(struct block_io *, uint32_t, uint64_t, uint64_t, void *);
	status (*write)(struct block_io *, uint32_t, uint64_t, uint64_t, const void *);
	status (*flush)(struct block_io *);
};

_Static_assert(offsetof(struct boot_services, set_watchdog) == 256, "SetWatchdogTimer");
_Static_assert(offsetof(struct boot_services, locate_handles) == 312, "LocateHandleBuffer");
_Static_assert(offsetof(struct media, block_size) == 12, "BlockSize");
_Static_assert(offsetof(struct media, last) == 24, "LastBlock");

static const struct guid block_protocol = {
    0x964e5b21, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct guid image_protocol = {
    0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

enum { ALL_HANDLES = 0, BY_PROTOCOL = 2, MOST_DISCS = 8 };

static struct block_io *discs[MOST_DISCS];
static unsigned disc_number;
static struct block_io *disk;
static struct block_io *started_from;
static _Alignas(4096) uint8_t buffer[DISC_BLOCK];

/* The firmware has only looked at what it started from. */
static void connect_all(struct boot_services *boot)
{
	uint64_t count, at;
	handle *handles;

	if (boot->locate_handles(ALL_HANDLES, NULL, NULL, &count, &handles))
		fail("there are no devices");
	for (at = 0; at < count; at++)
		boot->connect(handles[at], NULL, NULL, true);
}

static void find_drives(struct boot_services *boot)
{
	uint64_t count, at;
	handle *handles;

	connect_all(boot);
	if (boot->locate_handles(BY_PROTOCOL, &block_protocol, NULL, &count, &handles))
		fail("there are no drives");
	for (at = 0; at < count; at++) {
		struct block_io *io;

		if (boot->handle_protocol(handles[at], &block_protocol, (void **)&io) ||
		    io->media->partition)
			continue;
		if (io->media->removable && disc_number < MOST_DISCS)
			discs[disc_number++] = io;
		else if (io->media->block_size == DISK_SECTOR && !io->media->read_only)
			disk = io;
	}
	if (!disk)
		fail("there is no disk");
}

unsigned disc_count(void)
{
	return disc_number;
}

/* The first read of a medium may be answered with the news that there is one. */
static bool read_block(struct block_io *io, uint64_t block, void *to)
{
	unsigned tries;

	for (tries = 0; tries < 2; tries++)
		if (!io->read(io, io->media->id, block, io->media->block_size, to))
			return true;
	return false;
}

bool disc_read(unsigned disc, uint32_t block, void *to)
{
	return read_block(discs[disc], block, to);
}

bool disk_read(uint32_t sector, void *to)
{
	return read_block(disk, sector, to);
}

bool disk_write(uint32_t sector, const void *from)
{
	return !disk->write(disk, disk->media->id, sector, DISK_SECTOR, from) && !disk->flush(disk);
}

/* A copy of the file system that this program was started from, which says itself how many sectors
 * it has. */
bool disk_make_bootable(void)
{
	uint32_t size = started_from->media->block_size;
	uint32_t sectors, block;

	if (size > sizeof(buffer) || !read_block(started_from, 0, buffer))
		return false;
	sectors = buffer[19] | buffer[20] << 8;
	for (block = 0; block * (size / DISK_SECTOR) < sectors; block++)
		if (!read_block(started_from, block, buffer) ||
		    disk->write(disk, disk->media->id, block * (size / DISK_SECTOR), size, buffer))
			return false;
	return true;
}

status EfiMain(handle self, struct system_table *system)
{
	struct boot_services *boot = system->boot;
	struct loaded_image *image;

	boot->set_watchdog(0, 0, 0, NULL);
	find_drives(boot);
	if (boot->handle_protocol(self, &image_protocol, (void **)&image) ||
	    boot->handle_protocol(image->device, &block_protocol, (void **)&started_from))
		fail("this program does not know where it is from");
	run();
	return 0;
}
