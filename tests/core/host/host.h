/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A glue in user space whose failures and randomness tests control, and the test runner's macros.
 */
#ifndef HOST_H
#define HOST_H

#include <stdio.h>
#include <stdlib.h>

#include "supdrv_core.h"
#include "supdrv_glue.h"
#include "supdrv_ioc.h"

typedef void host_test(void);

/* Allocations that succeed before the next one fails; negative: none fails. */
extern long host_alloc_budget;
/* Objects and locks that exist. */
extern long host_alloc_live;
extern long host_lock_live;
/* Pages, and mappings of and pins of several pages, that exist. */
extern long host_pages_live;
extern long host_mappings_live;
extern long host_pins_live;
/* What another thread does while pages are being mapped the next time; NULL: nothing. */
extern host_test *host_during_map;
/* The first word of the pages that were freed last. */
extern uint32_t host_pages_last_word;
/* Locks that are held now. */
extern uint32_t host_locks_held;
/* What becomes of pins, unless it is SUPDRV_OK. */
extern int32_t host_pin_status;
/* Images that can be sealed before the next one cannot; negative: all can. */
extern long host_seal_budget;
/* What the CPU and the clock say. */
extern struct supdrv_paging host_paging;
extern struct supdrv_time host_time;
/* Timers that run, and one tick of the last one started. */
extern long host_timers_live;
void host_timer_tick(void);

/* From now on every random byte is this one; host_random_free() ends it. */
void host_random_fix(uint8_t byte);
void host_random_free(void);

void host_test_add(const char *name, host_test *test);

#define TEST(name)                                                                                 \
	static void name(void);                                                                    \
	__attribute__((constructor)) static void add_##name(void)                                  \
	{                                                                                          \
		host_test_add(#name, name);                                                        \
	}                                                                                          \
	static void name(void)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define CHECK_EQUAL(left, right)                                                                   \
	do {                                                                                       \
		long long left_ = (long long)(left), right_ = (long long)(right);                  \
		if (left_ != right_) {                                                             \
			fprintf(stderr, "%s:%d: %s is %lld, not %s (%lld)\n", __FILE__, __LINE__,  \
				#left, left_, #right, right_);                                     \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

/* A device with one session whose cookies are known. */
struct bench {
	struct supdrv_device *device;
	struct supdrv_session *session;
	uint32_t cookies[2];
	SUPCOOKIE_OUT identity;
};

void bench_setup(struct bench *bench, const struct supdrv_request *extra, uint32_t extra_count);
void bench_setup_as(struct bench *bench, const struct supdrv_config *config);
void bench_teardown(struct bench *bench);

/* What the client sees: its output buffer changes only by what the driver copies out. */
struct client {
	const void *in;
	uint64_t in_size;
	void *out;
	uint64_t out_size;
	bool out_faults;
	uint32_t copied;
};

/* The transport as a glue does it. out_faults: the copy-out fails and the answer is taken back. */
int32_t client_request(struct supdrv_session *session, uint32_t number, struct client *client);
int32_t request(struct supdrv_session *session, uint32_t number, const void *in, uint64_t in_size,
		void *out, uint64_t out_size);
SUPCOOKIE_OUT negotiate(struct supdrv_session *session);

#endif
