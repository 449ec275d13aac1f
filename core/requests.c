// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

struct cookies_in {
	uint32_t device;
	uint32_t session;
};

/* The sizes of a row, spelled so that the table reads like the interface's description. */
#define IN_EXACT(size)	 .in_min = (size), .in_max = (size)
#define IN_ATLEAST(size) .in_min = (size), .in_max = SUPDRV_TRANSPORT_MAX
#define OUT_EXACT(size)	 .out_min = (size), .out_max = (size), .out_most = (size)
#define OUT_ATLEAST(size, most)                                                                    \
	.out_min = (size), .out_max = SUPDRV_TRANSPORT_MAX, .out_most = (most)

#define QUERY_FUNCS_MOST                                                                           \
	(offsetof(SUPQUERYFUNCS_OUT, aFunctions) + SUPDRV_FUNCTION_COUNT * sizeof(SUPFUNC))
#define PIN_PAGES_MOST (SUPDRV_PIN_PAGES_MAX * sizeof(SUPPAGE))
#define LOW_ALLOC_MOST (offsetof(SUPLOWALLOC_OUT, aPages) + SUPDRV_LOW_PAGES_MAX * sizeof(SUPPAGE))

/* A request that is not here is answered like an unknown one. */
static const struct supdrv_request requests[] = {
    {.number = SUP_IOCTL_COOKIE,
     .flags = SUPDRV_REQUEST_NO_COOKIES,
     IN_EXACT(sizeof(SUPCOOKIE_IN)),
     OUT_EXACT(sizeof(SUPCOOKIE_OUT)),
     .handle = supdrv_cookie_negotiate},
    {.number = SUP_IOCTL_QUERY_FUNCS,
     IN_EXACT(sizeof(SUPQUERYFUNCS_IN)),
     OUT_ATLEAST(sizeof(SUPQUERYFUNCS_OUT), QUERY_FUNCS_MOST),
     .handle = supdrv_functions_query},
    {.number = SUP_IOCTL_IDT_INSTALL,
     IN_EXACT(sizeof(SUPIDTINSTALL_IN)),
     OUT_EXACT(sizeof(SUPIDTINSTALL_OUT)),
     .handle = supdrv_idt_install},
    {.number = SUP_IOCTL_IDT_REMOVE,
     IN_EXACT(sizeof(SUPIDTREMOVE_IN)),
     OUT_EXACT(0),
     .handle = supdrv_idt_remove},
    {.number = SUP_IOCTL_PINPAGES,
     IN_EXACT(sizeof(SUPPINPAGES_IN)),
     OUT_ATLEAST(sizeof(SUPPINPAGES_OUT), PIN_PAGES_MOST),
     .handle = supdrv_pin_pages},
    {.number = SUP_IOCTL_UNPINPAGES,
     IN_EXACT(sizeof(SUPUNPINPAGES_IN)),
     OUT_EXACT(0),
     .handle = supdrv_pin_release},
    {.number = SUP_IOCTL_CONT_ALLOC,
     IN_EXACT(sizeof(SUPCONTALLOC_IN)),
     OUT_ATLEAST(sizeof(SUPCONTALLOC_OUT), sizeof(SUPCONTALLOC_OUT)),
     .handle = supdrv_cont_alloc},
    {.number = SUP_IOCTL_CONT_FREE,
     IN_EXACT(sizeof(SUPCONTFREE_IN)),
     OUT_EXACT(0),
     .handle = supdrv_cont_free},
    {.number = SUP_IOCTL_LDR_OPEN,
     IN_EXACT(sizeof(SUPLDROPEN_IN)),
     OUT_EXACT(sizeof(SUPLDROPEN_OUT)),
     .handle = supdrv_image_open},
    {.number = SUP_IOCTL_LDR_LOAD,
     IN_ATLEAST(sizeof(SUPLDRLOAD_IN) + 1),
     OUT_EXACT(0),
     .handle = supdrv_image_load},
    {.number = SUP_IOCTL_LDR_FREE,
     IN_EXACT(sizeof(SUPLDRFREE_IN)),
     OUT_EXACT(0),
     .handle = supdrv_image_free},
    {.number = SUP_IOCTL_LDR_GET_SYMBOL,
     IN_ATLEAST(offsetof(SUPLDRGETSYMBOL_IN, szSymbol) + 2),
     OUT_EXACT(sizeof(SUPLDRGETSYMBOL_OUT)),
     .handle = supdrv_image_symbol},
    {.number = SUP_IOCTL_CALL_VMMR0,
     IN_EXACT(sizeof(SUPCALLVMMR0_IN)),
     OUT_EXACT(sizeof(SUPCALLVMMR0_OUT)),
     .handle = supdrv_vmmr0_call},
    {.number = SUP_IOCTL_GET_PAGING_MODE,
     IN_EXACT(sizeof(SUPGETPAGINGMODE_IN)),
     OUT_EXACT(sizeof(SUPGETPAGINGMODE_OUT)),
     .handle = supdrv_paging_query},
    {.number = SUP_IOCTL_LOW_ALLOC,
     IN_EXACT(sizeof(SUPLOWALLOC_IN)),
     OUT_ATLEAST(sizeof(SUPLOWALLOC_OUT), LOW_ALLOC_MOST),
     .handle = supdrv_low_alloc},
    {.number = SUP_IOCTL_LOW_FREE,
     IN_EXACT(sizeof(SUPLOWFREE_IN)),
     OUT_EXACT(0),
     .handle = supdrv_low_free},
    {.number = SUP_IOCTL_GIP_MAP,
     IN_EXACT(sizeof(SUPGIPMAP_IN)),
     OUT_EXACT(sizeof(SUPGIPMAP_OUT)),
     .handle = supdrv_gip_map},
    {.number = SUP_IOCTL_GIP_UNMAP,
     IN_EXACT(sizeof(SUPGIPUNMAP_IN)),
     OUT_EXACT(0),
     .handle = supdrv_gip_unmap},
    {.number = SUP_IOCTL_SET_VM_FOR_FAST,
     IN_EXACT(sizeof(SUPSETVMFORFAST_IN)),
     OUT_EXACT(0),
     .handle = supdrv_fast_set_vm},
};

static const struct supdrv_request *request_search(const struct supdrv_request *table,
						   uint32_t count, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (table[i].number == number)
			return &table[i];
	return NULL;
}

static const struct supdrv_request *request_find(const struct supdrv_device *device,
						 uint32_t number)
{
	const uint32_t count = sizeof(requests) / sizeof(requests[0]);
	const struct supdrv_request *request = request_search(requests, count, number);

	return request ? request : request_search(device->extra, device->extra_count, number);
}

int32_t supdrv_call_prepare(struct supdrv_session *session, uint32_t number, uint64_t in_size,
			    uint64_t out_size, struct supdrv_call *call)
{
	const struct supdrv_request *request;

	/* Lengths stay 64 bits wide until they are known to be small. */
	if (in_size > SUPDRV_TRANSPORT_MAX || out_size > SUPDRV_TRANSPORT_MAX)
		return SUPDRV_ERR_INVALID_PARAM;
	request = request_find(session->device, number);
	if (!request)
		return SUPDRV_ERR_GENERAL_FAILURE;
	if (in_size < request->in_min || in_size > request->in_max)
		return SUPDRV_ERR_INVALID_PARAM;
	if (out_size < request->out_min || out_size > request->out_max)
		return SUPDRV_ERR_INVALID_PARAM;
	if (out_size > request->out_most)
		out_size = request->out_most;

	memset(call, 0, sizeof(*call));
	call->request = request;
	call->in_size = (uint32_t)in_size;
	call->out_size = (uint32_t)out_size;
	call->buffer_size = call->in_size > call->out_size ? call->in_size : call->out_size;
	return SUPDRV_OK;
}

/* Takes the same time for every wrong pair, so that halves cannot be guessed one by one. */
static bool cookies_match(const struct supdrv_session *session, const struct cookies_in *in)
{
	return !((in->device ^ session->device->cookie) | (in->session ^ session->cookie));
}

int32_t supdrv_call_run(struct supdrv_session *session, struct supdrv_call *call)
{
	int32_t status;

	if (!(call->request->flags & SUPDRV_REQUEST_NO_COOKIES) &&
	    !cookies_match(session, call->buffer))
		return SUPDRV_ERR_INVALID_MAGIC;

	status = call->request->handle(session, call);
	if (status != SUPDRV_OK)
		call->returned = 0;
	return status;
}

void supdrv_call_undo(struct supdrv_session *session, struct supdrv_call *call)
{
	if (call->undo)
		call->undo(session, call->undo_key);
	call->undo = NULL;
}

void *supdrv_call_output(struct supdrv_call *call, uint32_t size)
{
	memset(call->buffer, 0, size);
	call->returned = size;
	return call->buffer;
}
