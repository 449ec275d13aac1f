// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "image_client.h"

#define INT3 0xCC

static void greet(struct supdrv_session *session, void *in)
{
	SUPCOOKIE_OUT identity = negotiate(session);

	memcpy(in, &identity.u32Cookie, 2 * sizeof(uint32_t));
}

int32_t image_open(struct supdrv_session *session, const char *name, uint32_t size,
		   SUPLDROPEN_OUT *out)
{
	SUPLDROPEN_IN in = {.cbImage = size};

	greet(session, &in);
	strncpy(in.szName, name, sizeof(in.szName) - 1);
	return request(session, SUP_IOCTL_LDR_OPEN, &in, sizeof(in), out, sizeof(*out));
}

uintptr_t image_open_well(struct supdrv_session *session, const char *name, uint32_t size)
{
	SUPLDROPEN_OUT out;

	CHECK_EQUAL(image_open(session, name, size, &out), SUPDRV_OK);
	return (uintptr_t)out.pvImageBase;
}

int32_t image_free(struct supdrv_session *session, uintptr_t base)
{
	SUPLDRFREE_IN in = {.pvImageBase = (void *)base};

	greet(session, &in);
	return request(session, SUP_IOCTL_LDR_FREE, &in, sizeof(in), NULL, 0);
}

void loading_init(struct loading *loading, uintptr_t base, uint32_t size)
{
	CHECK(size <= LOADING_IMAGE_MAX);
	memset(loading, 0, sizeof(*loading));
	loading->in.pvImageBase = (void *)base;
	loading->in.cbImage = size;
	memset((uint8_t *)loading + offsetof(SUPLDRLOAD_IN, achImage), INT3, size);
	loading->size = (uint32_t)offsetof(SUPLDRLOAD_IN, achImage) + size;
	if (loading->size <= sizeof(loading->in))
		loading->size = sizeof(loading->in) + 1;
}

void loading_set_entry(struct loading *loading, uint32_t offset)
{
	loading->in.eEPType = EP_VMMR0;
	loading->in.EP.VMMR0.pvVMMR0 = loading->in.pvImageBase;
	loading->in.EP.VMMR0.pvVMMR0Entry = (uint8_t *)loading->in.pvImageBase + offset;
}

int32_t image_load(struct supdrv_session *session, const struct loading *loading)
{
	struct loading sent = *loading;

	greet(session, &sent);
	return request(session, SUP_IOCTL_LDR_LOAD, &sent, sent.size, NULL, 0);
}

int32_t image_symbol(struct supdrv_session *session, uintptr_t base, const char *name,
		     uintptr_t *address)
{
	union {
		SUPLDRGETSYMBOL_IN in;
		uint8_t room[2048];
	} sent = {.in = {.pvImageBase = (void *)base}};
	SUPLDRGETSYMBOL_OUT out = {0};
	uint32_t length = (uint32_t)strlen(name) + 1;
	int32_t status;

	greet(session, &sent);
	memcpy(sent.room + offsetof(SUPLDRGETSYMBOL_IN, szSymbol), name, length);
	status = request(session, SUP_IOCTL_LDR_GET_SYMBOL, &sent,
			 offsetof(SUPLDRGETSYMBOL_IN, szSymbol) + (length < 2 ? 2 : length), &out,
			 sizeof(out));
	*address = (uintptr_t)out.pvSymbol;
	return status;
}

int32_t vmmr0_call(struct supdrv_session *session, uint32_t operation, int32_t *result)
{
	SUPCALLVMMR0_IN in = {.uOperation = operation};
	SUPCALLVMMR0_OUT out = {0};
	int32_t status;

	greet(session, &in);
	status = request(session, SUP_IOCTL_CALL_VMMR0, &in, sizeof(in), &out, sizeof(out));
	*result = out.rc;
	return status;
}

uint64_t images_counted(const struct bench *bench)
{
	return bench->device->counters[SUPDRV_COUNTER_IMAGES];
}

uint64_t opens_counted(const struct bench *bench)
{
	return bench->device->counters[SUPDRV_COUNTER_IMAGE_REFERENCES];
}
