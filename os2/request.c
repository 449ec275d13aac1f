// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The transport of requests. The parameter packet is the argument block, which tells of input and
 * output; the data packet, if there is one, takes the driver's code. Each is copied once.
 */
#include "devhelp.h"
#include "heap.h"
#include "supdrv_ioc.h"
#include "supdrv_os2.h"

#define CATEGORY_ALIAS 0xC0 /* of the range that the system leaves to drivers */

/* Where the code goes to. */
struct answer {
	uintptr_t to;
	bool wanted;
};

static int32_t call_copy_in(struct supdrv_call *call, uintptr_t in)
{
	if (!call->buffer_size)
		return SUPDRV_OK;
	call->buffer = heap_get(call->buffer_size);
	if (!call->buffer)
		return SUPDRV_ERR_NO_MEMORY;
	if (supdrv_client_read(call->buffer, in, call->in_size))
		return SUPDRV_OK;
	heap_release(call->buffer);
	return SUPDRV_ERR_INVALID_POINTER;
}

static bool answer_give(const struct answer *answer, int32_t status)
{
	return !answer->wanted || supdrv_client_write(answer->to, &status, sizeof(status));
}

/* What the call has done is undone if the client does not learn of it. */
static int32_t call_finish(struct supdrv_session *session, struct supdrv_call *call, uintptr_t out,
			   const struct answer *answer, bool *told)
{
	int32_t status = supdrv_call_run(session, call);

	if (status) {
		*told = answer_give(answer, status);
		return status;
	}
	if (!supdrv_client_write(out, call->buffer, call->returned))
		status = SUPDRV_ERR_INVALID_POINTER;
	*told = answer_give(answer, status);
	if (status || !*told)
		supdrv_call_undo(session, call);
	return status;
}

static uint16_t status_word(const struct answer *answer, int32_t status, bool told)
{
	if (!told)
		return STATUS_INVALID_PARAMETER;
	return answer->wanted ? STATUS_DONE : supdrv_status_word(status);
}

static int32_t call_begin(struct supdrv_session *session, uint8_t function, uintptr_t parameters,
			  SUPDRVIOCTLDATA *block, struct supdrv_call *call)
{
	int32_t status;

	if (!supdrv_client_read(block, parameters, sizeof(*block)))
		return SUPDRV_ERR_INVALID_POINTER;
	status = supdrv_call_prepare(session, function, block->cbIn, block->cbOut, call);
	if (status)
		return status;
	return call_copy_in(call, (uintptr_t)block->pvIn);
}

static uint16_t request_run(struct supdrv_session *session, uint8_t function, uintptr_t parameters,
			    const struct answer *answer)
{
	struct supdrv_call call = {0};
	SUPDRVIOCTLDATA block;
	int32_t status = call_begin(session, function, parameters, &block, &call);
	bool told;

	if (status)
		return status_word(answer, status, answer_give(answer, status));
	status = call_finish(session, &call, (uintptr_t)block.pvOut, answer, &told);
	heap_release(call.buffer);
	return status_word(answer, status, told);
}

/* False: it has an address, and nothing can be written there. Nothing is done then. */
static bool answer_find(const struct os2_ioctl_request *packet, struct answer *answer)
{
	int32_t before;

	*answer = (struct answer){.wanted = packet->data_length >= sizeof(int32_t)};
	if (!answer->wanted)
		return true;
	return !dh_linear(packet->data, &answer->to) &&
	       supdrv_client_read(&before, answer->to, sizeof(before)) &&
	       supdrv_client_write(answer->to, &before, sizeof(before));
}

uint16_t supdrv_ioctl(struct os2_ioctl_request *packet)
{
	struct supdrv_file *file;
	struct answer answer;
	uintptr_t parameters;
	uint16_t status;

	if (packet->category != SUP_CTL_CATEGORY && packet->category != CATEGORY_ALIAS)
		return STATUS_UNKNOWN_COMMAND;
	if (packet->parameters_length != sizeof(SUPDRVIOCTLDATA) ||
	    dh_linear(packet->parameters, &parameters) || !answer_find(packet, &answer))
		return STATUS_INVALID_PARAMETER;
	file = supdrv_file_enter(packet->file_number);
	if (!file)
		return STATUS_GENERAL_FAILURE;
	status = request_run(supdrv_file_session(file), packet->function, parameters, &answer);
	supdrv_file_leave(file);
	return status;
}
