/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ChaCha20's block function, as RFC 8439 has it. */
#ifndef SUPDRV_CHACHA_H
#define SUPDRV_CHACHA_H

#include "supdrv_os.h"

#define CHACHA_KEY_WORDS   8u
#define CHACHA_NONCE_WORDS 4u /* the counter first */
#define CHACHA_BLOCK_WORDS 16u

void chacha_block(const uint32_t key[CHACHA_KEY_WORDS], const uint32_t nonce[CHACHA_NONCE_WORDS],
		  uint32_t block[CHACHA_BLOCK_WORDS]);

#endif
