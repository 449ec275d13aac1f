/* SPDX-License-Identifier: MIT */
/* Requests to the driver: its normal form with an argument block, and any number with any pointer.
 */
#include "request.h"

#include <string.h>

#define SCRATCH_SIZE (64u * 1024)

bool guarded_make(struct guarded *g, size_t capacity)
{
	uint64_t page = os_page_size();
	uint64_t middle = (capacity + page - 1) & ~(page - 1);

	*g = (struct guarded){.total = middle + 2 * page, .capacity = capacity};
	if (os_map(0, g->total, 0, 0, &g->base) != 0) {
		g->total = 0;
		return false;
	}
	if (os_protect(g->base + page, middle, MEM_READABLE | MEM_WRITABLE) != 0) {
		guarded_drop(g);
		return false;
	}
	g->end = (uint8_t *)(uintptr_t)(g->base + page + middle);
	return true;
}

void guarded_drop(struct guarded *g)
{
	if (g->total)
		os_unmap(g->base, g->total);
	*g = (struct guarded){0};
}

bool scratch_make(struct scratch *s)
{
	if (s->in.total)
		return true;
	if (guarded_make(&s->in, SCRATCH_SIZE) && guarded_make(&s->out, SCRATCH_SIZE) &&
	    guarded_make(&s->block, os_page_size()))
		return true;
	scratch_drop(s);
	return false;
}

void scratch_drop(struct scratch *s)
{
	guarded_drop(&s->in);
	guarded_drop(&s->out);
	guarded_drop(&s->block);
}

static uint8_t *buffer_place(const struct guarded *small, struct guarded *big, size_t size)
{
	if (size <= small->capacity)
		return small->end - size;
	return guarded_make(big, size) ? big->end - size : NULL;
}

void call_refresh(struct call *c)
{
	if (c->in && c->in_length)
		memcpy(c->in, c->in_data, c->in_length);
}

static uint32_t call_place(struct call *c, struct scratch *s)
{
	size_t in_size = c->in_length;

	if (c->flags & REQ_NO_ARG)
		return ST_OK;
	if ((c->flags & REQ_OVERLAY) && c->out_length > in_size)
		in_size = c->out_length;
	if (!(c->flags & REQ_IN_PTR)) {
		c->in = buffer_place(&s->in, &c->big_in, in_size);
		if (!c->in)
			return ST_NO_MEMORY;
		c->os.in = c->in;
	}
	if (c->flags & REQ_OVERLAY) {
		c->out = c->in;
		c->os.out = c->in;
	} else if (!(c->flags & REQ_OUT_PTR)) {
		c->out = buffer_place(&s->out, &c->big_out, c->out_length);
		if (!c->out)
			return ST_NO_MEMORY;
		c->os.out = c->out;
	}
	if (c->out)
		memset(c->out, c->fill, c->flags & REQ_OVERLAY ? in_size : c->out_length);
	call_refresh(c);
	c->os.block_end = s->block.end;
	return ST_OK;
}

static uint32_t call_read_request(struct call *c, struct reader *in, struct scratch *s)
{
	uint32_t number = get_u32(in);
	uint64_t in_pointer, out_pointer;

	c->os.number = number;
	c->os.category = get_u32(in);
	c->flags = get_u32(in);
	c->os.in_length = get_u64(in);
	c->os.out_length = get_u64(in);
	in_pointer = get_u64(in);
	out_pointer = get_u64(in);
	c->out_length = get_u32(in);
	c->fill = get_u8(in);
	get_bytes(in, 3);
	c->in_data = get_blob(in, &c->in_length);
	if (!reader_done(in))
		return ST_BAD_PAYLOAD;
	if (c->out_length > BUFFER_MAX || c->in_length > BUFFER_MAX)
		return ST_TOO_LONG;
	if ((c->flags & ~REQ_FLAGS) || !address_fits(in_pointer) || !address_fits(out_pointer) ||
	    c->os.in_length > os_request_max_length() ||
	    c->os.out_length > os_request_max_length() ||
	    ((c->flags & REQ_OVERLAY) && (c->flags & (REQ_IN_PTR | REQ_OUT_PTR))))
		return ST_BAD_VALUE;
	if (c->flags & (REQ_OVERLAPPED | REQ_CANCEL) && !os_overlaps)
		return ST_UNSUPPORTED;
	c->os.overlapped = c->flags & (REQ_OVERLAPPED | REQ_CANCEL);
	c->os.cancelled = c->flags & REQ_CANCEL;
	c->os.in = (void *)(uintptr_t)in_pointer;
	c->os.out = (void *)(uintptr_t)out_pointer;
	c->issue = c->flags & REQ_NO_ARG ? os_request_fast : os_request_normal;
	return call_place(c, s);
}

static uint32_t call_read_raw(struct call *c, struct reader *in)
{
	c->os.number = get_u64(in);
	c->os.arg = get_u64(in);
	if (!reader_done(in))
		return ST_BAD_PAYLOAD;
	if (!address_fits(c->os.number) || !address_fits(c->os.arg))
		return ST_BAD_VALUE;
	c->issue = os_request_raw;
	return ST_OK;
}

uint32_t call_prepare(struct call *c, uint16_t op, struct reader *in, struct scratch *s)
{
	uint32_t handle = get_u32(in), status;

	*c = (struct call){.os.handle = handle_get(handle)};
	if (op != OP_REQUEST && op != OP_IOCTL_RAW)
		return ST_UNSUPPORTED;
	if (!scratch_make(s))
		return ST_NO_MEMORY;
	status = op == OP_REQUEST ? call_read_request(c, in, s) : call_read_raw(c, in);
	if (status == ST_OK && c->os.handle == OS_NO_HANDLE)
		return ST_NO_HANDLE;
	return status;
}

void call_drop(struct call *c)
{
	guarded_drop(&c->big_in);
	guarded_drop(&c->big_out);
}

static struct scratch request_scratch;

struct outcome op_request(struct agent *a, struct reader *in, struct reply *out)
{
	struct call c;
	uint32_t status = call_prepare(&c, OP_REQUEST, in, &request_scratch);

	(void)a;
	if (status == ST_OK) {
		uint32_t in_back = c.flags & REQ_RETURN_IN && c.in ? c.in_length : 0;
		size_t length = 16 + 64 + 12 + (size_t)c.out_length + in_back;
		uint8_t *room =
		    put_space(out, length); /* first, so that the call is not made in vain */

		if (room) {
			out->length -= length;
			c.issue(&c.os);
			put_u64(out, (uint64_t)c.os.result);
			put_u32(out, c.os.returned);
			put_blob(out, c.os.block, c.os.block_length);
			put_blob(out, c.out, c.out ? c.out_length : 0);
			put_blob(out, c.in, in_back);
		}
	}
	call_drop(&c);
	return (struct outcome){status, status == ST_OK ? c.os.error : 0};
}

struct outcome op_ioctl_raw(struct agent *a, struct reader *in, struct reply *out)
{
	struct call c;
	uint32_t status = call_prepare(&c, OP_IOCTL_RAW, in, &request_scratch);

	(void)a;
	if (status == ST_OK) {
		c.issue(&c.os);
		put_u64(out, (uint64_t)c.os.result);
	}
	call_drop(&c);
	return (struct outcome){status, status == ST_OK ? c.os.error : 0};
}

struct outcome op_ioctl_packets(struct agent *a, struct reader *in, struct reply *out)
{
	struct os_packets p = {.handle = handle_get(get_u32(in))};

	(void)a;
	p.category = get_u16(in);
	p.function = get_u16(in);
	p.parameters = get_u32(in);
	p.parameters_length = get_u32(in);
	p.data = get_u32(in);
	p.data_length = get_u32(in);
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (p.handle == OS_NO_HANDLE)
		return refused(ST_NO_HANDLE);
	os_request_packets(&p);
	put_u32(out, p.parameters_length);
	put_u32(out, p.data_length);
	return (struct outcome){ST_OK, p.error};
}
