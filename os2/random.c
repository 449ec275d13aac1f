// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Randomness. The system has none, so the driver has a generator of its own. What it begins with is
 * the processor's, and how irregularly time passes: without RDRAND that is all, and not much.
 */
#include "chacha.h"
#include "supdrv_glue.h"

#define FEATURE_RDRAND	(1u << 30)
#define RDRAND_TRIES	10
#define JITTER_SAMPLES	2048u
#define JITTER_ROTATION 5u

static uint32_t key[CHACHA_KEY_WORDS];
static bool seeded;

static uint32_t tsc_low(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low;
}

static bool has_rdrand(void)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ecx & FEATURE_RDRAND;
}

static uint32_t rdrand(void)
{
	uint32_t value = 0, tries;
	bool good = false;

	for (tries = 0; !good && tries < RDRAND_TRIES; tries++)
		__asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(value), "=qm"(good)::"cc");
	return value;
}

static void jitter_add(void)
{
	uint32_t i;

	for (i = 0; i < JITTER_SAMPLES; i++) {
		uint32_t *word = &key[i % CHACHA_KEY_WORDS];

		*word = (*word << JITTER_ROTATION | *word >> (32 - JITTER_ROTATION)) ^ tsc_low();
	}
}

/* Each time anew: a machine that is put back to an earlier moment must not repeat itself. */
static void key_stir(void)
{
	const bool processor = has_rdrand();
	uint32_t i;

	if (!seeded)
		jitter_add();
	seeded = true;
	key[0] ^= tsc_low();
	for (i = 0; processor && i < CHACHA_KEY_WORDS; i++)
		key[i] ^= rdrand();
}

/* The first half of a block is the next key, so that nobody can compute what was given away. */
void supdrv_os_random(void *memory, size_t size)
{
	static const uint32_t nonce[CHACHA_NONCE_WORDS];
	uint32_t block[CHACHA_BLOCK_WORDS];
	uint8_t *to = memory;

	key_stir();
	while (size) {
		const size_t most = sizeof(block) - sizeof(key);
		const size_t part = size < most ? size : most;

		chacha_block(key, nonce, block);
		memcpy(key, block, sizeof(key));
		memcpy(to, block + CHACHA_KEY_WORDS, part);
		to += part;
		size -= part;
	}
	memset(block, 0, sizeof(block));
}
