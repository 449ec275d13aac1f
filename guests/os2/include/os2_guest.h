/* SPDX-License-Identifier: MIT */
/* System calls that OS/2 does not have, for an agent that tests drivers. */
#ifndef OS2_GUEST_H
#define OS2_GUEST_H

#include "os2_calls.h"

#define GUEST_POLL_READ	 1 /* a byte, the end or a gap is there */
#define GUEST_POLL_WRITE 2 /* a byte can be written without waiting */

struct guest_poll {
	HFILE file;
	uint16_t wanted;
	uint16_t ready; /* result */
};
/* Waits until one is ready, or for so long. ERROR_TIMEOUT. Files and drivers are always ready. */
APIRET GuestPoll(struct guest_poll *list, uint32_t count, uint32_t ms);
/* As DosWrite, without waiting: *written may be 0. */
APIRET GuestOffer(HFILE file, const void *from, uint32_t length, uint32_t *written);

/* Exactly there, which must be a page's start, free and below 3 GiB. Flags as for DosAllocMem. */
APIRET GuestAllocMemAt(void *address, uint32_t size, uint32_t flags);
/* Whatever is in the range goes, a driver's mappings too; what is left of an object stays. */
APIRET GuestFreeRange(void *address, uint32_t size);

/*
 * Copies memory of a process, page by page: ERROR_PROTECTION_VIOLATION where its own instructions
 * could not, what went before is copied. pid 0: the caller itself.
 */
APIRET GuestRead(PID pid, uint32_t address, void *to, uint32_t length);
APIRET GuestWrite(PID pid, uint32_t address, const void *from, uint32_t length);

/* A driver's file, and its options as on a DEVICE= line. Any process can. ERROR_OPEN_FAILED: INIT
 * did. */
APIRET GuestLoadDriver(const char *name, const char *options);
/* By device name. ERROR_DEVICE_IN_USE: somebody has it open, or it refused DEINSTALL. */
APIRET GuestUnloadDriver(const char *name);

struct guest_driver {
	uint32_t base;
	uint32_t size;
	uint32_t opens;
	uint32_t build_id_length;
	uint8_t build_id[64];
};
/* ERROR_FILE_NOT_FOUND: not loaded. */
APIRET GuestQueryDriver(const char *name, struct guest_driver *driver);

/* Nanoseconds since 1970. NULL: not asked for; not set. */
APIRET GuestTime(const uint64_t *set, uint64_t *now);

/* A name after that one ("": the first) of the files in memory. ERROR_NO_MORE_FILES. */
APIRET GuestNextFile(const char *after, char *name, uint32_t room);

/*
 * Files that tell of the kernel, to be read only; all are text but the last:
 *   G:\MEMORY      "total N", "free N", "locked N": pages
 *   G:\DRIVERS     a line for each device: name base size opens build-id
 *   G:\THREADS     a line for each thread, then where those that wait in the kernel are
 *   G:\MAPS\PID    a line for each object: start size (hexadecimal) and its kind
 *   G:\PAGES\PID   8 bytes for each page from address 0 on: its physical address, or 0
 */

#endif
