/* SPDX-License-Identifier: MIT */
/* The file system in memory, and the archive that fills it at the start. */
#include "process.h"
#include "os2_calls.h"

#define GROW 65536u

static struct memory_file *files;

struct memory_file *memory_file_find(const char *normal)
{
	struct memory_file *file = files;

	while (file && strcmp(file->name, normal) != 0)
		file = file->next;
	return file;
}

const struct memory_file *memory_file_after(const char *normal)
{
	const struct memory_file *file = files;

	while (file && strcmp(file->name, normal) <= 0)
		file = file->next;
	return file;
}

struct memory_file *memory_file_make(const char *normal)
{
	struct memory_file *made = heap_take_zeroed(sizeof(*made)), **slot = &files;

	if (!made)
		return NULL;
	while (*slot && strcmp((*slot)->name, normal) < 0)
		slot = &(*slot)->next;
	memcpy(made->name, normal, strlen(normal) + 1);
	made->users = 1;
	made->next = *slot;
	*slot = made;
	return made;
}

uint32_t memory_file_resize(struct memory_file *file, uint32_t size)
{
	if (size > file->room && size > file->size) {
		uint32_t room = size < GROW ? size : size + size / 2;
		uint8_t *bytes = heap_take(room);

		if (!bytes)
			return ERROR_DISK_FULL;
		memcpy(bytes, file->bytes, file->size);
		if (file->room)
			heap_drop(file->bytes);
		file->bytes = bytes;
		file->room = room;
	}
	if (size > file->size)
		memset(file->bytes + file->size, 0, size - file->size);
	file->size = size;
	return NO_ERROR;
}

void memory_file_drop(struct memory_file *file)
{
	if (--file->users)
		return;
	if (file->room)
		heap_drop(file->bytes);
	heap_drop(file);
}

void memory_file_remove(struct memory_file *file)
{
	struct memory_file **slot = &files;

	while (*slot != file)
		slot = &(*slot)->next;
	*slot = file->next;
	memory_file_drop(file);
}

static uint32_t file_read(struct open_file *f, void *to, uint32_t length, uint32_t *done)
{
	struct memory_file *file = f->object;
	uint32_t left = f->position < file->size ? file->size - f->position : 0;

	*done = length < left ? length : left;
	memcpy(to, file->bytes + f->position, *done);
	f->position += *done;
	return NO_ERROR;
}

static uint32_t file_write(struct open_file *f, const void *from, uint32_t length, bool wait,
			   uint32_t *done)
{
	struct memory_file *file = f->object;
	uint32_t end = f->position + length, error;

	(void)wait;
	*done = 0;
	if (end < length)
		return ERROR_DISK_FULL;
	/* What lies in the archive is not written to. */
	if (end > file->size || !file->room) {
		uint32_t size = file->size;

		error = memory_file_resize(file, (end > size ? end : size) + !file->room);
		if (error)
			return error;
		file->size = end > size ? end : size;
	}
	memcpy(file->bytes + f->position, from, length);
	f->position = end;
	*done = length;
	return NO_ERROR;
}

static uint32_t file_seek(struct open_file *f, int32_t offset, uint32_t method, uint32_t *position)
{
	const struct memory_file *file = f->object;
	uint32_t from = method == FILE_BEGIN	 ? 0
			: method == FILE_CURRENT ? f->position
						 : file->size;

	if (method > FILE_END)
		return ERROR_INVALID_FUNCTION;
	if (offset < 0 && 0u - (uint32_t)offset > from)
		return ERROR_NEGATIVE_SEEK;
	*position = f->position = from + (uint32_t)offset;
	return NO_ERROR;
}

static uint32_t file_resize(struct open_file *f, uint32_t size)
{
	return memory_file_resize(f->object, size);
}

static void file_close(struct open_file *f)
{
	memory_file_drop(f->object);
}

const struct file_calls memory_file_calls = {
    .read = file_read,
    .write = file_write,
    .seek = file_seek,
    .resize = file_resize,
    .close = file_close,
};

#define NEWC_HEAD 110

static uint32_t hexadecimal(const uint8_t *at)
{
	uint32_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 4 | (at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10u);
	return value;
}

static bool is_file(uint32_t mode)
{
	return (mode & 0170000) == 0100000;
}

void archive_read(const uint8_t *at, const uint8_t *end)
{
	while (end - at >= NEWC_HEAD) {
		uint32_t size, name_size;
		const uint8_t *bytes;
		char name[NAME_MAX];
		struct memory_file *file;

		if (memcmp(at, "07070", 5) != 0) { /* padding between two archives */
			at += 4;
			continue;
		}
		size = hexadecimal(at + 54);
		name_size = hexadecimal(at + 94);
		bytes = at + ((NEWC_HEAD + name_size + 3) & ~3u);
		if (is_file(hexadecimal(at + 14)) &&
		    name_normal(name, (const char *)at + NEWC_HEAD)) {
			file = memory_file_find(name);
			if (!file)
				file = memory_file_make(name);
			if (file) {
				file->bytes = (uint8_t *)bytes;
				file->size = size;
			}
		}
		at = bytes + ((size + 3) & ~3u);
	}
}
