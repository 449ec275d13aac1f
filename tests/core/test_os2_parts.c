// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Options, status words, runs of pages and the generator's block. */
#include "host.h"
#include "chacha.h"
#include "option.h"
#include "supdrv_os2.h"
#include "pages.h"

static bool options_of(const char *line, bool *ring0_images)
{
	struct options options;
	const char *bad;
	const bool good = options_read(line, &options, &bad);

	*ring0_images = options.ring0_images;
	return good;
}

TEST(os2_options_are_off_without_a_word)
{
	bool ring0_images = true;

	CHECK(options_of("C:\\SUPDRV.SYS", &ring0_images) && !ring0_images);
	CHECK(options_of("  SUPDRV.SYS \t ", &ring0_images) && !ring0_images);
	CHECK(options_of("", &ring0_images) && !ring0_images);
}

TEST(os2_options_turn_ring0_images_on_and_off)
{
	bool ring0_images;

	CHECK(options_of("SUPDRV.SYS ring0_images=1", &ring0_images) && ring0_images);
	CHECK(options_of("SUPDRV.SYS RING0_Images=1\r\n", &ring0_images) && ring0_images);
	CHECK(options_of("SUPDRV.SYS /R", &ring0_images) && ring0_images);
	CHECK(options_of("SUPDRV.SYS /r", &ring0_images) && ring0_images);
	CHECK(options_of("SUPDRV.SYS /R ring0_images=0", &ring0_images) && !ring0_images);
}

TEST(os2_options_that_are_none_are_told)
{
	static const char *const lines[] = {"S /X",  "S ring0_images=2",  "S ring0_images",
					    "S /R1", "S ring0_images=1x", "S /R /"};
	struct options options;
	const char *bad = NULL;
	uint32_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		CHECK(!options_read(lines[i], &options, &bad));
	CHECK(!strcmp(bad, "/"));
}

TEST(os2_status_words_of_every_code)
{
	int32_t status;

	CHECK_EQUAL(supdrv_status_word(SUPDRV_OK), 0x0100);
	CHECK_EQUAL(supdrv_status_word(SUPDRV_ERR_GENERAL_FAILURE), 0x810C);
	CHECK_EQUAL(supdrv_status_word(SUPDRV_ERR_INVALID_PARAM), 0x8113);
	for (status = -3; status >= -40; status--)
		CHECK_EQUAL(supdrv_status_word(status), 0x810C);
	CHECK_EQUAL(supdrv_status_word(4711), 0x810C);
}

TEST(os2_runs_of_pages_become_pages)
{
	const struct dh_run runs[] = {{0x5000, 0x2000}, {0x123000, 0x1000}, {0x9000, 0x3000}};
	uint32_t physical[8] = {0};

	supdrv_runs_spread(runs, 3, physical, 6);
	CHECK_EQUAL(physical[0], 0x5000);
	CHECK_EQUAL(physical[1], 0x6000);
	CHECK_EQUAL(physical[2], 0x123000);
	CHECK_EQUAL(physical[3], 0x9000);
	CHECK_EQUAL(physical[5], 0xB000);
	CHECK_EQUAL(physical[6], 0);
}

TEST(os2_runs_never_fill_more_than_there_is_room_for)
{
	const struct dh_run runs[] = {{0x5000, 0x9000}, {0x20000, 0x1000}};
	uint32_t physical[3] = {0};

	supdrv_runs_spread(runs, 2, physical, 2);
	CHECK_EQUAL(physical[1], 0x6000);
	CHECK_EQUAL(physical[2], 0);
}

/* RFC 8439, 2.3.2. */
TEST(os2_generator_makes_the_block_of_the_standard)
{
	static const uint32_t nonce[CHACHA_NONCE_WORDS] = {1, 0x09000000, 0x4a000000, 0};
	uint32_t key[CHACHA_KEY_WORDS], block[CHACHA_BLOCK_WORDS];
	uint8_t bytes[sizeof(key)];
	uint32_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	memcpy(key, bytes, sizeof(key));
	chacha_block(key, nonce, block);
	CHECK_EQUAL(block[0], 0xe4e7f110);
	CHECK_EQUAL(block[1], 0x15593bd1);
	CHECK_EQUAL(block[15], 0x4e3c50a2);
}
