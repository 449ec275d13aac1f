/* SPDX-License-Identifier: MIT */
/* Handles of a process, and the open files behind them. */
#include "process.h"

bool handles_make(struct handles *h, const struct handles *inherited)
{
	h->room = inherited && inherited->room > HANDLES_FIRST ? inherited->room : HANDLES_FIRST;
	h->list = heap_take_zeroed(h->room * sizeof(*h->list));
	if (!h->list)
		return false;
	for (uint32_t i = 0; inherited && i < inherited->room; i++) {
		const struct handle *from = &inherited->list[i];

		if (from->file && !from->private) {
			h->list[i] = *from;
			from->file->users++;
		}
	}
	return true;
}

void handles_end(struct handles *h)
{
	for (uint32_t i = 0; i < h->room; i++)
		handle_close(h, i);
	heap_drop(h->list);
	h->list = NULL;
	h->room = 0;
}

struct open_file *handle_file(struct handles *h, uint32_t handle)
{
	return handle < h->room ? h->list[handle].file : NULL;
}

static bool grow(struct handles *h)
{
	uint32_t room = h->room * 2;
	struct handle *list = room <= HANDLES_MAX ? heap_take_zeroed(room * sizeof(*list)) : NULL;

	if (!list)
		return false;
	memcpy(list, h->list, h->room * sizeof(*list));
	heap_drop(h->list);
	h->list = list;
	h->room = room;
	return true;
}

uint32_t handle_make(struct handles *h, struct open_file *file, uint32_t wanted, uint32_t *handle)
{
	uint32_t i = wanted;

	if (wanted == UINT32_MAX) {
		for (i = 0; i < h->room && h->list[i].file; i++)
			;
		if (i == h->room && !grow(h))
			return ERROR_TOO_MANY_OPEN_FILES;
	} else if (i >= HANDLES_MAX) {
		return ERROR_INVALID_HANDLE;
	}
	while (i >= h->room)
		if (!grow(h))
			return ERROR_TOO_MANY_OPEN_FILES;
	if (h->list[i].file)
		handle_close(h, i);
	h->list[i] = (struct handle){file, false};
	*handle = i;
	return NO_ERROR;
}

uint32_t handle_close(struct handles *h, uint32_t handle)
{
	struct open_file *file = handle_file(h, handle);

	if (!file)
		return ERROR_INVALID_HANDLE;
	h->list[handle].file = NULL;
	file_drop(file);
	return NO_ERROR;
}

struct open_file *file_make(const struct file_calls *calls, void *object, uint32_t mode)
{
	struct open_file *file = heap_take_zeroed(sizeof(*file));

	if (file)
		*file =
		    (struct open_file){.calls = calls, .object = object, .users = 1, .mode = mode};
	return file;
}

void file_drop(struct open_file *file)
{
	if (--file->users)
		return;
	if (file->calls->close)
		file->calls->close(file);
	heap_drop(file);
}
