// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Pages of the client that are held in place. */
#include "supdrv_internal.h"

static bool range_wraps(uintptr_t address, uint32_t pages)
{
	return pages - 1 > ((uintptr_t)0 - SUPDRV_PAGE_SIZE - address) / SUPDRV_PAGE_SIZE;
}

static int32_t pin_make(struct supdrv_session *session, uintptr_t address, uint32_t count,
			struct supdrv_record **record)
{
	struct supdrv_record *made;
	int32_t status;

	if (range_wraps(address, count))
		return SUPDRV_ERR_LOCK_FAILED;
	status = supdrv_record_create(session, SUPDRV_RECORD_PIN, count, &made);
	if (status)
		return status;
	status = supdrv_os_pin(address, count, &made->pin);
	if (status) {
		supdrv_record_destroy(session, made);
		return status;
	}
	made->address = address;
	*record = made;
	return SUPDRV_OK;
}

int32_t supdrv_pin_pages(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPPINPAGES_IN *in = call->buffer;
	uintptr_t address = (uintptr_t)in->pv;
	uint32_t count = in->cb / SUPDRV_PAGE_SIZE;
	struct supdrv_record *record;
	SUPPINPAGES_OUT *out;
	SUPPAGE *pages;
	int32_t status;
	uint32_t i;

	if (!address || !count || call->out_size / sizeof(SUPPAGE) < count)
		return SUPDRV_ERR_INVALID_PARAM;
	if (address % SUPDRV_PAGE_SIZE || in->cb % SUPDRV_PAGE_SIZE)
		return SUPDRV_ERR_INVALID_PARAM;
	status = pin_make(session, address, count, &record);
	if (status)
		return status;

	out = supdrv_call_output(call, count * (uint32_t)sizeof(SUPPAGE));
	pages = out->aPages;
	for (i = 0; i < count; i++)
		pages[i].Phys = supdrv_os_pin_physical(record->pin, i);
	supdrv_record_hand_over(session, call, record);
	return SUPDRV_OK;
}

int32_t supdrv_pin_release(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPUNPINPAGES_IN *in = call->buffer;

	return supdrv_record_release(session, SUPDRV_RECORD_PIN, (uintptr_t)in->pv);
}
