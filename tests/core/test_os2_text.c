// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdarg.h>

#include "host.h"
#include "text.h"

static char text[64];

static size_t formatted(size_t size, const char *format, ...) __attribute__((format(printf, 2, 3)));
static size_t formatted(size_t size, const char *format, ...)
{
	va_list arguments;
	size_t length;

	memset(text, '#', sizeof(text));
	va_start(arguments, format);
	length = text_format(text, size, format, arguments);
	va_end(arguments);
	CHECK_EQUAL(text[length], '\0');
	CHECK_EQUAL(text[length + 1], '#');
	return length;
}

#define CHECK_TEXT(expected, ...)                                                                  \
	do {                                                                                       \
		const char *wanted = expected;                                                     \
		CHECK_EQUAL(formatted(sizeof(text) - 1, __VA_ARGS__), strlen(wanted));             \
		CHECK(!strcmp(text, wanted));                                                      \
	} while (0)

TEST(os2_text_has_numbers_of_every_length)
{
	CHECK_TEXT("0 -1 4294967295", "%d %d %u", 0, -1, UINT32_MAX);
	CHECK_TEXT("-2147483648", "%d", INT32_MIN);
	CHECK_TEXT("ab AB 18446744073709551615", "%x %X %llu", 0xab, 0xAB,
		   (unsigned long long)UINT64_MAX);
	CHECK_TEXT("-9223372036854775808", "%lld", (long long)INT64_MIN);
	CHECK_TEXT("7 8", "%lu %zu", 7ul, (size_t)8);
}

TEST(os2_text_pads_as_asked)
{
	CHECK_TEXT("   42|42   |00042|-0042", "%5d|%-5d|%05d|%05d", 42, 42, 42, -42);
	CHECK_TEXT("   ab|ab   |a", "%5s|%-5s|%.1s", "ab", "ab", "ab");
	CHECK_TEXT("0000002a", "%08x", 42);
}

TEST(os2_text_has_characters_texts_and_percents)
{
	CHECK_TEXT("c text 100%", "%c %s %d%%", 'c', "text", 100);
	CHECK_TEXT("plain", "plain");
}

TEST(os2_text_is_cut_off_at_its_end)
{
	CHECK_EQUAL(formatted(5, "%s", "0123456789"), 4);
	CHECK(!strcmp(text, "0123"));
	CHECK_EQUAL(formatted(1, "%d", 123), 0);
	CHECK_EQUAL(formatted(4, "%40d", 1), 3);
}
