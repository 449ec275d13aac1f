// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A session belongs to a system file number and to the process that opened it: what it maps and
 * pins lies there. A child that inherits the handle has the number and no session. Code of the
 * kernel runs until it blocks, so that the list needs no lock.
 */
#include "devhelp.h"
#include "heap.h"
#include "supdrv_os2.h"

struct supdrv_file {
	struct supdrv_file *next;
	struct supdrv_session *session;
	uint32_t process;
	uint32_t requests; /* that are in the session */
	uint16_t number;
	bool ended; /* it is in no list any more: there are no further ones */
};

static struct supdrv_file *files;
static uint32_t file_count; /* with those that have ended and are not closed yet */

bool supdrv_files_any(void)
{
	return file_count != 0;
}

struct supdrv_session *supdrv_file_session(const struct supdrv_file *file)
{
	return file->session;
}

static struct supdrv_file **file_find(uint16_t number)
{
	struct supdrv_file **link = &files;

	while (*link && (*link)->number != number)
		link = &(*link)->next;
	return link;
}

uint16_t supdrv_file_open(uint16_t number)
{
	struct supdrv_file *made = heap_get(sizeof(*made));
	int32_t status;

	if (!made)
		return STATUS_GENERAL_FAILURE;
	status = supdrv_session_open(supdrv_os2_device, made, &made->session);
	if (status) {
		heap_release(made);
		return supdrv_status_word(status);
	}
	made->number = number;
	made->process = dh_process();
	made->next = files;
	files = made;
	file_count++;
	return STATUS_DONE;
}

static void close_if_unused(struct supdrv_file *file)
{
	if (!file->ended || file->requests)
		return;
	supdrv_session_close(file->session);
	heap_release(file);
	file_count--;
}

bool supdrv_file_close(uint16_t number)
{
	struct supdrv_file **link = file_find(number), *file = *link;

	if (!file)
		return false;
	*link = file->next;
	file->ended = true;
	close_if_unused(file);
	return true;
}

struct supdrv_file *supdrv_file_enter(uint16_t number)
{
	struct supdrv_file *file = *file_find(number);

	if (!file || file->process != dh_process())
		return NULL;
	file->requests++;
	return file;
}

void supdrv_file_leave(struct supdrv_file *file)
{
	file->requests--;
	close_if_unused(file);
}
