/* SPDX-License-Identifier: MIT */
/* Files on G: that tell of the kernel. Each is made when it is opened. */
#include "device.h"
#include "process.h"

#define TEXT_SIZE  32768u
#define ENTRY_SIZE 8

struct text {
	char *at;
	uint32_t length;
};

static void add(struct text *t, const char *how, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *how, ...)
{
	uint32_t room = TEXT_SIZE - t->length;
	va_list list;
	int n;

	va_start(list, how);
	n = format_list(t->at + t->length, room, how, list);
	va_end(list);
	t->length += (uint32_t)n < room ? (uint32_t)n : room - 1;
}

static void add_memory(struct text *t)
{
	add(t, "total %u\nfree %u\nlocked %u\n", frames_total(), frames_free(), pages_locked);
}

static void add_drivers(struct text *t)
{
	for (const struct driver *d = drivers; d; d = d->next)
		for (const struct os2_device_header *h = d->header; h; h = header_next(h)) {
			char name[9] = {0};

			memcpy(name, h->name, 8);
			for (int i = 7; i >= 0 && name[i] == ' '; i--)
				name[i] = 0;
			add(t, "%s %08x %08x %u ", name, d->base, d->size, d->opens);
			for (uint32_t i = 0; i < d->build_id_length; i++)
				add(t, "%02x", d->build_id[i]);
			add(t, "\n");
		}
}

/* The callers of a thread that waits in the kernel: switch_stacks() has put EBP on top of its
 * stack. */
static void add_callers(struct text *t, const struct thread *thread)
{
	const uint32_t *saved = (const uint32_t *)thread->saved_esp;
	uint32_t ebp = saved[3], end = thread->stack + KERNEL_STACK_PAGES * PAGE_SIZE - 8;

	while (ebp >= thread->stack && ebp < end) {
		uint32_t address = ((const uint32_t *)ebp)[1];
		const struct driver *d = driver_at(address);

		if (d)
			add(t, "  %08x %s+0x%x\n", address, d->file, address - d->base);
		else
			add(t, "  %08x OS2KRNL+0x%x\n", address, address - KERNEL_BASE);
		if (*(const uint32_t *)ebp <= ebp)
			return;
		ebp = *(const uint32_t *)ebp;
	}
}

static void add_threads(struct text *t)
{
	static const char *const states[] = {"ready", "running", "blocked", "dead"};

	for (const struct thread *thread = threads; thread; thread = thread->next) {
		const struct process *p = thread->process;

		add(t, "process %u thread %u %s%s event %08x %s\n", p ? p->pid : 0, thread->tid,
		    states[thread->state], thread->dying ? " dying" : "", thread->event,
		    p ? p->name : "");
		if (thread->state == THREAD_BLOCKED)
			add_callers(t, thread);
	}
}

static void add_maps(struct text *t, struct process *p)
{
	static const char *const kinds[] = {"program", "memory", "stack", "device"};

	for (const struct region *r = p->space.regions; r; r = r->next)
		add(t, "%08x %08x %s\n", r->start, r->size, kinds[r->kind]);
}

static uint32_t text_read(struct open_file *f, void *to, uint32_t length, uint32_t *done)
{
	const struct text *t = f->object;
	uint32_t left = f->position < t->length ? t->length - f->position : 0;

	*done = length < left ? length : left;
	memcpy(to, t->at + f->position, *done);
	f->position += *done;
	return NO_ERROR;
}

static uint32_t any_seek(struct open_file *f, int32_t offset, uint32_t method, uint32_t *position)
{
	if (method > 1)
		return ERROR_INVALID_FUNCTION;
	*position = f->position = (uint32_t)offset + (method ? f->position : 0);
	return NO_ERROR;
}

static void text_close(struct open_file *f)
{
	struct text *t = f->object;

	heap_drop(t->at);
	heap_drop(t);
}

static const struct file_calls text_calls = {
    .read = text_read, .seek = any_seek, .close = text_close};

static uint32_t pages_read(struct open_file *f, void *to, uint32_t length, uint32_t *done)
{
	struct process *p = process_find((uint32_t)f->object);
	uint64_t *entries = to;

	*done = 0;
	if (!p || p->ended)
		return ERROR_INVALID_PROCID;
	for (; length - *done >= ENTRY_SIZE && f->position / ENTRY_SIZE < KERNEL_BASE >> PAGE_SHIFT;
	     *done += ENTRY_SIZE, f->position += ENTRY_SIZE) {
		const uint64_t *entry =
		    page_entry(&p->space, f->position / ENTRY_SIZE << PAGE_SHIFT);

		*entries++ = entry && *entry & PTE_FRAME ? *entry & PTE_ADDRESS : 0;
	}
	return NO_ERROR;
}

static const struct file_calls pages_calls = {.read = pages_read, .seek = any_seek};

static uint32_t text_open(struct text *t, struct open_file **file)
{
	*file = t ? file_make(&text_calls, t, 0) : NULL;
	if (*file)
		return NO_ERROR;
	if (t)
		heap_drop(t->at);
	heap_drop(t);
	return ERROR_NOT_ENOUGH_MEMORY;
}

static struct text *text_make(void)
{
	struct text *t = heap_take_zeroed(sizeof(*t));

	if (t)
		t->at = heap_take(TEXT_SIZE);
	if (t && !t->at) {
		heap_drop(t);
		t = NULL;
	}
	return t;
}

/* "PREFIX" of "PREFIX\NUMBER", and the process of that number. */
static struct process *process_named(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return memcmp(name, prefix, n) == 0 ? process_find(number_of(name + n)) : NULL;
}

uint32_t report_open(const char *name, struct open_file **file)
{
	struct process *maps = process_named(name, "MAPS\\"),
		       *pages = process_named(name, "PAGES\\");
	struct text *t;

	if (pages) {
		*file = file_make(&pages_calls, (void *)pages->pid, 0);
		return *file ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
	}
	t = text_make();
	if (t && maps)
		add_maps(t, maps);
	else if (t && strcmp(name, "MEMORY") == 0)
		add_memory(t);
	else if (t && strcmp(name, "DRIVERS") == 0)
		add_drivers(t);
	else if (t && strcmp(name, "THREADS") == 0)
		add_threads(t);
	else if (t) {
		heap_drop(t->at);
		heap_drop(t);
		return ERROR_FILE_NOT_FOUND;
	}
	return text_open(t, file);
}
