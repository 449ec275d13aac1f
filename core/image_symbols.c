// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Symbol tables of images, and LDR_GET_SYMBOL. */
#include "supdrv_image.h"

/* The table may lie anywhere in the image, aligned or not. */
static SUPLDRSYM symbol_read(const SUPLDRLOAD_IN *in, uint32_t index)
{
	SUPLDRSYM symbol;

	memcpy(&symbol, in->achImage + in->offSymbols + index * sizeof(symbol), sizeof(symbol));
	return symbol;
}

/* Whether [offset, offset + size) is in the image and does not start at its end. */
static bool range_is_inside(const SUPLDRLOAD_IN *in, uint32_t offset, uint32_t size)
{
	return offset < in->cbImage && size <= in->cbImage - offset;
}

/* Bytes up to the last NUL: a name that starts in front of it ends in the table. */
static uint32_t strings_ended(const SUPLDRLOAD_IN *in)
{
	uint32_t length = in->cbStrTab;

	while (length && in->achImage[in->offStrTab + length - 1])
		length--;
	return length;
}

int32_t supdrv_symbols_check(const SUPLDRLOAD_IN *in)
{
	uint32_t names_end, i;

	if (in->cSymbols > SUPDRV_IMAGE_SYMBOLS_MAX)
		return SUPDRV_ERR_INVALID_PARAM;
	if (in->cSymbols &&
	    !range_is_inside(in, in->offSymbols, in->cSymbols * (uint32_t)sizeof(SUPLDRSYM)))
		return SUPDRV_ERR_INVALID_PARAM;
	if (in->cbStrTab && !range_is_inside(in, in->offStrTab, in->cbStrTab))
		return SUPDRV_ERR_INVALID_PARAM;

	names_end = strings_ended(in);
	for (i = 0; i < in->cSymbols; i++) {
		SUPLDRSYM symbol = symbol_read(in, i);

		if (symbol.offSymbol >= in->cbImage || symbol.offName >= names_end)
			return SUPDRV_ERR_INVALID_PARAM;
	}
	return SUPDRV_OK;
}

int32_t supdrv_symbols_copy(const SUPLDRLOAD_IN *in, struct supdrv_symbols **symbols)
{
	const uint32_t table = in->cSymbols * (uint32_t)sizeof(SUPLDRSYM);
	const uint32_t names = strings_ended(in);
	struct supdrv_symbols *made;
	char *copy;

	if (!in->cSymbols)
		return SUPDRV_OK;
	made = supdrv_os_alloc(sizeof(*made) + table + names);
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	copy = (char *)(made + 1);
	memcpy(copy, in->achImage + in->offSymbols, table);
	memcpy(copy + table, in->achImage + in->offStrTab, names);
	made->count = in->cSymbols;
	made->entries = (const SUPLDRSYM *)copy;
	made->strings = copy + table;
	*symbols = made;
	return SUPDRV_OK;
}

/* The first of several that have the same name. */
static const SUPLDRSYM *symbol_find(const struct supdrv_symbols *symbols, const char *name)
{
	uint32_t i;

	for (i = 0; symbols && i < symbols->count; i++)
		if (!strcmp(symbols->strings + symbols->entries[i].offName, name))
			return &symbols->entries[i];
	return NULL;
}

static bool symbol_name_is_valid(const char *name, uint32_t room)
{
	const char *end = memchr(name, '\0', room);

	return end && (size_t)(end - name) <= SUPDRV_SYMBOL_NAME_MAX;
}

/* The image, with a reference: its symbols are searched without the lock. */
static int32_t image_ref_loaded(struct supdrv_session *session, uintptr_t base,
				struct supdrv_image **image)
{
	struct supdrv_device *device = session->device;
	struct supdrv_image *found;
	int32_t status = SUPDRV_OK;

	supdrv_os_lock_acquire(&device->lock);
	found = supdrv_image_at(session, base);
	if (!found)
		status = SUPDRV_ERR_INVALID_HANDLE;
	else if (found->state != SUPDRV_IMAGE_LOADED)
		status = SUPDRV_ERR_ALREADY_LOADED; /* as clients know it */
	else
		found->references++;
	supdrv_os_lock_release(&device->lock);
	*image = found;
	return status;
}

int32_t supdrv_image_symbol(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPLDRGETSYMBOL_IN *in = call->buffer;
	const uint32_t room = call->in_size - (uint32_t)offsetof(SUPLDRGETSYMBOL_IN, szSymbol);
	SUPLDRGETSYMBOL_OUT *out;
	struct supdrv_image *image;
	const SUPLDRSYM *symbol;
	uintptr_t address = 0;
	int32_t status;

	if (!symbol_name_is_valid(in->szSymbol, room))
		return SUPDRV_ERR_INVALID_PARAM;
	status = image_ref_loaded(session, (uintptr_t)in->pvImageBase, &image);
	if (status)
		return status;

	symbol = symbol_find(image->symbols, in->szSymbol);
	if (symbol)
		address = image->base + symbol->offSymbol;
	supdrv_image_unref(session->device, image);
	if (!address)
		return SUPDRV_ERR_GENERAL_FAILURE;
	out = supdrv_call_output(call, sizeof(*out));
	out->pvSymbol = (void *)address;
	return SUPDRV_OK;
}
