// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The two device headers, and how their strategy routines are entered. With devhelp.c the boundary
 * to the system: see there. */
#include "supdrv_abi_check.h"
#include "supdrv_os2.h"

#define ATTRIBUTES   (DEV_CHAR | DEV_OPEN_CLOSE | DEVLEV_3)
#define CAPABILITIES (DEV_IOCTL2 | DEV_16MB)

/* The packet's address comes in EBX. */
#define STRATEGY(name, function)                                                                   \
	extern void name(void) __attribute__((visibility("hidden")));                              \
	__asm__(".text\n" #name ":\n\tpush %ebp\n\tmov %esp, %ebp\n\tpush %ebx\n\tcall " #function \
		"\n\tpop %ebx\n\tpop %ebp\n\tret\n")

void supdrv_strategy_run(struct os2_request *packet);
void supdrv_counters_strategy_run(struct os2_request *packet);

STRATEGY(supdrv_strategy, supdrv_strategy_run);
STRATEGY(supdrv_counters_strategy, supdrv_counters_strategy_run);

void supdrv_strategy_run(struct os2_request *packet)
{
	packet->status = supdrv_request(packet);
}

void supdrv_counters_strategy_run(struct os2_request *packet)
{
	packet->status = supdrv_counters_request(packet);
}

static struct os2_device_header counters_header = {
    .next = DEV_HEADER_END,
    .attributes = ATTRIBUTES,
    .strategy = (uint32_t)supdrv_counters_strategy,
    .name = {'S', 'U', 'P', 'D', 'R', 'V', 'C', '$'},
    .capabilities = CAPABILITIES,
};

extern struct os2_device_header supdrv_header;

/* Where the file is entered. */
struct os2_device_header supdrv_header = {
    .next = (uint32_t)&counters_header,
    .attributes = ATTRIBUTES,
    .strategy = (uint32_t)supdrv_strategy,
    .name = {'S', 'U', 'P', 'D', 'R', 'V', '$', ' '},
    .capabilities = CAPABILITIES,
};
