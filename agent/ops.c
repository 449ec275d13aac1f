/* SPDX-License-Identifier: MIT */
/* The table of ops, and those about the agent itself. */
#include "agent.h"

#ifndef AGENT_BUILD_ID
#define AGENT_BUILD_ID "dev"
#endif

#if UINTPTR_MAX == UINT32_MAX
#define AGENT_ARCH "x86"
#else
#define AGENT_ARCH "amd64"
#endif

static struct outcome op_hello(struct agent *a, struct reader *in, struct reply *out)
{
	static struct os_facts facts;

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	os_query(&facts);
	put_u16(out, PROTO_VERSION);
	put_u16(out, 8 * sizeof(void *));
	put_u32(out, facts.pid);
	put_u32(out, os_page_size());
	put_string(out, facts.os);
	put_string(out, AGENT_ARCH);
	put_string(out, facts.machine);
	put_string(out, facts.release);
	put_string(out, facts.version);
	put_string(out, AGENT_BUILD_ID);
	return done();
}

static struct outcome op_ping(struct agent *a, struct reader *in, struct reply *out)
{
	(void)a;
	put_bytes(out, in->at, in->left);
	return done();
}

static struct outcome op_exit(struct agent *a, struct reader *in, struct reply *out)
{
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	a->leaving = true;
	return done();
}

static struct outcome op_reset(struct agent *a, struct reader *in, struct reply *out)
{
	uint32_t clients = 0, stuck = 0;
	uint16_t spared = get_u16(in);

	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!a->is_client)
		clients = clients_reset(a, spared, &stuck);
	trap_drop();
	put_u32(out, clients);
	put_u32(out, handles_close_all());
	put_u32(out, memory_free_all());
	put_u32(out, stuck);
	return done();
}

static struct outcome op_sleep(struct agent *a, struct reader *in, struct reply *out)
{
	uint32_t ms = get_u32(in);

	(void)a;
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	os_sleep_ms(ms);
	return done();
}

static struct outcome op_clock(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t wanted = get_u64(in);
	uint32_t error = 0;

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (wanted != 0)
		error = os_set_time_ns(wanted);
	put_u64(out, os_time_ns());
	return os_outcome(error);
}

#define ALONE	 1u /* not inside a batch */
#define CLIENT_0 2u /* not in a client */
#define INTERNAL 4u /* only from client 0 to a client */

static const struct op_entry {
	uint16_t op;
	uint16_t rules;
	op_handler *run;
} op_table[] = {
    {OP_HELLO, 0, op_hello},
    {OP_PING, 0, op_ping},
    {OP_EXIT, ALONE, op_exit},
    {OP_RESET, ALONE, op_reset},
    {OP_SLEEP, 0, op_sleep},
    {OP_BATCH, ALONE, op_batch},
    {OP_LOOP, 0, op_loop},
    {OP_CLOCK, 0, op_clock},
    {OP_DRIVER_LOAD, 0, op_driver_load},
    {OP_DRIVER_UNLOAD, 0, op_driver_unload},
    {OP_DRIVER_STATUS, 0, op_driver_status},
    {OP_OPEN, 0, op_open},
    {OP_CLOSE, 0, op_close},
    {OP_DUP, 0, op_dup},
    {OP_HANDLE_SEND, ALONE | CLIENT_0, op_handle_send},
    {OP_HANDLE_VALUE, 0, op_handle_value},
    {OP_HANDLE_TAKE, ALONE | CLIENT_0, op_handle_take},
    {OP_HANDLE_RECV, ALONE | INTERNAL, op_handle_recv},
    {OP_REQUEST, 0, op_request},
    {OP_IOCTL_RAW, 0, op_ioctl_raw},
    {OP_IOCTL_PACKETS, 0, op_ioctl_packets},
    {OP_MEM_ALLOC, 0, op_mem_alloc},
    {OP_MEM_FREE, 0, op_mem_free},
    {OP_MEM_PROTECT, 0, op_mem_protect},
    {OP_MEM_READ, 0, op_mem_read},
    {OP_MEM_WRITE, 0, op_mem_write},
    {OP_MEM_FILL, 0, op_mem_fill},
    {OP_MEM_MAP, 0, op_mem_map},
    {OP_MEM_TOUCH, 0, op_mem_touch},
    {OP_MEM_MOVE, 0, op_mem_move},
    {OP_MEM_TRAP, 0, op_mem_trap},
    {OP_MEM_UNTRAP, 0, op_mem_untrap},
    {OP_FILE_READ, 0, op_file_read},
    {OP_FILE_WRITE, 0, op_file_write},
    {OP_FILE_LIST, 0, op_file_list},
    {OP_FILE_STAT, 0, op_file_stat},
    {OP_CLIENT_START, ALONE | CLIENT_0, op_client_start},
    {OP_CLIENT_KILL, ALONE | CLIENT_0, op_client_kill},
    {OP_DISTURB, 0, op_disturb},
    {OP_CLOSE_DURING, 0, op_close_during},
    {OP_PROCESS_WRITE, 0, op_process_write},
    {OP_DEMOTE, 0, op_demote},
    {OP_EXEC, ALONE, op_exec},
    {OP_KILLS, 0, op_kills},
    {OP_LIVE, 0, op_live},
};

/* A batch asks for the same op thousands of times. */
static const struct op_entry *op_find(uint16_t op)
{
	static const struct op_entry *last = op_table;

	if (last->op == op)
		return last;
	for (size_t i = 0; i < sizeof(op_table) / sizeof(op_table[0]); i++) {
		if (op_table[i].op == op) {
			last = &op_table[i];
			return last;
		}
	}
	return NULL;
}

uint32_t op_run(struct agent *a, uint16_t op, const uint8_t *payload, size_t length,
		struct reply *out, bool in_batch)
{
	const struct op_entry *entry = op_find(op);
	struct reader in = {.at = payload, .left = length};
	struct outcome outcome;

	reply_begin(out);
	if (!entry || ((entry->rules & INTERNAL) && !a->is_client))
		outcome = refused(ST_BAD_OP);
	else if (((entry->rules & ALONE) && in_batch) ||
		 ((entry->rules & CLIENT_0) && a->is_client))
		outcome = refused(ST_UNSUPPORTED);
	else
		outcome = entry->run(a, &in, out);
	if (outcome.status == ST_LATER)
		return ST_LATER;
	reply_end(out, outcome);
	return load_u32(out->bytes.data + out->base);
}
