/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The memory requests as a client makes them. */
#ifndef MEMORY_CLIENT_H
#define MEMORY_CLIENT_H

#include "host.h"
#include "supdrv_internal.h"

#define PAGE SUPDRV_PAGE_SIZE

/* An address to pin; the host's glue does not look at it. */
#define OWN_PAGES ((uintptr_t)0x10000000)

enum memory_kind { PIN, CONT, LOW, MEMORY_KINDS };

/* What a request came to: address for its release, token of CONT. */
struct memory {
	int32_t status;
	uintptr_t address;
	uintptr_t token;
	uint32_t copied;
};

/* pages of kind; out_faults as in struct client. Pins are of OWN_PAGES. */
struct memory memory_make(struct bench *bench, enum memory_kind kind, uint32_t pages,
			  bool out_faults);
int32_t memory_release(struct bench *bench, enum memory_kind kind, uintptr_t address);

/* Stops the test unless the device counts so many records and pages of kind. */
void memory_check_counted(struct bench *bench, enum memory_kind kind, uint32_t records,
			  uint32_t pages);
/* Stops the test unless nothing is left of any kind. */
void memory_check_none(struct bench *bench);

#endif
