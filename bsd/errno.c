// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The driver's codes as FreeBSD error numbers. */
#include "supdrv_freebsd.h"

#include <sys/errno.h>

int supdrv_errno_from_status(int32_t status)
{
	switch (status) {
	case SUPDRV_OK:
		return 0;
	case SUPDRV_ERR_GENERAL_FAILURE:
		return EACCES;
	case SUPDRV_ERR_INVALID_PARAM:
		return EINVAL;
	case SUPDRV_ERR_INVALID_MAGIC:
		return EILSEQ;
	case SUPDRV_ERR_INVALID_HANDLE:
		return ENXIO;
	case SUPDRV_ERR_LOCK_FAILED:
		return ENOLCK;
	case SUPDRV_ERR_INVALID_POINTER:
		return EFAULT;
	case SUPDRV_ERR_NO_MEMORY:
		return ENOMEM;
	case SUPDRV_ERR_ALREADY_LOADED:
		return EEXIST;
	case SUPDRV_ERR_VERSION_MISMATCH:
		return ENOSYS;
	default: /* with IDT_FAILED, PERMISSION_DENIED and whatever an image's init returned */
		return EPERM;
	}
}

/* The kernel's own codes for a call, such as that it be restarted, are below 0: none can come of
 * it. */
int supdrv_errno_from_fast(int32_t result)
{
	return result == INT32_MIN ? EPERM : -result;
}
