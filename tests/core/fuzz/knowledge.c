// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "client.h"

static uintptr_t word_at(const uint8_t *bytes)
{
	uintptr_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static void seen_add(struct seen *seen, uintptr_t value, uint32_t size)
{
	seen->values[seen->count % SEEN_MAX] = value;
	seen->sizes[seen->count % SEEN_MAX] = size;
	seen->count++;
}

void knowledge_add(struct knowledge *knowledge, const struct message *message, const uint8_t *out,
		   uint32_t out_size)
{
	struct seen *seen = &knowledge->seen[message->form];
	uint32_t size;

	switch (message->form) {
	case FORM_PINPAGES: /* a pin is named by its address, which the client chose */
		seen_add(seen, word_at(message->in + offsetof(SUPPINPAGES_IN, pv)), 0);
		break;
	case FORM_LDR_OPEN:
		memcpy(&size, message->in + offsetof(SUPLDROPEN_IN, cbImage), sizeof(size));
		seen_add(seen, word_at(out), size);
		break;
	case FORM_CONT_ALLOC: /* either of its addresses */
		seen_add(seen, word_at(out + sizeof(uintptr_t)), 0);
		seen_add(seen, word_at(out), 0);
		break;
	default:
		if (out_size >= sizeof(uintptr_t))
			seen_add(seen, word_at(out), 0);
		break;
	}
}

static uint32_t seen_index(const struct seen *seen, uint32_t which)
{
	uint32_t known = seen->count < SEEN_MAX ? seen->count : SEEN_MAX;

	return known ? (seen->count - 1 - which % known) % SEEN_MAX : 0;
}

uintptr_t knowledge_recall(const struct knowledge *knowledge, enum form_name form, uint32_t which)
{
	const struct seen *seen = &knowledge->seen[form];

	return seen->values[seen_index(seen, which)];
}

uint32_t knowledge_recall_size(const struct knowledge *knowledge, enum form_name form,
			       uint32_t which)
{
	const struct seen *seen = &knowledge->seen[form];

	return seen->sizes[seen_index(seen, which)];
}

uint64_t odd_value(const struct knowledge *knowledge, struct input *input)
{
	static const uint64_t bounds[] = {0,
					  1,
					  0xFFF,
					  0x1000,
					  0xFFFFF,
					  0x100000,
					  0xFFFFFF,
					  0x1000000,
					  0x7FFFFFFF,
					  0x80000000,
					  0xFFFFF000,
					  0xFFFFFFFF,
					  0x7FFFFFFFFFFFF000,
					  0x7FFFFFFFFFFFFFFF,
					  0xFFFFFFFFFFFFF000,
					  0xFFFFFFFFFFFFFFFF};
	uint8_t how = input_byte(input);
	enum form_name form;

	if (how < 0x60)
		return bounds[how % (sizeof(bounds) / sizeof(bounds[0]))];
	if (how < 0x90)
		return input_long(input);
	if (how < 0xC0)
		return input_byte(input);
	form = (enum form_name)input_below(input, FORM_COUNT);
	return knowledge_recall(knowledge, form, how) + (uintptr_t)(int8_t)input_byte(input);
}
