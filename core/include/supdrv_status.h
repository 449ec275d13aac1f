/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Result codes inside the driver. Each OS's glue turns them into that OS's codes in one place. */
#ifndef SUPDRV_STATUS_H
#define SUPDRV_STATUS_H

enum {
	SUPDRV_OK = 0,
	SUPDRV_ERR_GENERAL_FAILURE = -1,
	SUPDRV_ERR_INVALID_PARAM = -2,
	SUPDRV_ERR_INVALID_MAGIC = -3,
	SUPDRV_ERR_INVALID_HANDLE = -4,
	SUPDRV_ERR_LOCK_FAILED = -5,
	SUPDRV_ERR_INVALID_POINTER = -6,
	SUPDRV_ERR_IDT_FAILED = -7,
	SUPDRV_ERR_NO_MEMORY = -8,
	SUPDRV_ERR_ALREADY_LOADED = -9,
	SUPDRV_ERR_PERMISSION_DENIED = -10,
	SUPDRV_ERR_VERSION_MISMATCH = -11
};

/*
 * Answers of a fast request, of an image's entry point, or of a function that an image calls. They
 * reach whoever asked as they are.
 */
enum {
	SUPDRV_VERR_INTERNAL_ERROR = -32,
	SUPDRV_VERR_NOT_SUPPORTED = -37,
	SUPDRV_VERR_INTERRUPTED = -39
};

#endif
