// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The global information page: one for all clients, which they map to read the time, and which is
 * kept up to date while at least one session has it mapped.
 *
 * A session uses the page before it maps it and until the mapping is gone from every process, so
 * while there is no user there is no reader either.
 */
#include "supdrv_internal.h"

#define GIP_HZ		100u
#define GIP_INTERVAL_NS (1000000000u / GIP_HZ)
#define ANY_SERIAL	0 /* no mapping has it */

/* A driver that finds no page works without one: GIP_MAP says so. */
void supdrv_gip_create(struct supdrv_device *device)
{
	struct supdrv_gip *gip = &device->gip;
	struct supdrv_time now;

	if (supdrv_os_pages_alloc(1, true, &gip->pages) != SUPDRV_OK)
		return;
	gip->page = supdrv_os_pages_kernel(gip->pages);
	gip->token = supdrv_token_make();
	supdrv_os_time_read(&now);
	supdrv_gip_init(gip->page, GIP_HZ, &now);
}

/* Cleared first: something else than a mapping may still hold the page, such as a pipe. */
void supdrv_gip_destroy(struct supdrv_device *device)
{
	if (!device->gip.pages)
		return;
	supdrv_gip_clear(device->gip.page);
	supdrv_os_pages_free(device->gip.pages);
}

static void gip_tick(void *argument)
{
	struct supdrv_gip *gip = argument;
	struct supdrv_time now;

	supdrv_os_time_read(&now);
	supdrv_gip_update(gip->page, &now);
}

static int32_t gip_start(struct supdrv_gip *gip)
{
	struct supdrv_time now;

	supdrv_os_time_read(&now);
	supdrv_gip_resume(gip->page, &now);
	return supdrv_os_timer_start(GIP_INTERVAL_NS, gip_tick, gip, &gip->timer);
}

static int32_t gip_use(struct supdrv_device *device)
{
	int32_t status = SUPDRV_OK;

	supdrv_os_lock_acquire(&device->lock);
	if (!device->counters[SUPDRV_COUNTER_GIP_USERS])
		status = gip_start(&device->gip);
	if (status == SUPDRV_OK)
		supdrv_counter_add(device, SUPDRV_COUNTER_GIP_USERS, 1);
	supdrv_os_lock_release(&device->lock);
	return status;
}

static void gip_unuse(struct supdrv_device *device)
{
	supdrv_os_lock_acquire(&device->lock);
	supdrv_counter_add(device, SUPDRV_COUNTER_GIP_USERS, -1);
	if (!device->counters[SUPDRV_COUNTER_GIP_USERS])
		supdrv_os_timer_stop(device->gip.timer);
	supdrv_os_lock_release(&device->lock);
}

static int32_t mapping_make(struct supdrv_device *device, struct supdrv_mapping **mapping)
{
	int32_t status = gip_use(device);

	if (status != SUPDRV_OK)
		return status;
	status = supdrv_os_map(device->gip.pages, false, mapping);
	if (status != SUPDRV_OK)
		gip_unuse(device);
	return status;
}

static void mapping_drop(struct supdrv_device *device, struct supdrv_mapping *mapping)
{
	if (!mapping)
		return;
	supdrv_os_unmap(mapping);
	gip_unuse(device);
}

/* False if the session has no mapping. */
static bool mapping_lookup(struct supdrv_session *session, uintptr_t *address)
{
	bool found;

	supdrv_os_lock_acquire(&session->lock);
	found = session->gip;
	if (found)
		*address = supdrv_os_mapping_address(session->gip);
	supdrv_os_lock_release(&session->lock);
	return found;
}

/*
 * Makes mapping the session's, unless another thread was faster. Returns the serial of the new one,
 * or 0; *address is that of the session's mapping in both cases.
 */
static uint64_t mapping_install(struct supdrv_session *session, struct supdrv_mapping *mapping,
				uintptr_t *address)
{
	uint64_t serial = 0;

	supdrv_os_lock_acquire(&session->lock);
	if (!session->gip) {
		session->gip = mapping;
		serial = ++session->gip_serial;
	}
	*address = supdrv_os_mapping_address(session->gip);
	supdrv_os_lock_release(&session->lock);
	return serial;
}

/* Takes the mapping with this serial, or any with ANY_SERIAL, from the session. NULL: not there. */
static struct supdrv_mapping *mapping_take(struct supdrv_session *session, uint64_t serial)
{
	struct supdrv_mapping *mapping = NULL;

	supdrv_os_lock_acquire(&session->lock);
	if (serial == ANY_SERIAL || serial == session->gip_serial) {
		mapping = session->gip;
		session->gip = NULL;
	}
	supdrv_os_lock_release(&session->lock);
	return mapping;
}

static void gip_undo(struct supdrv_session *session, uint64_t serial)
{
	mapping_drop(session->device, mapping_take(session, serial));
}

void supdrv_gip_leave(struct supdrv_session *session)
{
	mapping_drop(session->device, mapping_take(session, ANY_SERIAL));
}

static int32_t gip_enter(struct supdrv_session *session, struct supdrv_call *call,
			 uintptr_t *address)
{
	struct supdrv_mapping *mapping;
	uint64_t serial;
	int32_t status;

	if (mapping_lookup(session, address))
		return SUPDRV_OK;
	status = mapping_make(session->device, &mapping);
	if (status != SUPDRV_OK)
		return status;
	serial = mapping_install(session, mapping, address);
	if (!serial) {
		mapping_drop(session->device, mapping);
		return SUPDRV_OK;
	}
	call->undo = gip_undo;
	call->undo_key = serial;
	return SUPDRV_OK;
}

int32_t supdrv_gip_map(struct supdrv_session *session, struct supdrv_call *call)
{
	const struct supdrv_gip *gip = &session->device->gip;
	SUPGIPMAP_OUT *out;
	uintptr_t address;
	int32_t status;

	if (!gip->pages)
		return SUPDRV_ERR_GENERAL_FAILURE;
	status = gip_enter(session, call, &address);
	if (status != SUPDRV_OK)
		return status;
	out = supdrv_call_output(call, sizeof(*out));
	out->pGipR3 = (PCSUPGLOBALINFOPAGE)address;
	out->pGipR0 = (PCSUPGLOBALINFOPAGE)gip->token;
	out->HCPhysGip = supdrv_os_pages_physical(gip->pages, 0);
	return SUPDRV_OK;
}

int32_t supdrv_gip_unmap(struct supdrv_session *session, struct supdrv_call *call)
{
	(void)call;
	supdrv_gip_leave(session);
	return SUPDRV_OK;
}
