// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The driver's codes as status words of request packets. */
#include "supdrv_os2.h"

uint16_t supdrv_status_word(int32_t status)
{
	switch (status) {
	case SUPDRV_OK:
		return STATUS_DONE;
	case SUPDRV_ERR_INVALID_PARAM:
		return STATUS_INVALID_PARAMETER;
	default: /* the system has one word for all the rest */
		return STATUS_GENERAL_FAILURE;
	}
}
