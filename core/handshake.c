// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

int32_t supdrv_cookie_negotiate(struct supdrv_session *session, struct supdrv_call *call)
{
	static const char magic[] = SUPCOOKIE_MAGIC;
	const SUPCOOKIE_IN *in = call->buffer;
	SUPCOOKIE_OUT *out;

	_Static_assert(sizeof(magic) == sizeof(in->szMagic), "the magic word fills its field");
	if (memcmp(in->szMagic, magic, sizeof(magic)))
		return SUPDRV_ERR_INVALID_MAGIC;
	if (in->u32Version != SUPDRVIOC_VERSION)
		return SUPDRV_ERR_VERSION_MISMATCH;

	out = supdrv_call_output(call, sizeof(*out));
	out->u32Cookie = session->device->cookie;
	out->u32SessionCookie = session->cookie;
	out->u32Version = SUPDRVIOC_VERSION;
	out->cFunctions = SUPDRV_FUNCTION_COUNT;
	out->pSession = (PSUPDRVSESSION)session->token;
	return SUPDRV_OK;
}
