// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Pages that the driver allocates and maps into the client. */
#include "supdrv_internal.h"

#define CONT_BYTES_MIN 65u
#define CONT_BYTES_MAX 0xFFFFFu

static int32_t memory_map(struct supdrv_session *session, enum supdrv_record_type type,
			  uint32_t page_count, struct supdrv_record **record)
{
	bool contiguous = type == SUPDRV_RECORD_CONT;
	struct supdrv_record *made;
	int32_t status;

	status = supdrv_record_create(session, type, page_count, &made);
	if (status)
		return status;
	status = supdrv_os_pages_alloc(page_count, contiguous, &made->pages);
	if (status)
		goto destroy;
	status = supdrv_os_map(made->pages, true, &made->mapping);
	if (status)
		goto destroy;
	made->address = supdrv_os_mapping_address(made->mapping);
	*record = made;
	return SUPDRV_OK;

destroy:
	supdrv_record_destroy(session, made);
	return status;
}

int32_t supdrv_cont_alloc(struct supdrv_session *session, struct supdrv_call *call)
{
	uint32_t bytes = ((const SUPCONTALLOC_IN *)call->buffer)->cb;
	struct supdrv_record *record;
	SUPCONTALLOC_OUT *out;
	int32_t status;

	if (bytes < CONT_BYTES_MIN || bytes > CONT_BYTES_MAX)
		return SUPDRV_ERR_INVALID_PARAM;
	status = memory_map(session, SUPDRV_RECORD_CONT,
			    (bytes + SUPDRV_PAGE_SIZE - 1) / SUPDRV_PAGE_SIZE, &record);
	if (status)
		return status;
	record->token = supdrv_token_derive(session->token, record->serial);

	out = supdrv_call_output(call, sizeof(*out));
	out->pvR0 = (void *)record->token;
	out->pvR3 = (void *)record->address;
	out->HCPhys = supdrv_os_pages_physical(record->pages, 0);
	supdrv_record_hand_over(session, call, record);
	return SUPDRV_OK;
}

int32_t supdrv_cont_free(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPCONTFREE_IN *in = call->buffer;

	return supdrv_record_release(session, SUPDRV_RECORD_CONT, (uintptr_t)in->pv);
}

int32_t supdrv_low_alloc(struct supdrv_session *session, struct supdrv_call *call)
{
	const uint32_t header = offsetof(SUPLOWALLOC_OUT, aPages);
	uint32_t count = ((const SUPLOWALLOC_IN *)call->buffer)->cPages;
	struct supdrv_record *record;
	SUPLOWALLOC_OUT *out;
	SUPPAGE *pages;
	int32_t status;
	uint32_t i;

	if (!count || count > SUPDRV_LOW_PAGES_MAX)
		return SUPDRV_ERR_INVALID_PARAM;
	if (call->out_size < header + count * (uint32_t)sizeof(SUPPAGE))
		return SUPDRV_ERR_INVALID_PARAM;
	status = memory_map(session, SUPDRV_RECORD_LOW, count, &record);
	if (status)
		return status;

	out = supdrv_call_output(call, header + count * (uint32_t)sizeof(SUPPAGE));
	out->pvVirt = (void *)record->address;
	pages = out->aPages;
	for (i = 0; i < count; i++)
		pages[i].Phys = supdrv_os_pages_physical(record->pages, i);
	supdrv_record_hand_over(session, call, record);
	return SUPDRV_OK;
}

int32_t supdrv_low_free(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPLOWFREE_IN *in = call->buffer;

	return supdrv_record_release(session, SUPDRV_RECORD_LOW, (uintptr_t)in->pv);
}
