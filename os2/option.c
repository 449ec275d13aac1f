// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "option.h"

struct word {
	const char *text;
	bool ring0_images;
};

static const struct word words[] = {
    {"ring0_images=0", false},
    {"ring0_images=1", true},
    {"/R", true},
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

static const char *blanks_skip(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

static const char *word_skip(const char *at)
{
	while (*at && !is_blank(*at))
		at++;
	return at;
}

/* CONFIG.SYS does not tell capital letters from small ones. */
static char letter_low(char character)
{
	return character >= 'A' && character <= 'Z' ? (char)(character + 'a' - 'A') : character;
}

static bool is_word(const char *at, size_t length, const char *word)
{
	size_t i;

	for (i = 0; i < length && word[i]; i++)
		if (letter_low(at[i]) != letter_low(word[i]))
			return false;
	return i == length && !word[i];
}

static const struct word *word_find(const char *at, size_t length)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (is_word(at, length, words[i].text))
			return &words[i];
	return NULL;
}

bool options_read(const char *line, struct options *options, const char **bad)
{
	const char *at = blanks_skip(word_skip(blanks_skip(line)));

	*options = (struct options){.ring0_images = false};
	while (*at) {
		const char *end = word_skip(at);
		const struct word *word = word_find(at, (size_t)(end - at));

		if (!word) {
			*bad = at;
			return false;
		}
		options->ring0_images = word->ring0_images;
		at = blanks_skip(end);
	}
	return true;
}
