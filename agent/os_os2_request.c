/* SPDX-License-Identifier: MIT */
/*
 * OS/2: requests to the driver. A number is made of what DosDevIOCtl takes apart: function,
 * category and length of the parameter packet, where Unix has number, letter and size. The data
 * packet takes the driver's code.
 */
#include "os_os2.h"

#include <string.h>

#define CATEGORY_SHIFT 8
#define LENGTH_SHIFT   16
#define LENGTH_MASK    0x3fffu
#define NUMBER_BITS    30

struct block {
	uint32_t in, in_length, out, out_length;
};

uint64_t os_request_max_length(void)
{
	return UINT32_MAX;
}

static void request_issue(struct os_request *r, void *parameters, uint32_t length)
{
	uint32_t category = r->category ? r->category : (uint8_t)(r->number >> CATEGORY_SHIFT);
	uint32_t data_length = sizeof(int32_t);
	int32_t status = 0;

	if (r->number >> NUMBER_BITS)
		r->error = ERROR_INVALID_PARAMETER;
	else
		r->error =
		    DosDevIOCtl(os2_file(r->handle), category, (uint8_t)r->number, parameters,
				length, &length, &status, sizeof(status), &data_length);
	if (!r->error)
		r->error = (uint32_t)status;
	r->result = r->error ? -1 : 0;
	r->returned = UINT32_MAX;
}

void os_request_normal(struct os_request *r)
{
	struct block block = {(uint32_t)r->in, (uint32_t)r->in_length, (uint32_t)r->out,
			      (uint32_t)r->out_length};

	r->block = r->block_end - sizeof(block);
	r->block_length = sizeof(block);
	memcpy(r->block, &block, sizeof(block));
	request_issue(r, r->block, r->number >> LENGTH_SHIFT & LENGTH_MASK);
}

/* There are none: the same number without a parameter packet. */
void os_request_fast(struct os_request *r)
{
	request_issue(r, NULL, 0);
}

void os_request_raw(struct os_request *r)
{
	request_issue(r, (void *)(uintptr_t)r->arg, r->number >> LENGTH_SHIFT & LENGTH_MASK);
}

void os_request_packets(struct os_packets *p)
{
	p->error = DosDevIOCtl(os2_file(p->handle), p->category, p->function,
			       (void *)(uintptr_t)p->parameters, p->parameters_length,
			       &p->parameters_length, (void *)(uintptr_t)p->data, p->data_length,
			       &p->data_length);
}
