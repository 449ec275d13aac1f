/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The slow requests and the fields of their inputs. */
#ifndef FUZZ_FORMS_H
#define FUZZ_FORMS_H

#include "host.h"

enum form_name {
	FORM_COOKIE,
	FORM_QUERY_FUNCS,
	FORM_IDT_INSTALL,
	FORM_IDT_REMOVE,
	FORM_PINPAGES,
	FORM_UNPINPAGES,
	FORM_CONT_ALLOC,
	FORM_CONT_FREE,
	FORM_LDR_OPEN,
	FORM_LDR_LOAD,
	FORM_LDR_FREE,
	FORM_LDR_GET_SYMBOL,
	FORM_CALL_VMMR0,
	FORM_GET_PAGING_MODE,
	FORM_LOW_ALLOC,
	FORM_LOW_FREE,
	FORM_GIP_MAP,
	FORM_GIP_UNMAP,
	FORM_SET_VM_FOR_FAST,
	FORM_COUNT
};

struct form {
	uint32_t number;
	uint32_t in_size;
	uint32_t out_size;
	uint32_t out_entry; /* size of the entries of a list that follow in the output, or 0 */
};

enum field_kind {
	FIELD_MAGIC,
	FIELD_VERSION,
	FIELD_NUMBER,
	FIELD_BYTES,
	FIELD_PAGE, /* the address of a page of the client's */
	FIELD_SEEN, /* what an earlier request has answered with */
	FIELD_NAME
};

struct field {
	enum form_name form;
	enum field_kind kind;
	uint32_t offset;
	uint32_t size;
	enum form_name source; /* FIELD_SEEN: the earlier request */
};

extern const struct form forms[FORM_COUNT];
extern const struct field form_fields[];
extern const uint32_t form_field_count;

#endif
