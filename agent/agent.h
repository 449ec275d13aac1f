/* SPDX-License-Identifier: MIT */
/* The agent's parts and what each offers to the others. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdatomic.h>

#include "bytes.h"
#include "frame.h"
#include "os.h"
#include "proto.h"

struct agent {
	struct os_stream stream;
	struct inbox inbox;
	struct reply reply;
	uint32_t frame_id; /* of the frame being served */
	bool is_client;	   /* serves client 0 over a socket, has no clients of its own */
	bool leaving;
	uint16_t first_op; /* what it answers before it is asked anything, 0: nothing */
	uint32_t first_id;
};

/* main.c */
int agent_serve(struct agent *a);
/* A whole frame without a body beyond `extra`. */
void agent_answer(struct agent *a, uint32_t id, uint16_t client, uint16_t op,
		  struct outcome outcome, const void *extra, size_t extra_length);

/* ops.c: one op into one reply, which is left with its status set. ST_LATER: nothing is to be sent.
 */
uint32_t op_run(struct agent *a, uint16_t op, const uint8_t *payload, size_t length,
		struct reply *out, bool in_batch);

typedef struct outcome op_handler(struct agent *a, struct reader *in, struct reply *out);
op_handler op_open, op_close, op_dup, op_handle_send, op_handle_recv; /* handles.c */
op_handler op_handle_value, op_handle_take;
op_handler op_request, op_ioctl_raw, op_ioctl_packets; /* request.c */
op_handler op_mem_alloc, op_mem_free, op_mem_protect, op_mem_read, op_mem_write, op_mem_fill,
    op_mem_map, op_mem_touch, op_mem_move;  /* memory.c */
op_handler op_mem_trap, op_mem_untrap;	    /* trap.c */
op_handler op_process_write, op_demote;	    /* process.c */
op_handler op_client_start, op_client_kill; /* clients.c */
op_handler op_batch;			    /* batch.c */
op_handler op_loop;			    /* loop.c */
op_handler op_disturb, op_close_during;	    /* disturb.c */
op_handler op_kills, op_live;		    /* kills.c */
op_handler op_exec;			    /* exec.c */
op_handler op_driver_load, op_driver_unload, op_driver_status, op_file_read, op_file_write,
    op_file_list, op_file_stat; /* files.c */

/* handles.c */
os_handle handle_get(uint32_t number); /* OS_NO_HANDLE */
uint32_t handles_close_all(void);      /* how many there were */
void handle_forget(uint32_t number);   /* it is closed already */
/* Under a number that is free; false: there is none such. */
bool handle_adopt(uint32_t number, os_handle handle);
#define HANDLES_MAX 4096u

/* memory.c */
uint32_t memory_free_all(void); /* how many regions there were */
bool address_fits(uint64_t value);
/* RESET leaves the range alone from now on. False: no memory. */
bool memory_forget(uint64_t address, uint64_t size);

/* trap.c */
void trap_drop(void);
void trap_abandon(void); /* in a fork, which has the memory without the trap */

/* exec.c: the program that EXEC starts; false: it was not called as that does. */
bool exec_resume(struct agent *a, int argc, char **argv);

/* loop.c: what runs beside the threads of a loop; started last, ended first. */
struct companion {
	uint32_t (*start)(void *arg);
	void (*end)(void *arg);
	void *arg;
	bool tally; /* the reply tells of each error how often it came */
	/* Once it is set each thread makes one call more, its last; or NULL. */
	const atomic_bool *over;
};
struct outcome loop_with(const struct companion *companion, struct reader *in, struct reply *out);

/* clients.c */
#define CLIENTS_MAX 128u
void clients_relay(struct agent *a, const struct frame *f);
unsigned clients_streams(struct os_stream **list);
bool clients_any_dying(void);
/* Moves bytes both ways and notices deaths. */
void clients_serve(struct agent *a);
/* Kills all of them; the number killed, and in *stuck how many did not die in time. */
uint32_t clients_reset(struct agent *a, uint16_t spared, uint32_t *stuck);
struct outcome clients_pass_handle(struct agent *a, uint16_t id, os_handle handle);
struct outcome clients_take_handle(uint16_t id, uint64_t value, os_handle *handle);

#endif
