// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A client's memory: held for as long as it is copied. */
#include "devhelp.h"
#include "supdrv_os2.h"

bool supdrv_client_read(void *to, uintptr_t from, size_t size)
{
	struct dh_lock lock;

	if (!size)
		return true;
	if (dh_pages_hold(from, size, false, false, &lock, NULL, NULL))
		return false;
	memcpy(to, (const void *)from, size);
	dh_pages_let_go(&lock);
	return true;
}

bool supdrv_client_write(uintptr_t to, const void *from, size_t size)
{
	struct dh_lock lock;

	if (!size)
		return true;
	if (dh_pages_hold(to, size, true, false, &lock, NULL, NULL))
		return false;
	memcpy((void *)to, from, size);
	dh_pages_let_go(&lock);
	return true;
}
