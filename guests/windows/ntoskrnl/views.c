/* SPDX-License-Identifier: MIT */
/* Where blocks are seen: in the driver's own addresses, and in those of its clients. */
#include "emulation.h"

struct view {
	struct view *next;
	struct block *block;
	PEPROCESS process;
	void *base;
};

static struct view *views;

static HANDLE handle_of(PEPROCESS process)
{
	return process ? process_handle(process) : NtCurrentProcess();
}

static void close_handle(HANDLE handle)
{
	if (handle && handle != NtCurrentProcess()) {
		ZwClose(handle);
	}
}

struct mapping {
	HANDLE section;
	void *base;
	SIZE_T size;
	ULONG protection;
};

static NTSTATUS map(HANDLE process, void *arguments)
{
	struct mapping *m = arguments;

	return ZwMapViewOfSection(m->section, process, &m->base, 0, 0, NULL, &m->size, ViewUnmap, 0,
				  m->protection);
}

/* The driver may give its own views any protection later; what a client has is what it stays. */
NTSTATUS view_make(struct block *block, PEPROCESS process, ULONG protection, void **base)
{
	struct view *view = memory_get(sizeof(*view));
	HANDLE handle = handle_of(process);
	struct mapping mapping = {block->section, NULL, (SIZE_T)block->pages * PAGE_SIZE,
				  process ? protection : PAGE_EXECUTE_READWRITE};
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	ULONG before;

	*base = NULL;
	if (view && handle) {
		status = foreign_run(&handle, map, &mapping, sizeof(mapping));
	}
	if (NT_SUCCESS(status) && !process) {
		status = NtProtectVirtualMemory(handle, &mapping.base, &mapping.size, protection,
						&before);
	}
	close_handle(handle);
	if (!NT_SUCCESS(status)) {
		memory_put(view);
		return status;
	}
	*base = mapping.base;
	if (process) {
		ObReferenceObject(process);
	}
	view->block = block;
	view->process = process;
	view->base = *base;
	view->next = views;
	views = view;
	return STATUS_SUCCESS;
}

/* A client that ended, or that unmapped the view by itself, has nothing, or something else, at that
 * address. */
static NTSTATUS unmap_there(HANDLE process, void *arguments)
{
	void *base = *(void **)arguments;
	region_facts there;
	SIZE_T got;
	NTSTATUS status =
	    NtQueryVirtualMemory(process, base, REGION_FACTS, &there, sizeof(there), &got);

	if (NT_SUCCESS(status) && there.AllocationBase == base && there.Type == MEM_MAPPED) {
		status = ZwUnmapViewOfSection(process, base);
	}
	return status;
}

static void unmap(const struct view *view)
{
	HANDLE handle = handle_of(view->process);
	void *base = view->base;

	if (handle) {
		foreign_run(&handle, unmap_there, &base, sizeof(base));
	}
	close_handle(handle);
}

/* Newer views come first: one at the place of a view that its process unmapped by itself is not
 * that view. */
BOOLEAN view_end(const struct block *block, PEPROCESS process, void *base)
{
	BOOLEAN replaced = FALSE;

	for (struct view **link = &views; *link; link = &(*link)->next) {
		struct view *view = *link;

		if (view->process != process || view->base != base) {
			continue;
		}
		if (view->block != block) {
			replaced = TRUE;
			continue;
		}
		*link = view->next;
		if (!replaced) {
			unmap(view);
		}
		if (process) {
			ObDereferenceObject(process);
		}
		memory_put(view);
		return TRUE;
	}
	return FALSE;
}

BOOLEAN view_frame(PEPROCESS process, ULONG_PTR address, PFN_NUMBER *frame)
{
	for (const struct view *view = views; view; view = view->next) {
		ULONG_PTR offset = address - (ULONG_PTR)view->base;

		if (view->process == process &&
		    offset < (ULONG_PTR)view->block->pages * PAGE_SIZE) {
			*frame = block_frame(view->block, (ULONG)(offset / PAGE_SIZE));
			return TRUE;
		}
	}
	return FALSE;
}

BOOLEAN block_is_seen(const struct block *block, const void *but)
{
	const struct view *view = views;

	while (view && (view->block != block || (!view->process && view->base == but))) {
		view = view->next;
	}
	return view != NULL;
}
