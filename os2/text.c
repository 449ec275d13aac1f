// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "text.h"

#define DIGITS_MAX 20u

struct target {
	char *at;
	size_t left; /* room in front of the NUL */
};

/* What stands between % and the letter. */
struct directive {
	bool zeros;
	bool left;
	size_t width;
	bool cut;
	size_t most; /* characters of a text, if cut */
	uint32_t longs;
	char letter;
};

static void put(struct target *to, char character)
{
	if (!to->left)
		return;
	*to->at++ = character;
	to->left--;
}

static void put_times(struct target *to, char character, size_t count)
{
	for (; count && to->left; count--)
		put(to, character);
}

static void put_padded(struct target *to, const struct directive *how, const char *text,
		       size_t length)
{
	size_t gap = how->width > length ? how->width - length : 0;

	if (!how->left)
		put_times(to, ' ', gap);
	for (; length; length--)
		put(to, *text++);
	if (how->left)
		put_times(to, ' ', gap);
}

static void put_text(struct target *to, const struct directive *how, const char *text)
{
	size_t length = 0;

	if (!text)
		text = "(null)";
	while (text[length] && (!how->cut || length < how->most))
		length++;
	put_padded(to, how, text, length);
}

static void put_number(struct target *to, const struct directive *how, uint64_t value,
		       bool negative, uint32_t base)
{
	const char *digits = how->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[DIGITS_MAX + 1];
	char *at = text + sizeof(text);
	size_t length;

	do {
		*--at = digits[value % base];
		value /= base;
	} while (value);
	length = (size_t)(text + sizeof(text) - at);
	if (how->zeros && !how->left) {
		if (negative)
			put(to, '-');
		if (how->width > length + negative)
			put_times(to, '0', how->width - length - negative);
		put_padded(to, &(struct directive){0}, at, length);
		return;
	}
	if (negative) {
		*--at = '-';
		length++;
	}
	put_padded(to, how, at, length);
}

static size_t number_read(const char **at)
{
	size_t value = 0;

	for (; **at >= '0' && **at <= '9'; ++*at)
		value = value * 10 + (size_t)(**at - '0');
	return value;
}

/* From behind the % on; *at is behind the letter afterwards. */
static struct directive directive_read(const char **at)
{
	struct directive how = {0};

	for (; **at == '0' || **at == '-'; ++*at) {
		if (**at == '0')
			how.zeros = true;
		else
			how.left = true;
	}
	how.width = number_read(at);
	if (**at == '.') {
		++*at;
		how.cut = true;
		how.most = number_read(at);
	}
	for (; **at == 'l' || **at == 'z'; ++*at)
		how.longs += **at == 'l';
	how.letter = **at;
	if (how.letter)
		++*at;
	return how;
}

/* va_list may be an array, which cannot be passed on by its address everywhere. */
struct arguments {
	va_list list;
};

static uint64_t unsigned_take(struct arguments *from, uint32_t longs)
{
	if (longs >= 2)
		return va_arg(from->list, unsigned long long);
	return longs ? va_arg(from->list, unsigned long) : va_arg(from->list, unsigned int);
}

static int64_t signed_take(struct arguments *from, uint32_t longs)
{
	if (longs >= 2)
		return va_arg(from->list, long long);
	return longs ? va_arg(from->list, long) : va_arg(from->list, int);
}

static void put_signed(struct target *to, const struct directive *how, int64_t value)
{
	put_number(to, how, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0, 10);
}

static void put_pointer(struct target *to, uintptr_t value)
{
	const struct directive how = {.zeros = true, .width = 2 * sizeof(value)};

	put_number(to, &how, value, false, 16);
}

static void put_character(struct target *to, const struct directive *how, char character)
{
	put_padded(to, how, &character, 1);
}

static void put_directive(struct target *to, const struct directive *how, const char *itself,
			  size_t length, struct arguments *from)
{
	switch (how->letter) {
	case 'c':
		put_character(to, how, (char)va_arg(from->list, int));
		break;
	case 's':
		put_text(to, how, va_arg(from->list, const char *));
		break;
	case 'd':
	case 'i':
		put_signed(to, how, signed_take(from, how->longs));
		break;
	case 'u':
		put_number(to, how, unsigned_take(from, how->longs), false, 10);
		break;
	case 'x':
	case 'X':
		put_number(to, how, unsigned_take(from, how->longs), false, 16);
		break;
	case 'p':
		put_pointer(to, (uintptr_t)va_arg(from->list, void *));
		break;
	case '%':
		put(to, '%');
		break;
	default:
		put_padded(to, &(struct directive){0}, itself, length);
	}
}

size_t text_format(char *to, size_t size, const char *format, va_list arguments)
{
	struct target target = {.at = to, .left = size - 1};
	struct arguments from;

	va_copy(from.list, arguments);
	while (*format) {
		const char *begin = format;
		struct directive how;

		if (*format != '%') {
			put(&target, *format++);
			continue;
		}
		format++;
		how = directive_read(&format);
		put_directive(&target, &how, begin, (size_t)(format - begin), &from);
	}
	va_end(from.list);
	*target.at = '\0';
	return (size_t)(target.at - to);
}
