// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The driver's codes as Linux error numbers. */
#include <linux/errno.h>

#include "supdrv_linux.h"

int supdrv_errno_from_status(int32_t status)
{
	switch (status) {
	case SUPDRV_OK:
		return 0;
	case SUPDRV_ERR_GENERAL_FAILURE:
		return -EACCES;
	case SUPDRV_ERR_INVALID_PARAM:
		return -EINVAL;
	case SUPDRV_ERR_INVALID_MAGIC:
		return -EILSEQ;
	case SUPDRV_ERR_INVALID_HANDLE:
		return -ENXIO;
	case SUPDRV_ERR_LOCK_FAILED:
		return -ENOLCK;
	case SUPDRV_ERR_INVALID_POINTER:
		return -EFAULT;
	case SUPDRV_ERR_NO_MEMORY:
		return -ENOMEM;
	case SUPDRV_ERR_ALREADY_LOADED:
		return -EEXIST;
	case SUPDRV_ERR_VERSION_MISMATCH:
		return -ENOSYS;
	default: /* with IDT_FAILED, PERMISSION_DENIED and whatever an image's init returned */
		return -EPERM;
	}
}

/*
 * The system call layer restarts a call that returns -512 to -516, and the C library takes anything
 * below -4095 for a success.
 */
long supdrv_errno_from_fast(int32_t result)
{
	if (result < -4095 || (result <= -512 && result >= -516))
		return -EPERM;
	return result;
}
