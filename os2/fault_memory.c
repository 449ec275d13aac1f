// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The driver's memory used wrongly. */
#include "heap.h"
#include "supdrv_faults.h"
#include "supdrv_os2.h"
#include "pages.h"

#define LOST_BYTES	1000 /* the heap has pieces of 1008, so what is just behind is nobody's */
#define FORGET(pointer) __asm__ volatile("" : "+r"(pointer))

void supdrv_fault_use_after_free(struct supdrv_session *session)
{
	volatile char *gone = heap_get(LOST_BYTES);

	(void)session;
	if (!gone)
		return;
	heap_release((void *)gone);
	FORGET(gone);
	(void)*gone;
}

void supdrv_fault_leak(struct supdrv_session *session)
{
	void *lost = heap_get(LOST_BYTES);

	(void)session;
	FORGET(lost);
}

void supdrv_fault_overrun(struct supdrv_session *session)
{
	char *memory = heap_get(LOST_BYTES);
	volatile char *behind = memory + LOST_BYTES;

	(void)session;
	FORGET(behind);
	if (memory)
		*behind = 1;
	heap_release(memory);
}

void supdrv_fault_page_overrun(struct supdrv_session *session)
{
	char *memory = heap_pages_get(PAGE_SIZE);
	volatile char *behind = memory + PAGE_SIZE;

	(void)session;
	FORGET(behind);
	if (!memory)
		return;
	*behind = 1;
	heap_pages_release(memory);
}

void supdrv_fault_double_free(struct supdrv_session *session)
{
	void *neighbour = heap_get(LOST_BYTES); /* keeps their page */
	void *memory = heap_get(LOST_BYTES), *again = memory;

	(void)session;
	FORGET(again);
	heap_release(memory);
	heap_release(again);
	heap_release(neighbour);
}
