/* SPDX-License-Identifier: MIT */
/* What of ELF (System V ABI) programs and drivers are made of. */
#ifndef ELF_H
#define ELF_H

#include <stdint.h>

#define ELF_MAGIC      0x464C457Fu
#define ELF_EXECUTABLE 2
#define ELF_SHARED     3
#define ELF_I386       3

struct elf_file {
	uint32_t magic;
	uint8_t class, order, version, abi, padding[8];
	uint16_t type, machine;
	uint32_t file_version, entry, segments, sections, flags;
	uint16_t size, segment_size, segment_count, section_size, section_count, names;
};

#define SEGMENT_LOAD	1
#define SEGMENT_DYNAMIC 2
#define SEGMENT_NOTE	4
#define SEGMENT_EXECUTE 1
#define SEGMENT_WRITE	2

struct elf_segment {
	uint32_t type, offset, address, physical, file_size, memory_size, flags, align;
};

#define DYNAMIC_REL	 17
#define DYNAMIC_REL_SIZE 18
#define DYNAMIC_RELA	 7
#define DYNAMIC_JMPREL	 23
#define RELATIVE	 8

struct elf_dynamic {
	uint32_t tag, value;
};

struct elf_relocation {
	uint32_t offset, info;
};

#define NOTE_BUILD_ID 3

struct elf_note {
	uint32_t name_size, size, type;
};

/* The segments of a file that is whole, for this machine and of that type; NULL. */
static inline const struct elf_segment *elf_segments(const uint8_t *bytes, uint32_t size,
						     uint16_t type)
{
	const struct elf_file *file = (const struct elf_file *)bytes;
	const struct elf_segment *segments;

	if (size < sizeof(*file) || file->magic != ELF_MAGIC || file->type != type ||
	    file->machine != ELF_I386 || file->segment_size != sizeof(*segments) ||
	    file->segments > size ||
	    file->segment_count > (size - file->segments) / sizeof(*segments))
		return 0;
	segments = (const struct elf_segment *)(bytes + file->segments);
	for (int i = 0; i < file->segment_count; i++)
		if (segments[i].offset > size ||
		    segments[i].file_size > size - segments[i].offset ||
		    (segments[i].type == SEGMENT_LOAD &&
		     segments[i].file_size > segments[i].memory_size))
			return 0;
	return segments;
}

#endif
