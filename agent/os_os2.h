/* SPDX-License-Identifier: MIT */
/* What the files for OS/2 share. Names that begin with Guest are not OS/2's: docs/os2.md says what
 * stands for them there. */
#ifndef AGENT_OS_OS2_H
#define AGENT_OS_OS2_H

#include "os.h"
#include "os2_calls.h"
#include "os2_guest.h"

/* OS_NO_HANDLE is no file's. */
static inline HFILE os2_file(os_handle handle)
{
	return (HFILE)handle;
}

#endif
