// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a session has pinned and allocated, and how much of it it may have. */
#include "supdrv_internal.h"

#define RECORDS_MAX	 4096u
#define MAPPED_PAGES_MAX (64u * 1024 * 1024 / SUPDRV_PAGE_SIZE)
#define PINNED_PAGES_MAX (1024u * 1024 * 1024 / SUPDRV_PAGE_SIZE)

static const struct {
	enum supdrv_counter records;
	enum supdrv_counter pages;
} counters[] = {
    [SUPDRV_RECORD_PIN] = {SUPDRV_COUNTER_RECORDS_PIN, SUPDRV_COUNTER_PAGES_PINNED},
    [SUPDRV_RECORD_CONT] = {SUPDRV_COUNTER_RECORDS_CONT, SUPDRV_COUNTER_PAGES_CONT},
    [SUPDRV_RECORD_LOW] = {SUPDRV_COUNTER_RECORDS_LOW, SUPDRV_COUNTER_PAGES_LOW},
};

static void records_count(struct supdrv_device *device, enum supdrv_record_type type,
			  int32_t records, int32_t pages)
{
	supdrv_os_lock_acquire(&device->lock);
	supdrv_counter_add(device, counters[type].records, records);
	supdrv_counter_add(device, counters[type].pages, pages);
	supdrv_os_lock_release(&device->lock);
}

static uint32_t *pages_used(struct supdrv_records *records, enum supdrv_record_type type)
{
	return type == SUPDRV_RECORD_PIN ? &records->pinned_pages : &records->mapped_pages;
}

static bool quota_take(struct supdrv_records *records, enum supdrv_record_type type, uint32_t pages)
{
	uint32_t most = type == SUPDRV_RECORD_PIN ? PINNED_PAGES_MAX : MAPPED_PAGES_MAX;
	uint32_t *used = pages_used(records, type);

	if (records->count == RECORDS_MAX || pages > most - *used)
		return false;
	records->count++;
	*used += pages;
	return true;
}

static void quota_give(struct supdrv_records *records, enum supdrv_record_type type, uint32_t pages)
{
	records->count--;
	*pages_used(records, type) -= pages;
}

void supdrv_records_init(struct supdrv_session *session)
{
	session->records.end = &session->records.first;
}

int32_t supdrv_record_create(struct supdrv_session *session, enum supdrv_record_type type,
			     uint32_t pages, struct supdrv_record **record)
{
	struct supdrv_record *made = supdrv_os_alloc(sizeof(*made));
	bool allowed;

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->type = type;
	made->page_count = pages;

	supdrv_os_lock_acquire(&session->lock);
	allowed = quota_take(&session->records, type, pages);
	made->serial = ++session->records.last_serial;
	supdrv_os_lock_release(&session->lock);

	if (!allowed) {
		supdrv_os_free(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	records_count(session->device, type, 1, (int32_t)pages);
	*record = made;
	return SUPDRV_OK;
}

void supdrv_record_destroy(struct supdrv_session *session, struct supdrv_record *record)
{
	if (record->pin)
		supdrv_os_unpin(record->pin);
	if (record->mapping)
		supdrv_os_unmap(record->mapping);
	if (record->pages)
		supdrv_os_pages_free(record->pages);
	records_count(session->device, record->type, -1, -(int32_t)record->page_count);

	supdrv_os_lock_acquire(&session->lock);
	quota_give(&session->records, record->type, record->page_count);
	supdrv_os_lock_release(&session->lock);
	supdrv_os_free(record);
}

static struct supdrv_record *record_unlink(struct supdrv_records *records,
					   struct supdrv_record **link)
{
	struct supdrv_record *record = *link;

	if (!record)
		return NULL;
	*link = record->next;
	if (records->end == &record->next)
		records->end = link;
	return record;
}

int32_t supdrv_record_release(struct supdrv_session *session, enum supdrv_record_type type,
			      uintptr_t address)
{
	struct supdrv_record **link = &session->records.first;
	struct supdrv_record *record;

	if (!address)
		return SUPDRV_ERR_INVALID_PARAM;
	supdrv_os_lock_acquire(&session->lock);
	while (*link && ((*link)->type != type ||
			 ((*link)->address != address && (*link)->token != address)))
		link = &(*link)->next;
	record = record_unlink(&session->records, link);
	supdrv_os_lock_release(&session->lock);

	if (!record)
		return SUPDRV_ERR_INVALID_PARAM;
	supdrv_record_destroy(session, record);
	return SUPDRV_OK;
}

static void record_undo(struct supdrv_session *session, uint64_t serial)
{
	struct supdrv_record **link = &session->records.first;
	struct supdrv_record *record;

	supdrv_os_lock_acquire(&session->lock);
	while (*link && (*link)->serial != serial)
		link = &(*link)->next;
	record = record_unlink(&session->records, link);
	supdrv_os_lock_release(&session->lock);

	if (record)
		supdrv_record_destroy(session, record);
}

void supdrv_record_hand_over(struct supdrv_session *session, struct supdrv_call *call,
			     struct supdrv_record *record)
{
	struct supdrv_records *records = &session->records;

	call->undo = record_undo;
	call->undo_key = record->serial;
	supdrv_os_lock_acquire(&session->lock);
	*records->end = record;
	records->end = &record->next;
	supdrv_os_lock_release(&session->lock);
}

void supdrv_records_close(struct supdrv_session *session)
{
	struct supdrv_record *record;

	while ((record = session->records.first)) {
		session->records.first = record->next;
		supdrv_record_destroy(session, record);
	}
}
