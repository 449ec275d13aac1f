/* SPDX-License-Identifier: MIT */
/* Drivers: loading them, requests to them. */
#ifndef DEVICE_H
#define DEVICE_H

#include "files.h"
#include "os2_driver.h"
#include "os2_guest.h"

struct driver {
	struct driver *next;
	uint32_t base;
	uint32_t size;
	uint32_t opens;
	struct os2_device_header *header; /* the first of its chain */
	char file[NAME_MAX];
	uint32_t build_id_length;
	uint8_t build_id[64];
};

struct device {
	struct driver *driver;
	struct os2_device_header *header;
};

extern struct driver *drivers;

/* device.c. Names are normal ones, without \DEV\. */
const struct device *device_find(const char *name);
uint32_t device_open(const struct device *device, uint32_t mode, struct open_file **file);
/* A packet for a driver; the result as a program sees it. */
uint32_t device_request(const struct os2_device_header *header, void *packet, uint8_t command,
			uint8_t length);
const struct os2_device_header *header_next(const struct os2_device_header *header);
bool header_named(const struct os2_device_header *header, const char *name);

/* driver_load.c */
uint32_t driver_load(const char *file, const char *options);
uint32_t driver_unload(const char *device);
const struct driver *driver_at(uint32_t address);

/* device_help.c */
struct help_registers {
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
};
/* Whether it failed; the error is in EAX then. */
bool device_help(struct help_registers *r);
/* device_memory.c */
uint32_t help_vm_alloc(struct help_registers *r);
uint32_t help_vm_free(struct help_registers *r);
uint32_t help_vm_lock(struct help_registers *r);
uint32_t help_vm_unlock(struct help_registers *r);
uint32_t help_process_to_global(struct help_registers *r);
uint32_t help_global_to_process(struct help_registers *r);
uint32_t help_page_list(struct help_registers *r);
uint32_t help_physical(struct help_registers *r);
uint32_t help_protect(struct help_registers *r);
/* Pages that VMLock holds. */
extern uint32_t pages_locked;

#endif
