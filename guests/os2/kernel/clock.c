/* SPDX-License-Identifier: MIT */
/* Time: the processor's counter, measured once against the timer chip, which makes the ticks. */
#include "process.h"

#define CHIP_HZ	     1193182u
#define CHIP_COMMAND 0x43
#define CHIP_TICK    0x40
#define CHIP_SPEAKER 0x42
#define GATE	     0x61
#define MEASURES     4
#define MEASURES_HZ  200
#define MEASURE	     (CHIP_HZ / MEASURES_HZ)
#define TICKS_HZ     1000
#define DRIVER_TICK  (10 * NS_PER_MS)
#define TIMERS_MAX   32
#define KEYBOARD     0x64

struct timer {
	uint32_t handler;
	uint32_t every;
	uint32_t left;
};

static struct timer timers[TIMERS_MAX];
static uint64_t boot_stamp;
static uint32_t ns_per_stamp; /* times 2^24: good for processors of 4 MHz to some 100 GHz */
static uint64_t of_day_at_boot;

/* a * b / 2^24 */
static uint64_t scaled(uint64_t a, uint32_t b)
{
	uint64_t low = (a & 0xFFFFFFFF) * b, high = (a >> 32) * b;

	return (low >> 24) + (high << 8);
}

uint64_t clock_ns(void)
{
	return scaled(time_stamp() - boot_stamp, ns_per_stamp);
}

static uint32_t divided(uint64_t a, uint32_t b)
{
	uint32_t low = (uint32_t)a, high = (uint32_t)(a >> 32);

	__asm__("divl %2" : "+a"(low), "+d"(high) : "r"(b));
	return low;
}

static uint32_t stamps_in_a_measure(void)
{
	uint64_t before;

	out8(GATE, (in8(GATE) & ~2u) | 1); /* counts, silently */
	out8(CHIP_COMMAND, 0xB0);	   /* one shot */
	out8(CHIP_SPEAKER, MEASURE & 0xFF);
	before = time_stamp();
	out8(CHIP_SPEAKER, MEASURE >> 8); /* begins */
	while (!(in8(GATE) & 0x20))
		;
	return (uint32_t)(time_stamp() - before);
}

/* A busy host makes some take longer, and none shorter. */
static void measure(void)
{
	uint32_t least = UINT32_MAX;

	for (int i = 0; i < MEASURES; i++) {
		uint32_t stamps = stamps_in_a_measure();

		if (stamps < least)
			least = stamps;
	}
	ns_per_stamp = divided((1000000000ull / MEASURES_HZ) << 24, least);
}

static uint8_t stored(uint8_t place)
{
	uint8_t value;

	out8(0x70, place);
	value = in8(0x71);
	return (uint8_t)((value >> 4) * 10 + (value & 15));
}

/* Days from 1970 to a day of the Gregorian calendar, from 2000 on. */
static uint32_t days_until(uint32_t year, uint32_t month, uint32_t day)
{
	static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	uint32_t leaps = (year - 1968) / 4 - (month <= 2 && year % 4 == 0);

	return (year - 1970) * 365 + leaps + before[month - 1] + day - 1;
}

static uint64_t stored_of_day_ns(void)
{
	uint32_t second, days;

	do
		second = stored(0);
	while (stored(0) != second);
	days = days_until(2000u + stored(9), stored(8), stored(7));
	return (days * 86400ull + stored(4) * 3600u + stored(2) * 60u + second) * 1000000000ull;
}

uint64_t clock_of_day_ns(void)
{
	return of_day_at_boot + clock_ns();
}

void clock_set_of_day_ns(uint64_t ns)
{
	of_day_at_boot = ns - clock_ns();
}

static void timers_tick(void)
{
	for (struct timer *t = timers; t < timers + TIMERS_MAX; t++)
		if (t->handler && --t->left == 0) {
			t->left = t->every;
			call_driver(t->handler, 0, 0);
		}
}

/* Drivers' ticks go by the clock: an emulated chip leaves out interrupts when the host is busy. */
static void tick(void)
{
	static uint64_t next;
	uint64_t now = clock_ns();

	threads_tick(now);
	if (now < next)
		return;
	/* What comes too late is left out, and moves no other. */
	next += ((now - next) / DRIVER_TICK + 1) * DRIVER_TICK;
	timers_tick();
}

void clock_start(void)
{
	uint32_t divisor = CHIP_HZ / TICKS_HZ;

	measure();
	boot_stamp = time_stamp();
	of_day_at_boot = stored_of_day_ns();
	out8(CHIP_COMMAND, 0x34);
	out8(CHIP_TICK, divisor & 0xFF);
	out8(CHIP_TICK, (uint8_t)(divisor >> 8));
	irq_enable(0, tick);
}

bool timer_set(uint32_t handler, uint32_t ticks)
{
	uint32_t flags = interrupts_off();
	struct timer *t = timers, *end = timers + TIMERS_MAX;

	while (t < end && t->handler != handler)
		t++;
	for (struct timer *free = timers; t == end && ticks && free < end; free++)
		if (!free->handler)
			t = free;
	if (t < end) {
		t->handler = ticks ? handler : 0;
		t->every = t->left = ticks;
	}
	interrupts_restore(flags);
	return t < end;
}

void timers_forget(uint32_t start, uint32_t end)
{
	for (struct timer *t = timers; t < timers + TIMERS_MAX; t++)
		if (t->handler >= start && t->handler < end)
			t->handler = 0;
}

void machine_reset(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) nothing = {0, 0};

	out8(KEYBOARD, 0xFE);
	/* If nobody has listened: no table of interrupts, and an interrupt. */
	__asm__ volatile("lidt %0\n\tint3" ::"m"(nothing));
	for (;;)
		;
}
