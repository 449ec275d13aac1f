// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

static bool cookie_is_taken(const struct supdrv_device *device, uint32_t cookie)
{
	const struct supdrv_session *session;

	if (!cookie || cookie == device->cookie)
		return true;
	for (session = device->sessions; session; session = session->next)
		if (session->cookie == cookie)
			return true;
	return false;
}

/* Counting on from a taken value ends, whatever the generator delivers. */
static uint32_t cookie_choose(const struct supdrv_device *device)
{
	uint32_t cookie;

	supdrv_os_random(&cookie, sizeof(cookie));
	while (cookie_is_taken(device, cookie))
		cookie++;
	return cookie;
}

static void session_link(struct supdrv_device *device, struct supdrv_session *session)
{
	session->next = device->sessions;
	session->link = &device->sessions;
	if (session->next)
		session->next->link = &session->next;
	device->sessions = session;
	supdrv_counter_add(device, SUPDRV_COUNTER_SESSIONS, 1);
}

static void session_unlink(struct supdrv_device *device, struct supdrv_session *session)
{
	*session->link = session->next;
	if (session->next)
		session->next->link = session->link;
	supdrv_counter_add(device, SUPDRV_COUNTER_SESSIONS, -1);
}

int32_t supdrv_session_open(struct supdrv_device *device, void *os, struct supdrv_session **session)
{
	struct supdrv_session *made = supdrv_os_alloc(sizeof(*made));

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->device = device;
	made->os = os;
	made->token = supdrv_token_make();
	supdrv_os_lock_init(&made->lock);
	supdrv_records_init(made);

	supdrv_os_lock_acquire(&device->lock);
	made->cookie = cookie_choose(device);
	session_link(device, made);
	supdrv_os_lock_release(&device->lock);

	*session = made;
	return SUPDRV_OK;
}

void supdrv_session_close(struct supdrv_session *session)
{
	struct supdrv_device *device = session->device;

	supdrv_records_close(session);
	supdrv_images_close(session);
	supdrv_gip_leave(session);

	supdrv_os_lock_acquire(&device->lock);
	session_unlink(device, session);
	supdrv_os_lock_release(&device->lock);

	supdrv_os_lock_destroy(&session->lock);
	supdrv_os_free(session);
}

void *supdrv_session_os(const struct supdrv_session *session)
{
	return session->os;
}
