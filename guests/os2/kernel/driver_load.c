/* SPDX-License-Identifier: MIT */
/* Drivers come from files, at any time, and go again. */
#include "device.h"
#include "elf.h"
#include "process.h"

#define SIZE_MAX_DRIVER 0x1000000u

static const struct elf_file *elf_of(const struct memory_file *file)
{
	return (const struct elf_file *)file->bytes;
}

static uint32_t span(const struct elf_segment *segments, unsigned count)
{
	uint32_t end = 0;

	for (unsigned i = 0; i < count; i++) {
		if (segments[i].type != SEGMENT_LOAD)
			continue;
		if (segments[i].address > SIZE_MAX_DRIVER ||
		    segments[i].memory_size > SIZE_MAX_DRIVER)
			return 0;
		if (segments[i].address + segments[i].memory_size > end)
			end = segments[i].address + segments[i].memory_size;
	}
	return end;
}

static bool relocate(const struct driver *d, uint32_t dynamic)
{
	const struct elf_dynamic *entry = (const struct elf_dynamic *)(d->base + dynamic);
	uint32_t table = 0, size = 0;

	for (; entry->tag; entry++) {
		if (entry->tag == DYNAMIC_REL)
			table = entry->value;
		else if (entry->tag == DYNAMIC_REL_SIZE)
			size = entry->value;
		else if (entry->tag == DYNAMIC_RELA || entry->tag == DYNAMIC_JMPREL)
			return false;
	}
	if (table > d->size || size > d->size - table)
		return false;
	for (uint32_t i = 0; i < size / sizeof(struct elf_relocation); i++) {
		const struct elf_relocation *r =
		    (const struct elf_relocation *)(d->base + table) + i;

		if ((r->info & 0xFF) != RELATIVE || r->offset > d->size - sizeof(uint32_t))
			return false;
		*(uint32_t *)(d->base + r->offset) += d->base;
	}
	return true;
}

static void find_build_id(struct driver *d, const struct elf_segment *segment)
{
	uint32_t at = d->base + segment->address, end = at + segment->memory_size;

	while (at + sizeof(struct elf_note) < end) {
		const struct elf_note *note = (const struct elf_note *)at;
		uint32_t bytes = at + sizeof(*note) + ((note->name_size + 3) & ~3u);

		if (note->type == NOTE_BUILD_ID && note->size <= sizeof(d->build_id) &&
		    bytes + note->size <= end) {
			memcpy(d->build_id, (const void *)bytes, note->size);
			d->build_id_length = note->size;
			return;
		}
		at = bytes + ((note->size + 3) & ~3u);
	}
}

/* Code can be executed and not written, data written and not executed. */
static void protect(const struct driver *d, const struct elf_segment *segment)
{
	uint32_t start = (d->base + segment->address) & ~PAGE_MASK;
	uint32_t end = d->base + segment->address + segment->memory_size;

	for (uint32_t at = start; at < end; at += PAGE_SIZE) {
		uint64_t *entry = map_entry(at);

		*entry &= ~(PTE_WRITE | PTE_NX);
		if (segment->flags & SEGMENT_WRITE)
			*entry |= PTE_WRITE;
		if (!(segment->flags & SEGMENT_EXECUTE))
			*entry |= PTE_NX;
		page_forget(at);
	}
}

static bool image_make(struct driver *d, const struct memory_file *file)
{
	const struct elf_segment *segments = elf_segments(file->bytes, file->size, ELF_SHARED);
	unsigned count = segments ? elf_of(file)->segment_count : 0;

	d->size = page_up(span(segments, count));
	d->base = d->size ? map_memory(d->size >> PAGE_SHIFT) : 0;
	if (!d->base)
		return false;
	memset((void *)d->base, 0, d->size);
	for (unsigned i = 0; i < count; i++)
		if (segments[i].type == SEGMENT_LOAD)
			memcpy((void *)(d->base + segments[i].address),
			       file->bytes + segments[i].offset, segments[i].file_size);
	for (unsigned i = 0; i < count; i++)
		if (segments[i].type == SEGMENT_DYNAMIC && !relocate(d, segments[i].address))
			return false;
	for (unsigned i = 0; i < count; i++) {
		if (segments[i].type == SEGMENT_NOTE)
			find_build_id(d, &segments[i]);
		if (segments[i].type == SEGMENT_LOAD)
			protect(d, &segments[i]);
	}
	d->header = (struct os2_device_header *)(d->base + elf_of(file)->entry);
	return elf_of(file)->entry < d->size - sizeof(*d->header);
}

static void driver_drop(struct driver *d)
{
	timers_forget(d->base, d->base + d->size);
	hooks_forget(d->base, d->base + d->size);
	if (d->base)
		map_memory_drop(d->base);
	heap_drop(d);
}

static uint32_t initialize(const struct os2_device_header *header, const char *file,
			   const char *options)
{
	char line[NAME_MAX + 256];
	struct os2_init_request packet;

	memset(&packet, 0, sizeof(packet));
	format(line, sizeof(line), *options ? "%s %s" : "%s", file, options);
	packet.device_help = (uint32_t)device_help_entry;
	packet.arguments = (uint32_t)line;
	return device_request(header, &packet, CMD_INIT, sizeof(packet));
}

static uint32_t deinstall(const struct os2_device_header *header)
{
	struct os2_deinstall_request packet;

	memset(&packet, 0, sizeof(packet));
	return device_request(header, &packet, CMD_DEINSTALL, sizeof(packet));
}

uint32_t driver_load(const char *file, const char *options)
{
	char name[NAME_MAX];
	const struct memory_file *found = name_normal(name, file) ? memory_file_find(name) : NULL;
	struct driver *d = heap_take_zeroed(sizeof(*d));
	uint32_t error = NO_ERROR;

	if (!found || !d) {
		heap_drop(d);
		return d ? ERROR_FILE_NOT_FOUND : ERROR_NOT_ENOUGH_MEMORY;
	}
	if (!image_make(d, found))
		error = ERROR_BAD_EXE_FORMAT;
	for (const struct driver *other = drivers; other && !error; other = other->next)
		if (strcmp(other->file, name) == 0)
			error = ERROR_ALREADY_EXISTS;
	memcpy(d->file, name, sizeof(name));
	/* Found from now on by the trap screen, and by nobody who opens: kernel mode is not left.
	 */
	d->next = drivers;
	if (!error)
		drivers = d;
	for (const struct os2_device_header *header = d->header; header && !error;
	     header = header_next(header))
		error = initialize(header, file, options) ? ERROR_OPEN_FAILED : NO_ERROR;
	if (error) {
		if (drivers == d)
			drivers = d->next;
		driver_drop(d);
	}
	return error;
}

uint32_t driver_unload(const char *device)
{
	char name[NAME_MAX];
	const struct device *found = name_normal(name, device) ? device_find(name) : NULL;
	struct driver *d = found ? found->driver : NULL, **slot = &drivers;
	uint32_t error = NO_ERROR;

	if (!d)
		return ERROR_FILE_NOT_FOUND;
	if (d->opens)
		return ERROR_DEVICE_IN_USE;
	d->opens++; /* nobody else unloads it meanwhile */
	for (const struct os2_device_header *header = d->header; header && !error;
	     header = header_next(header))
		error = deinstall(header);
	d->opens--;
	if (error || d->opens)
		return ERROR_DEVICE_IN_USE;
	while (*slot != d)
		slot = &(*slot)->next;
	*slot = d->next;
	driver_drop(d);
	return NO_ERROR;
}

const struct driver *driver_at(uint32_t address)
{
	const struct driver *d = drivers;

	while (d && address - d->base >= d->size)
		d = d->next;
	return d;
}
