/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The core's own objects and the functions its files share. Glue does not include this. */
#ifndef SUPDRV_INTERNAL_H
#define SUPDRV_INTERNAL_H

#include "supdrv_core.h"
#include "supdrv_glue.h"
#include "supdrv_ioc.h"

#include "supdrv_abi_check.h"

#define SUPDRV_PAGE_SIZE     4096u
#define SUPDRV_LOW_PAGES_MAX 256u     /* in one request */
#define SUPDRV_PIN_PAGES_MAX 0xFFFFFu /* likewise, by the width of its size */

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

struct supdrv_image;
struct supdrv_image_usage;

/* The global information page. It changes at load, at unload, and by the timer, if there is one. */
struct supdrv_gip {
	struct supdrv_pages *pages; /* NULL if there were none at load */
	SUPGLOBALINFOPAGE *page;
	struct supdrv_timer *timer; /* runs while a session uses the page */
	uintptr_t token;
};

enum supdrv_record_type { SUPDRV_RECORD_PIN, SUPDRV_RECORD_CONT, SUPDRV_RECORD_LOW };

/* One range that a session has pinned or allocated. */
struct supdrv_record {
	struct supdrv_record *next;
	uint64_t serial; /* no other record of the session ever has it */
	enum supdrv_record_type type;
	uint32_t page_count;
	uintptr_t address; /* in the client */
	uintptr_t token;   /* CONT: what stands for the kernel's address; 0 for the others */
	struct supdrv_pages *pages;
	struct supdrv_mapping *mapping;
	struct supdrv_pin *pin;
};

/* Oldest first. The numbers include records in the making, which are not in the list yet. */
struct supdrv_records {
	struct supdrv_record *first;
	struct supdrv_record **end;
	uint64_t last_serial;
	uint32_t count;
	uint32_t mapped_pages;
	uint32_t pinned_pages;
};

struct supdrv_device {
	struct supdrv_lock lock; /* guards everything that changes after load */
	struct supdrv_session *sessions;
	uint64_t counters[SUPDRV_COUNTER_COUNT];
	struct supdrv_image *images; /* those that a session has open */
	uint32_t image_bytes;	     /* of all images */
	struct supdrv_image *vmmr0;  /* the one that requests enter, or NULL */
	uint32_t cookie;
	uint32_t extra_count;
	const struct supdrv_request *extra;
	bool ring0_images;
	uintptr_t functions[SUPDRV_FUNCTION_COUNT];
	struct supdrv_gip gip;
};

struct supdrv_session {
	struct supdrv_device *device;
	struct supdrv_session *next;
	struct supdrv_session **link; /* what points at this session */
	struct supdrv_lock lock;      /* guards vm, records, gip and gip_serial */
	uintptr_t vm;		      /* for fast requests; only a number, never dereferenced */
	struct supdrv_records records;
	struct supdrv_mapping *gip; /* of the global information page; NULL without one */
	uint64_t gip_serial;	    /* tells each such mapping from all earlier ones */
	uintptr_t token;
	uint32_t cookie;
	struct supdrv_image_usage *images; /* guarded by the device's lock */
	void *os;
};

/* The device's lock must be held. */
void supdrv_counter_add(struct supdrv_device *device, enum supdrv_counter counter, int64_t change);

/* A random value for a client to hold in place of a kernel address. Never NULL. */
uintptr_t supdrv_token_make(void);
/* Another one, that only comes again after a quarter of the address space's serials. */
uintptr_t supdrv_token_derive(uintptr_t token, uint64_t serial);

void supdrv_records_init(struct supdrv_session *session);
/* Releases all that is left; nobody else uses the session any more. */
void supdrv_records_close(struct supdrv_session *session);

/* An empty record that counts against the session's quotas. SUPDRV_ERR_NO_MEMORY beyond them. */
int32_t supdrv_record_create(struct supdrv_session *session, enum supdrv_record_type type,
			     uint32_t page_count, struct supdrv_record **record);
/* Releases what the record has got so far, for one that is not in the list. */
void supdrv_record_destroy(struct supdrv_session *session, struct supdrv_record *record);
/*
 * Lets the session's requests find the record, and takes it back if the call's output does not
 * reach the client. Another thread may release it at once: the caller must not look at it again.
 */
void supdrv_record_hand_over(struct supdrv_session *session, struct supdrv_call *call,
			     struct supdrv_record *record);
/* Releases the oldest record of that type and address. SUPDRV_ERR_INVALID_PARAM if there is none.
 */
int32_t supdrv_record_release(struct supdrv_session *session, enum supdrv_record_type type,
			      uintptr_t address);

void supdrv_functions_init(struct supdrv_device *device);

/* Frees every image that the session has open, as often as it was opened. */
void supdrv_images_close(struct supdrv_session *session);

/* A pure function of what the CPU says. */
SUPPAGINGMODE supdrv_paging_mode(const struct supdrv_paging *paging);

void supdrv_gip_create(struct supdrv_device *device);
void supdrv_gip_destroy(struct supdrv_device *device);
/* GIP_UNMAP as the end of a session does it. */
void supdrv_gip_leave(struct supdrv_session *session);

/* How the page's contents change. Only one of these runs at a time on a page. */
void supdrv_gip_init(SUPGLOBALINFOPAGE *page, uint32_t hz, const struct supdrv_time *now);
void supdrv_gip_resume(SUPGLOBALINFOPAGE *page, const struct supdrv_time *now);
void supdrv_gip_update(SUPGLOBALINFOPAGE *page, const struct supdrv_time *now);
void supdrv_gip_clear(SUPGLOBALINFOPAGE *page);

supdrv_handler supdrv_cookie_negotiate;
supdrv_handler supdrv_functions_query;
supdrv_handler supdrv_idt_install;
supdrv_handler supdrv_idt_remove;
supdrv_handler supdrv_image_open;
supdrv_handler supdrv_image_load;
supdrv_handler supdrv_image_free;
supdrv_handler supdrv_image_symbol;
supdrv_handler supdrv_vmmr0_call;
supdrv_handler supdrv_paging_query;
supdrv_handler supdrv_gip_map;
supdrv_handler supdrv_gip_unmap;
supdrv_handler supdrv_fast_set_vm;
supdrv_handler supdrv_pin_pages;
supdrv_handler supdrv_pin_release;
supdrv_handler supdrv_cont_alloc;
supdrv_handler supdrv_cont_free;
supdrv_handler supdrv_low_alloc;
supdrv_handler supdrv_low_free;

#endif
