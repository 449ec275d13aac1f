// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * An image: a symbol table, its strings, and code that returns 0 wherever it is entered. Where
 * images run, whatever is odd about a request, nothing but that code is entered.
 */
#include "client.h"

#define NOP	    0x90
#define SYMBOL_MAX  8u
#define NAME_SIZE   2u
#define SIZE_MAX_IN (CLIENT_IN_MAX - (uint32_t)offsetof(SUPLDRLOAD_IN, achImage))

static const uint8_t return_zero[] = {0x31, 0xC0, 0xC3};

struct image {
	uintptr_t base;
	uint32_t size;
	uint32_t symbols; /* their number */
	uint32_t code;	  /* where it begins */
	uint8_t *bytes;
};

static void put_tables(struct image *image, SUPLDRLOAD_IN *in, uint32_t wanted)
{
	SUPLDRSYM *symbols = (SUPLDRSYM *)image->bytes;
	uint32_t i, count = wanted;

	while (count * (sizeof(*symbols) + NAME_SIZE) + sizeof(return_zero) > image->size && count)
		count--;
	in->cSymbols = count;
	in->offStrTab = count * (uint32_t)sizeof(*symbols);
	in->cbStrTab = count * NAME_SIZE;
	for (i = 0; i < count; i++) {
		symbols[i] = (SUPLDRSYM){.offName = i * NAME_SIZE, .offSymbol = i};
		image->bytes[in->offStrTab + i * NAME_SIZE] = (uint8_t)('a' + i);
	}
	image->code = in->offStrTab + in->cbStrTab;
}

static void put_code(struct image *image)
{
	if (image->size - image->code < sizeof(return_zero))
		return;
	memset(image->bytes + image->code, NOP, image->size - image->code);
	memcpy(image->bytes + image->size - sizeof(return_zero), return_zero, sizeof(return_zero));
}

/* An address in the code, or what the input says instead. */
static uintptr_t code_pointer(const struct image *image, const struct knowledge *knowledge,
			      struct input *input)
{
	uint32_t room = image->size - image->code;
	uint8_t choice = input_byte(input);
	uintptr_t odd;

	if (choice < 0xE0)
		return room < sizeof(return_zero)
			   ? 0
			   : image->base + image->code + choice % (room - sizeof(return_zero) + 1);
	odd = (uintptr_t)odd_value(knowledge, input);
	return knowledge->images_run && odd - image->base < image->size ? 0 : odd;
}

static void put_pointers(SUPLDRLOAD_IN *in, const struct image *image,
			 const struct knowledge *knowledge, struct input *input)
{
	uint8_t which = input_byte(input);

	if (which & 1)
		in->pfnModuleInit = (PFNR0MODULEINIT)code_pointer(image, knowledge, input);
	if (which & 2)
		in->pfnModuleTerm = (PFNR0MODULETERM)code_pointer(image, knowledge, input);
	if (which & 4) {
		in->eEPType = EP_VMMR0;
		in->EP.VMMR0.pvVMMR0 = (void *)image->base;
		in->EP.VMMR0.pvVMMR0Entry = (void *)code_pointer(image, knowledge, input);
	}
}

/* One number of the request or one byte of the tables. */
static void put_mistake(SUPLDRLOAD_IN *in, struct image *image, const struct knowledge *knowledge,
			struct input *input)
{
	uint32_t *const numbers[] = {&in->eEPType,   &in->offSymbols, &in->cSymbols,
				     &in->offStrTab, &in->cbStrTab,   &in->cbImage};
	uint8_t choice = input_byte(input);

	if (choice < 0x80)
		*numbers[choice % 6] = (uint32_t)odd_value(knowledge, input);
	else if (choice < 0xC0)
		in->pvImageBase = (void *)(uintptr_t)odd_value(knowledge, input);
	else if (choice < 0xD0)
		in->EP.VMMR0.pvVMMR0 = (void *)(uintptr_t)odd_value(knowledge, input);
	else if (image->code)
		image->bytes[input_below(input, image->code)] = input_byte(input);
}

void message_fill_image(struct message *message, const struct knowledge *knowledge,
			struct input *input)
{
	SUPLDRLOAD_IN *in = (SUPLDRLOAD_IN *)message->in;
	uint32_t which = input_byte(input);
	uint8_t shape = input_byte(input);
	struct image image = {
	    .base = knowledge_recall(knowledge, FORM_LDR_OPEN, which),
	    .size = knowledge_recall_size(knowledge, FORM_LDR_OPEN, which),
	    .bytes = message->in + offsetof(SUPLDRLOAD_IN, achImage),
	};

	if (image.size > SIZE_MAX_IN)
		image.size = SIZE_MAX_IN;
	in->pvImageBase = (void *)image.base;
	in->cbImage = image.size;
	put_tables(&image, in, shape % (SYMBOL_MAX + 1));
	put_code(&image);
	put_pointers(in, &image, knowledge, input);
	if (shape >= 0xC0)
		put_mistake(in, &image, knowledge, input);
	message->in_size += image.size;
	if (message->in_size <= sizeof(*in))
		message->in_size = sizeof(*in) + 1;
}
