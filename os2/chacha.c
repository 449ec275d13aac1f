// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "chacha.h"

#define DOUBLE_ROUNDS 10

static uint32_t rotate(uint32_t value, uint32_t bits)
{
	return value << bits | value >> (32 - bits);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

static void double_round(uint32_t s[CHACHA_BLOCK_WORDS])
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		quarter(&s[i], &s[4 + i], &s[8 + i], &s[12 + i]);
	for (i = 0; i < 4; i++)
		quarter(&s[i], &s[4 + (i + 1) % 4], &s[8 + (i + 2) % 4], &s[12 + (i + 3) % 4]);
}

void chacha_block(const uint32_t key[CHACHA_KEY_WORDS], const uint32_t nonce[CHACHA_NONCE_WORDS],
		  uint32_t block[CHACHA_BLOCK_WORDS])
{
	/* "expand 32-byte k" */
	static const uint32_t constant[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t start[CHACHA_BLOCK_WORDS];
	uint32_t i;

	memcpy(start, constant, sizeof(constant));
	memcpy(start + 4, key, CHACHA_KEY_WORDS * sizeof(*key));
	memcpy(start + 12, nonce, CHACHA_NONCE_WORDS * sizeof(*nonce));
	memcpy(block, start, sizeof(start));
	for (i = 0; i < DOUBLE_ROUNDS; i++)
		double_round(block);
	for (i = 0; i < CHACHA_BLOCK_WORDS; i++)
		block[i] += start[i];
}
