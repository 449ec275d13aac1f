/* SPDX-License-Identifier: MIT */
/* What the files for FreeBSD share. */
#ifndef AGENT_OS_FREEBSD_H
#define AGENT_OS_FREEBSD_H

#include "os.h"

/* The value of a sysctl; numbers at the end of its name go to it as they are. *length is the room,
 * then how much there is. */
uint32_t freebsd_sysctl(const char *name, void *to, size_t *length, const void *set,
			size_t set_length);
/* Empty if there is no such text. */
void freebsd_sysctl_text(const char *name, char *to, size_t size);

/*
 * As the first process: makes /tmp, brings up the network card, starts an agent on each port and
 * says that the guest is ready. In the kernel's environment supdrv.program is the agent's path,
 * supdrv.ports its ports. Never returns.
 */
_Noreturn void freebsd_init(void);

#endif
