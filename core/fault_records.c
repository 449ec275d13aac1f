// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A session forgets what it has. It needs to look into the core's own objects, which no other glue
 * does: the core has no function that loses something.
 */
#include "supdrv_internal.h"
#include "supdrv_faults.h"

static void forget_record(struct supdrv_session *session, enum supdrv_record_type type)
{
	struct supdrv_records *records = &session->records;
	struct supdrv_record **link = &records->first;
	struct supdrv_record *record;

	supdrv_os_lock_acquire(&session->lock);
	while (*link && (*link)->type != type)
		link = &(*link)->next;
	record = *link;
	if (record) {
		*link = record->next;
		if (records->end == &record->next)
			records->end = link;
	}
	supdrv_os_lock_release(&session->lock);
}

void supdrv_fault_forget_pin(struct supdrv_session *session)
{
	forget_record(session, SUPDRV_RECORD_PIN);
}

void supdrv_fault_forget_cont(struct supdrv_session *session)
{
	forget_record(session, SUPDRV_RECORD_CONT);
}

void supdrv_fault_forget_low(struct supdrv_session *session)
{
	forget_record(session, SUPDRV_RECORD_LOW);
}

void supdrv_fault_forget_image(struct supdrv_session *session)
{
	supdrv_os_lock_acquire(&session->device->lock);
	session->images = NULL;
	supdrv_os_lock_release(&session->device->lock);
}

void supdrv_fault_forget_gip(struct supdrv_session *session)
{
	supdrv_os_lock_acquire(&session->lock);
	session->gip = NULL;
	supdrv_os_lock_release(&session->lock);
}
