// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The contents of the global information page, as functions of the page and the time alone. */
#include "supdrv_internal.h"

#define NS_PER_SECOND	    1000000000u
#define HISTORY_SIZE	    8u
#define WINDOW_SHIFT	    11u /* the rate is measured over 0x800 updates */
#define WINDOW_UPDATES	    (1u << WINDOW_SHIFT)
#define WINDOW_IDS	    (2 * WINDOW_UPDATES)
#define RATE_MIN	    30u
#define RATE_MAX	    2000u
#define RATE_OF_LONG_MEAN   1000u
#define RATE_OF_SHORT_MEAN  90u
#define UNMEASURED_INTERVAL 0x20000000u
#define UNMEASURED_CPU_HZ   (((uint64_t)1 << 32) + 1)

/*
 * Readers copy the page between two looks at the id, so it is odd before the first change and even
 * after the last one. x86 shows stores to other CPUs in the order they are made; the fences hold
 * the compiler to it.
 */
static void id_store(SUPGLOBALINFOPAGE *page, uint32_t id)
{
	uint8_t *place = (uint8_t *)page + offsetof(SUPGLOBALINFOPAGE, u32TransactionId);

	__atomic_thread_fence(__ATOMIC_RELEASE);
	*(volatile uint32_t *)place = id;
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void rate_set(SUPGLOBALINFOPAGE *page, uint32_t hz)
{
	page->u32UpdateHz = hz;
	page->u32UpdateIntervalNS = NS_PER_SECOND / hz;
}

void supdrv_gip_init(SUPGLOBALINFOPAGE *page, uint32_t hz, const struct supdrv_time *now)
{
	uint32_t i;

	page->u32TransactionId = 2;
	rate_set(page, hz);
	page->u64NanoTS = now->ns;
	page->u64TSC = now->tsc;
	page->u64NanoTSLastUpdateHz = now->ns;
	for (i = 0; i < HISTORY_SIZE; i++)
		page->au32TSCHistory[i] = UNMEASURED_INTERVAL;
	page->u32UpdateIntervalTSC = UNMEASURED_INTERVAL;
	page->u64CpuHz = UNMEASURED_CPU_HZ;
	page->u32Magic = SUPGLOBALINFOPAGE_MAGIC;
}

/*
 * The id goes on to the start of the next window and never back: a reader that slept through the
 * pause must not find the id it knows over other contents. The pause is no interval, so the times
 * start anew.
 */
void supdrv_gip_resume(SUPGLOBALINFOPAGE *page, const struct supdrv_time *now)
{
	uint32_t id = (page->u32TransactionId & ~(WINDOW_IDS - 1)) + WINDOW_IDS;

	id_store(page, id - 1);
	page->u64NanoTS = now->ns;
	page->u64TSC = now->tsc;
	page->u64NanoTSLastUpdateHz = 0;
	id_store(page, id);
}

void supdrv_gip_clear(SUPGLOBALINFOPAGE *page)
{
	page->u32Magic = 0;
	page->u64NanoTS = 0;
	page->u64TSC = 0;
}

/* Intervals outside of the accepted rates are not even divided by: 32 bits hold all others. */
static void rate_measure(SUPGLOBALINFOPAGE *page, uint64_t ns)
{
	uint64_t begin = page->u64NanoTSLastUpdateHz;
	uint64_t interval = (ns - begin + WINDOW_UPDATES / 2) >> WINDOW_SHIFT;

	page->u64NanoTSLastUpdateHz = ns;
	if (begin && interval >= NS_PER_SECOND / RATE_MAX && interval <= NS_PER_SECOND / RATE_MIN)
		rate_set(page, (NS_PER_SECOND + (uint32_t)interval / 2) / (uint32_t)interval);
}

static uint32_t interval_mean(const SUPGLOBALINFOPAGE *page)
{
	uint32_t count, i;
	uint64_t sum = 0;

	if (page->u32UpdateHz >= RATE_OF_LONG_MEAN)
		count = HISTORY_SIZE;
	else
		count = page->u32UpdateHz >= RATE_OF_SHORT_MEAN ? 2 : 1;
	for (i = 0; i < count; i++)
		sum += page->au32TSCHistory[(page->iTSCHistoryHead - i) % HISTORY_SIZE];
	return (uint32_t)(count == HISTORY_SIZE ? sum >> 3 : sum >> (count - 1));
}

/* What an interval may be longer than its mean: less where the mean is of more of them. */
static uint32_t interval_slack(const SUPGLOBALINFOPAGE *page, uint32_t mean)
{
	if (page->u32UpdateHz >= RATE_OF_LONG_MEAN)
		return mean >> 14;
	return page->u32UpdateHz >= RATE_OF_SHORT_MEAN ? mean >> 7 : mean >> 6;
}

static void interval_add(SUPGLOBALINFOPAGE *page, uint64_t tsc)
{
	uint64_t interval = tsc - page->u64TSC, with_slack;
	uint32_t mean;

	if (interval >> 32) {
		interval = page->u32UpdateIntervalTSC;
		page->cErrors++;
	}
	page->iTSCHistoryHead = (page->iTSCHistoryHead + 1) % HISTORY_SIZE;
	page->au32TSCHistory[page->iTSCHistoryHead] = (uint32_t)interval;

	mean = interval_mean(page);
	with_slack = (uint64_t)mean + interval_slack(page, mean);
	page->u32UpdateIntervalTSC = with_slack >> 32 ? ~(uint32_t)0 : (uint32_t)with_slack;
	page->u64CpuHz = (uint64_t)mean * page->u32UpdateHz;
}

void supdrv_gip_update(SUPGLOBALINFOPAGE *page, const struct supdrv_time *now)
{
	uint32_t id = page->u32TransactionId;

	if (id % 2) { /* another update has not ended: the page would become a mix of both */
		page->cErrors++;
		return;
	}
	id_store(page, id + 1);
	if (id % WINDOW_IDS == 0)
		rate_measure(page, now->ns);
	interval_add(page, now->tsc);
	page->u64NanoTS = now->ns;
	page->u64TSC = now->tsc;
	id_store(page, id + 2);
}
