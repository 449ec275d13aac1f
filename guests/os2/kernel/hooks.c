/* SPDX-License-Identifier: MIT */
/* Context hooks: what a driver wants done when kernel mode is next left. */
#include "process.h"

static struct hook *hooks;
static bool hook_waits;

struct hook *hook_make(uint32_t handler)
{
	struct hook *h = heap_take_zeroed(sizeof(*h));

	if (h) {
		h->handler = handler;
		h->next = hooks;
		hooks = h;
	}
	return h;
}

static struct hook **hook_slot(uint32_t hook)
{
	struct hook **slot = &hooks;

	while (*slot && (uint32_t)*slot != hook)
		slot = &(*slot)->next;
	return slot;
}

bool hook_drop(uint32_t hook)
{
	struct hook **slot = hook_slot(hook), *found = *slot;

	if (!found)
		return false;
	*slot = found->next;
	heap_drop(found);
	return true;
}

bool hook_arm(uint32_t hook, uint32_t value)
{
	struct hook *h = *hook_slot(hook);

	if (!h || h->armed)
		return false;
	h->value = value;
	h->armed = true;
	hook_waits = true;
	return true;
}

/* Interrupts off before and after, on in the hooks. */
void hooks_run(void)
{
	while (hook_waits) {
		struct hook *h = hooks;

		while (h && !h->armed)
			h = h->next;
		hook_waits = h;
		if (!h)
			return;
		h->armed = false;
		__asm__ volatile("sti");
		call_driver(h->handler, 0, h->value);
		__asm__ volatile("cli");
	}
}

void hooks_forget(uint32_t start, uint32_t end)
{
	for (struct hook **slot = &hooks; *slot;) {
		struct hook *h = *slot;

		if (h->handler < start || h->handler >= end) {
			slot = &h->next;
			continue;
		}
		*slot = h->next;
		heap_drop(h);
	}
}
