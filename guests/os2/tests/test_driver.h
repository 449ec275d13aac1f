/* SPDX-License-Identifier: MIT */
/* What the test driver and the test programs share: its requests, all of category TEST_CATEGORY. */
#ifndef TEST_DRIVER_H
#define TEST_DRIVER_H

#include <stdint.h>

#define TEST_DEVICE   "TEST$"
#define TEST_CATEGORY 0x80

/* Parameters are words, so is each word of the data. */
enum test_function {
	TEST_ECHO = 1, /* data: each word becomes one more */
	TEST_STATUS,   /* parameter: the packet's status */
	TEST_MAP,      /* parameters: pages, VMDHGP_ flags. data: address in the process, physical
			  address */
	TEST_UNMAP,    /* parameter: that address */
	TEST_BLOCK,    /* parameters: ms, DH. data: what ProcBlock answers */
	TEST_RUN,      /* data: how many were woken */
	TEST_TICKS,    /* data: ticks of the timer since INIT, calls of TickCount every 5 */
	TEST_LOCK,   /* parameters: address, length, VMDHL_ flags. data: error, entries, first entry
		      */
	TEST_UNLOCK, /* data: error */
	TEST_COUNTS, /* data: opens, closes, PID, system file number */
	TEST_HOOK,   /* arms the hook. data: how often it has run */
	TEST_EXECUTE, /* data: what code in memory of VMAlloc returns, made executable before */
	TEST_GLOBAL,  /* parameter: address of a word. data: what is there, seen through
			 VMProcessToGlobal */
	TEST_VERIFY,  /* parameters: address, length, DH. data: error */
	TEST_UNKNOWN_HELP, /* data: error of a helper that there is not */
	/* The end of the system. */
	TEST_NULL,	/* writes to address 0 */
	TEST_READ_ONLY, /* parameter: address of a page that the process cannot write; it writes
			   there */
	TEST_RUN_DATA,	/* calls code in memory that is not executable */
	TEST_OVERFLOW,	/* uses up its stack */
	TEST_SPIN,	/* never returns */
	TEST_SPIN_OFF,	/* never returns, with interrupts off */
	TEST_STOP,	/* InternalError */
};

#endif
