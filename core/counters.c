// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

static const char *const counter_names[SUPDRV_COUNTER_COUNT] = {
    [SUPDRV_COUNTER_SESSIONS] = "sessions",
    [SUPDRV_COUNTER_RECORDS_PIN] = "records_pin",
    [SUPDRV_COUNTER_RECORDS_CONT] = "records_cont",
    [SUPDRV_COUNTER_RECORDS_LOW] = "records_low",
    [SUPDRV_COUNTER_PAGES_PINNED] = "pages_pinned",
    [SUPDRV_COUNTER_PAGES_CONT] = "pages_cont",
    [SUPDRV_COUNTER_PAGES_LOW] = "pages_low",
    [SUPDRV_COUNTER_IMAGES] = "images",
    [SUPDRV_COUNTER_IMAGE_REFERENCES] = "image_references",
    [SUPDRV_COUNTER_GIP_USERS] = "gip_users",
};

struct text {
	char *start;
	size_t size;
	size_t length;
};

static void text_append(struct text *text, char character)
{
	if (text->length + 1 < text->size)
		text->start[text->length++] = character;
}

static void text_append_string(struct text *text, const char *string)
{
	while (*string)
		text_append(text, *string++);
}

/* 32-bit kernels have no 64-bit division for the compiler to call, so halves are divided by hand.
 */
static uint32_t divide_by_ten(uint64_t *value)
{
	uint32_t high = (uint32_t)(*value >> 32);
	uint32_t middle = (high % 10) << 16 | ((uint32_t)*value >> 16);
	uint32_t low = (middle % 10) << 16 | ((uint32_t)*value & 0xFFFF);

	*value = (uint64_t)(high / 10) << 32 | (uint64_t)(middle / 10) << 16 | low / 10;
	return low % 10;
}

static void text_append_number(struct text *text, uint64_t value)
{
	char digits[20];
	uint32_t count = 0;

	do {
		digits[count++] = (char)('0' + divide_by_ten(&value));
	} while (value);
	while (count)
		text_append(text, digits[--count]);
}

void supdrv_counter_add(struct supdrv_device *device, enum supdrv_counter counter, int64_t change)
{
	device->counters[counter] += (uint64_t)change;
}

size_t supdrv_counters_format(struct supdrv_device *device, char *text, size_t size)
{
	struct text out = {.start = text, .size = size};
	uint64_t values[SUPDRV_COUNTER_COUNT];
	uint32_t i;

	if (!size)
		return 0;
	supdrv_os_lock_acquire(&device->lock);
	memcpy(values, device->counters, sizeof(values));
	supdrv_os_lock_release(&device->lock);

	for (i = 0; i < SUPDRV_COUNTER_COUNT; i++) {
		text_append_string(&out, counter_names[i]);
		text_append(&out, ' ');
		text_append_number(&out, values[i]);
		text_append(&out, '\n');
	}
	out.start[out.length] = '\0';
	return out.length;
}
