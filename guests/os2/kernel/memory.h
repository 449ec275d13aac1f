/* SPDX-License-Identifier: MIT */
/* Physical pages, the kernel's own memory, address spaces. */
#ifndef MEMORY_H
#define MEMORY_H

#include "kernel.h"

#define NO_FRAME UINT32_MAX

/* frames.c: physical pages, each with a count of its users; free at 0. */
struct multiboot;
void frames_start(const struct multiboot *info);
/* One page, not cleared; NO_FRAME. Who takes it fills all of it: an emulator looks at each write to
 * a page from which code has run until that is overwritten, and a stack there takes a hundred times
 * as long. */
uint32_t frame_take(void);
/* `count` neighbours, the first one's address. */
uint32_t frames_take(uint32_t count);
/* Addresses that are no memory of ours are let pass. */
void frame_keep(uint32_t physical);
void frame_drop(uint32_t physical);
uint32_t frames_total(void);
uint32_t frames_free(void);

static inline void *seen(uint32_t physical)
{
	return (void *)(physical + KERNEL_BASE);
}

static inline uint32_t physical_of(const void *kernel_memory)
{
	return (uint32_t)kernel_memory - KERNEL_BASE;
}

/* heap.c: not cleared, for the kernel's own objects. */
void *heap_take(size_t size);
void *heap_take_zeroed(size_t size);
void heap_drop(void *memory);

/* Entries of page tables. Those of user memory that is not there yet have the bits above P only. */
#define PTE_PRESENT   0x001ull
#define PTE_WRITE     0x002ull
#define PTE_USER      0x004ull
#define PTE_BIG	      0x080ull
#define PTE_COMMITTED 0x200ull /* the page is the program's, also where it is not present */
#define PTE_FRAME     0x400ull /* the address is that of a frame */
#define PTE_READ      0x800ull /* may be made present */
#define PTE_NX	      0x8000000000000000ull
#define PTE_ADDRESS   0x000FFFFFFFFFF000ull

/* paging.c */
void paging_start(void);
extern uint32_t kernel_pdpt; /* physical */
/* Kernel addresses for so many pages, with an unmapped one behind them; 0. */
uint32_t map_reserve(uint32_t pages);
void map_release(uint32_t address);
/* Of what map_reserve gave, 0: none. */
uint32_t map_pages(uint32_t address);
/* Its entry, to look at or to change: then page_forget(). */
uint64_t *map_entry(uint32_t address);
static inline void page_forget(uint32_t address)
{
#ifndef GUEST_ON_HOST /* unit tests: no tables are at work */
	__asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
#else
	(void)address;
#endif
}
/* Physical address behind any kernel address; NO_FRAME. */
uint32_t kernel_physical(uint32_t address);
/* Memory of the kernel for drivers and stacks: `pages` frames, mapped, writable; 0. */
uint32_t map_memory(uint32_t pages);
/* With its frames. */
void map_memory_drop(uint32_t address);

/* space.c: what a process has in its address space. */
enum region_kind { REGION_PROGRAM, REGION_MEMORY, REGION_STACK, REGION_DEVICE };
struct region {
	struct region *next; /* by address */
	uint32_t start;
	uint32_t size;
	enum region_kind kind;
	struct mapping *mapping; /* that it is a part of */
};

struct space {
	struct region *regions;
	struct mapping *mappings;
	uint64_t *pdpt; /* 32 bytes */
	uint64_t *directories[3];
};

bool space_make(struct space *s);
/* Every frame and table. The space must not be in use. */
void space_end(struct space *s);
/* hint 0: wherever. Then exactly there, or 0. No memory is committed. */
uint32_t region_make(struct space *s, uint32_t hint, uint32_t size, enum region_kind kind);
struct region *region_at(struct space *s, uint32_t address);
/* Pages go; with `whole` the region, too. */
void region_end(struct space *s, struct region *region);
/* All that is mapped in the range; regions become smaller. */
void range_end(struct space *s, uint32_t start, uint32_t size);

/* Where the highest gap of that size below `end` begins; 0. */
uint32_t region_gap_below(struct space *s, uint32_t end, uint32_t size);

/* mapping.c: those frames, of which the space becomes a user. Its address, 0: no room. */
uint32_t mapping_make(struct space *s, const uint32_t *frames, uint32_t pages, bool writable);
/* All that is left of the mapping that was made there. */
bool mapping_end(struct space *s, uint32_t start);
/* Whether a program may give itself those rights. */
bool mapping_may(const struct mapping *m, uint64_t rights);
void mappings_forget(struct space *s);

/* rights: PTE_READ, PTE_WRITE, PTE_NX. False: no memory for tables. */
bool pages_commit(struct space *s, uint32_t start, uint32_t size, uint64_t rights);
void pages_decommit(struct space *s, uint32_t start, uint32_t size);
bool pages_committed(struct space *s, uint32_t start, uint32_t size);
/* Of committed pages. */
void pages_protect(struct space *s, uint32_t start, uint32_t size, uint64_t rights);
/* That frame at that address, of which the space becomes a user. */
bool page_put(struct space *s, uint32_t address, uint32_t physical, uint64_t rights);
/* NULL: no table there. */
uint64_t *page_entry(struct space *s, uint32_t address);

/* fault.c */
/* A page that its owner may use in that way, brought in if need be: its frame, or NO_FRAME. */
uint32_t page_in(struct space *s, uint32_t address, bool write);
bool range_in(struct space *s, uint32_t start, uint32_t length, bool write);
/* Copies between the kernel and a space, as far as its rights go. `done` is told in any case. */
bool space_read(struct space *s, void *to, uint32_t from, uint32_t length, uint32_t *done);
bool space_write(struct space *s, uint32_t to, const void *from, uint32_t length, uint32_t *done);

#endif
