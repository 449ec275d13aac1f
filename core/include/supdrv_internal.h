/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The core's own objects and the functions its files share. Glue does not include this. */
#ifndef SUPDRV_INTERNAL_H
#define SUPDRV_INTERNAL_H

#include "supdrv_core.h"
#include "supdrv_glue.h"
#include "supdrv_ioc.h"

#include "supdrv_abi_check.h"

#define SUPDRV_PAGE_SIZE 4096u

enum supdrv_counter {
	SUPDRV_COUNTER_SESSIONS,
	SUPDRV_COUNTER_RECORDS_PIN,
	SUPDRV_COUNTER_RECORDS_CONT,
	SUPDRV_COUNTER_RECORDS_LOW,
	SUPDRV_COUNTER_PAGES_PINNED,
	SUPDRV_COUNTER_PAGES_CONT,
	SUPDRV_COUNTER_PAGES_LOW,
	SUPDRV_COUNTER_IMAGES,
	SUPDRV_COUNTER_IMAGE_REFERENCES,
	SUPDRV_COUNTER_GIP_USERS,
	SUPDRV_COUNTER_COUNT
};

/* The functions that ring-0 images may use, in the order QUERY_FUNCS lists them. */
enum supdrv_function {
	SUPDRV_FUNCTION_PRINTF,
	SUPDRV_FUNCTION_MEM_ALLOC,
	SUPDRV_FUNCTION_MEM_ALLOC_Z,
	SUPDRV_FUNCTION_MEM_FREE,
	SUPDRV_FUNCTION_MUTEX_CREATE,
	SUPDRV_FUNCTION_MUTEX_DESTROY,
	SUPDRV_FUNCTION_MUTEX_REQUEST,
	SUPDRV_FUNCTION_MUTEX_RELEASE,
	SUPDRV_FUNCTION_SPINLOCK_CREATE,
	SUPDRV_FUNCTION_SPINLOCK_DESTROY,
	SUPDRV_FUNCTION_SPINLOCK_ACQUIRE,
	SUPDRV_FUNCTION_SPINLOCK_RELEASE,
	SUPDRV_FUNCTION_THREAD_SELF,
	SUPDRV_FUNCTION_THREAD_SLEEP,
	SUPDRV_FUNCTION_THREAD_YIELD,
	SUPDRV_FUNCTION_COUNT
};

typedef int32_t supdrv_vmmr0_entry(uintptr_t vm, uint32_t operation, void *argument);

struct supdrv_device {
	struct supdrv_lock lock; /* guards everything that changes after load */
	struct supdrv_session *sessions;
	uint64_t counters[SUPDRV_COUNTER_COUNT];
	supdrv_vmmr0_entry *vmmr0; /* NULL while no image has registered one */
	uint32_t cookie;
	uint32_t extra_count;
	const struct supdrv_request *extra;
	uintptr_t functions[SUPDRV_FUNCTION_COUNT];
};

struct supdrv_session {
	struct supdrv_device *device;
	struct supdrv_session *next;
	struct supdrv_session **link; /* what points at this session */
	struct supdrv_lock lock;      /* guards vm */
	uintptr_t vm;		      /* for fast requests; only a number, never dereferenced */
	uintptr_t token;
	uint32_t cookie;
	void *os;
};

/* The device's lock must be held. */
void supdrv_counter_add(struct supdrv_device *device, enum supdrv_counter counter, int64_t change);

/* A random value for a client to hold in place of a kernel address. Never NULL. */
uintptr_t supdrv_token_make(void);

void supdrv_functions_init(struct supdrv_device *device);

/* A pure function of what the CPU says. */
SUPPAGINGMODE supdrv_paging_mode(const struct supdrv_paging *paging);

supdrv_handler supdrv_cookie_negotiate;
supdrv_handler supdrv_functions_query;
supdrv_handler supdrv_idt_install;
supdrv_handler supdrv_idt_remove;
supdrv_handler supdrv_paging_query;
supdrv_handler supdrv_fast_set_vm;

#endif
