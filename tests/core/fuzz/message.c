// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "client.h"

#define PAGE 4096u
#define ODD  0xE0u /* a field whose byte is not below this is filled in wrong */
#define LIST 64u   /* entries of a list that there is usually room for */

static const char magic[16] = SUPCOOKIE_MAGIC;

void message_put(struct message *message, uint32_t offset, uint64_t value, uint32_t size)
{
	memcpy(message->in + offset, &value, size < sizeof(value) ? size : sizeof(value));
}

static void put_name(struct message *message, const struct field *field, uint8_t choice)
{
	char *name = (char *)message->in + field->offset;

	if (choice >= ODD && choice % 2) {
		memset(name, 'n', field->size); /* no end */
		return;
	}
	name[0] = (char)('a' + choice % 4);
	if (choice >= ODD)
		name[choice % 4] = (char)(choice ^ 0xC0); /* punctuation */
}

static void put_field(struct message *message, const struct knowledge *knowledge,
		      const struct field *field, struct input *input)
{
	uint8_t choice = input_byte(input);
	uint64_t value = 0;

	if (field->kind == FIELD_NAME) {
		put_name(message, field, choice);
		return;
	}
	if (choice >= ODD) {
		message_put(message, field->offset, odd_value(knowledge, input), field->size);
		return;
	}
	switch (field->kind) {
	case FIELD_MAGIC:
		memcpy(message->in + field->offset, magic, sizeof(magic));
		return;
	case FIELD_VERSION:
		value = SUPDRVIOC_VERSION;
		break;
	case FIELD_NUMBER:
		value = choice + 1u;
		break;
	case FIELD_BYTES:
		value = (choice % 4 + 1) * PAGE - choice / 4;
		break;
	case FIELD_PAGE:
		value = (choice + 1u) * PAGE;
		break;
	case FIELD_SEEN:
		value = knowledge_recall(knowledge, field->source, choice);
		break;
	case FIELD_NAME:
		break;
	}
	message_put(message, field->offset, value, field->size);
}

/* A symbol's name of up to 2047 bytes, usually one letter and its end. */
static void put_symbol(struct message *message, struct input *input)
{
	uint8_t choice = input_byte(input);
	uint32_t length = choice < ODD ? 1 : (choice - ODD) * 66u + input_byte(input) % 66;
	bool ended = choice % 8 != 7;

	memset(message->in + message->in_size, 'a' + choice % 4, length);
	message->in_size += length + ended;
	if (length + ended < 2)
		message->in_size++;
}

static uint32_t out_size(const struct form *form, struct input *input)
{
	uint8_t room = form->out_entry ? input_byte(input) : 0;

	return form->out_size + (room ? room % 32 : LIST) * form->out_entry;
}

void message_fill(struct message *message, const struct knowledge *knowledge, struct input *input)
{
	const struct form *form = &forms[message->form];
	uint32_t i;

	message->in_size = form->in_size;
	message->out_size = out_size(form, input);
	memset(message->in, 0, sizeof(message->in));
	for (i = 0; i < form_field_count; i++)
		if (form_fields[i].form == message->form)
			put_field(message, knowledge, &form_fields[i], input);
	if (message->form == FORM_LDR_GET_SYMBOL)
		put_symbol(message, input);
	else if (message->form == FORM_LDR_LOAD)
		message_fill_image(message, knowledge, input);
}
