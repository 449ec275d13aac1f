// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "memory_client.h"

/* Room for the output of the largest of either request that a test makes. */
static uint8_t answer[0x40000 * sizeof(SUPPAGE)];

static struct memory pin_make(struct bench *bench, uint32_t pages, bool out_faults)
{
	SUPPINPAGES_IN in = {bench->cookies[0], bench->cookies[1], (void *)OWN_PAGES, pages * PAGE};
	struct client client = {&in, sizeof(in), answer, pages * sizeof(SUPPAGE), out_faults, 0};
	int32_t status = client_request(bench->session, SUP_IOCTL_PINPAGES, &client);

	return (struct memory){status, OWN_PAGES, 0, client.copied};
}

static struct memory cont_make(struct bench *bench, uint32_t pages, bool out_faults)
{
	SUPCONTALLOC_IN in = {bench->cookies[0], bench->cookies[1], pages * PAGE};
	SUPCONTALLOC_OUT out = {0};
	struct client client = {&in, sizeof(in), &out, sizeof(out), out_faults, 0};
	int32_t status = client_request(bench->session, SUP_IOCTL_CONT_ALLOC, &client);

	return (struct memory){status, (uintptr_t)out.pvR3, (uintptr_t)out.pvR0, client.copied};
}

static struct memory low_make(struct bench *bench, uint32_t pages, bool out_faults)
{
	SUPLOWALLOC_IN in = {bench->cookies[0], bench->cookies[1], pages};
	SUPLOWALLOC_OUT *out = (SUPLOWALLOC_OUT *)answer;
	const uint32_t size = offsetof(SUPLOWALLOC_OUT, aPages) + pages * sizeof(SUPPAGE);
	struct client client = {&in, sizeof(in), answer, size, out_faults, 0};
	int32_t status = client_request(bench->session, SUP_IOCTL_LOW_ALLOC, &client);

	return (struct memory){status, (uintptr_t)out->pvVirt, 0, client.copied};
}

struct memory memory_make(struct bench *bench, enum memory_kind kind, uint32_t pages,
			  bool out_faults)
{
	switch (kind) {
	case PIN:
		return pin_make(bench, pages, out_faults);
	case CONT:
		return cont_make(bench, pages, out_faults);
	default:
		return low_make(bench, pages, out_faults);
	}
}

int32_t memory_release(struct bench *bench, enum memory_kind kind, uintptr_t address)
{
	static const uint32_t numbers[] = {SUP_IOCTL_UNPINPAGES, SUP_IOCTL_CONT_FREE,
					   SUP_IOCTL_LOW_FREE};
	SUPLOWFREE_IN in = {bench->cookies[0], bench->cookies[1], (void *)address};

	return request(bench->session, numbers[kind], &in, sizeof(in), NULL, 0);
}

void memory_check_counted(struct bench *bench, enum memory_kind kind, uint32_t records,
			  uint32_t pages)
{
	CHECK_EQUAL(bench->device->counters[SUPDRV_COUNTER_RECORDS_PIN + kind], records);
	CHECK_EQUAL(bench->device->counters[SUPDRV_COUNTER_PAGES_PINNED + kind], pages);
}

void memory_check_none(struct bench *bench)
{
	int kind;

	for (kind = 0; kind < MEMORY_KINDS; kind++)
		memory_check_counted(bench, kind, 0, 0);
	CHECK_EQUAL(host_pages_live, 1); /* the global information page */
	CHECK_EQUAL(host_mappings_live, 0);
	CHECK_EQUAL(host_pins_live, 0);
}
