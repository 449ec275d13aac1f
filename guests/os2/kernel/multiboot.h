/* SPDX-License-Identifier: MIT */
/* What a loader after the Multiboot Specification, version 0.6.96, hands over. */
#ifndef MULTIBOOT_H
#define MULTIBOOT_H

#include <stdint.h>

#define MULTIBOOT_LOADED 0x2BADB002

struct multiboot {
	uint32_t flags;
	uint32_t lower_kib;
	uint32_t upper_kib; /* from 1 MiB on, up to the first hole */
	uint32_t boot_device;
	uint32_t command_line;
	uint32_t modules;
	uint32_t module_list;
};

struct multiboot_module {
	uint32_t start;
	uint32_t end;
	uint32_t text;
	uint32_t reserved;
};

#endif
