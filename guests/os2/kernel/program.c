/* SPDX-License-Identifier: MIT */
/* Programs: ELF files for a fixed address. */
#include "elf.h"
#include "process.h"

static uint64_t rights_of(const struct elf_segment *segment)
{
	return PTE_READ | (segment->flags & SEGMENT_WRITE ? PTE_WRITE : 0) |
	       (segment->flags & SEGMENT_EXECUTE ? 0 : PTE_NX);
}

static uint32_t load_segment(struct process *p, const uint8_t *bytes,
			     const struct elf_segment *segment)
{
	uint32_t start = segment->address & ~PAGE_MASK,
		 end = page_up(segment->address + segment->memory_size), done;

	if (start < USER_START || end > KERNEL_BASE || end < start)
		return ERROR_BAD_EXE_FORMAT;
	if (!region_make(&p->space, start, end - start, REGION_PROGRAM))
		return ERROR_BAD_EXE_FORMAT;
	if (!pages_commit(&p->space, start, end - start, PTE_READ | PTE_WRITE) ||
	    !space_write(&p->space, segment->address, bytes + segment->offset, segment->file_size,
			 &done))
		return ERROR_NOT_ENOUGH_MEMORY;
	pages_protect(&p->space, start, end - start, rights_of(segment));
	return NO_ERROR;
}

uint32_t program_load(struct process *p, const char *file, uint32_t *entry)
{
	char name[NAME_MAX];
	const struct memory_file *found = name_normal(name, file) ? memory_file_find(name) : NULL;
	const struct elf_segment *segments;
	const struct elf_file *head;

	if (!found)
		return ERROR_FILE_NOT_FOUND;
	segments = elf_segments(found->bytes, found->size, ELF_EXECUTABLE);
	if (!segments)
		return ERROR_BAD_EXE_FORMAT;
	head = (const struct elf_file *)found->bytes;
	for (int i = 0; i < head->segment_count; i++) {
		uint32_t error = NO_ERROR;

		if (segments[i].type == SEGMENT_LOAD && segments[i].memory_size)
			error = load_segment(p, found->bytes, &segments[i]);
		if (error)
			return error;
	}
	*entry = head->entry;
	return NO_ERROR;
}
