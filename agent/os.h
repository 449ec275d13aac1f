/* SPDX-License-Identifier: MIT */
/*
 * What the agent asks of an operating system. One file for each OS implements it; shared files call
 * nothing else but <stdlib.h> and <string.h>. A uint32_t result is an error number of the OS, 0 for
 * success, unless said otherwise. os_enosys is returned for what the OS cannot do.
 */
#ifndef AGENT_OS_H
#define AGENT_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef intptr_t os_handle;
#define OS_NO_HANDLE ((os_handle)-1)

extern const uint32_t os_enosys;

/* Once, before anything else: signals, limits. */
void os_start(void);

struct os_facts {
	const char *os;
	uint32_t pid;
	char machine[32]; /* "amd64" or "x86": the kernel, not this program */
	char release[128];
	char version[256];
};
void os_query(struct os_facts *facts);
uint32_t os_page_size(void);
uint64_t os_clock_ns(void);
/* The time of day, since the start of 1970. */
uint64_t os_time_ns(void);
uint32_t os_set_time_ns(uint64_t ns);
void os_sleep_ms(uint32_t ms);
void os_sleep_us(uint32_t us);

/* Byte streams. */

enum os_read {
	OS_READ_DATA, /* *got > 0 */
	OS_READ_NONE, /* nothing now */
	OS_READ_GAP,  /* a port whose other side is away; what it had begun is void */
	OS_READ_END,  /* for ever */
};

struct os_stream {
	os_handle in;
	os_handle out;
	os_handle listener; /* of a port of the network */
	const char *port;   /* path of a port that survives its peer, else NULL */
	bool is_socket;	    /* between client 0 and a client: can carry handles */
	bool is_line;	    /* the port is a serial line: hung up at its end of file */
	bool away;	    /* the port's peer is away: look again soon */
	bool called;	    /* set by os_wait: the port has a new peer */
	bool want_write;    /* set by the caller of os_wait */
	bool readable;	    /* set by os_wait */
	bool writable;	    /* likewise */
	os_handle received; /* the last handle that came with the bytes */
};

/* The standard streams, made private: nothing else in the process can write to them. */
uint32_t os_stream_standard(struct os_stream *s);
/* Waits up to a minute for the port to exist. The path is kept. */
uint32_t os_stream_port(struct os_stream *s, const char *path);
/* The socket whose number stands on the command line of a client. */
uint32_t os_stream_client(struct os_stream *s, const char *number);
void os_stream_close(struct os_stream *s);
/* timeout_ms < 0 waits for ever. */
void os_wait(struct os_stream **streams, unsigned count, int timeout_ms);
enum os_read os_stream_read(struct os_stream *s, void *to, size_t room, size_t *got);
/* All of it, waiting as long as it takes. */
uint32_t os_stream_write(struct os_stream *s, const void *from, size_t n);
/* As much as fits at once, *sent may be 0. `pass` (or OS_NO_HANDLE) travels with the first byte. */
uint32_t os_stream_offer(struct os_stream *s, const void *from, size_t n, os_handle pass,
			 size_t *sent);

/* Files and devices. */

/* A handle goes to a client if that is started after it was opened, for it. */
extern const bool os_opens_for_children;
/* Whether a handle can be one whose requests go on while their caller does something else. */
extern const bool os_overlaps;
uint32_t os_open(const char *path, uint32_t flags, os_handle *handle);
void os_close(os_handle handle);
uint32_t os_dup(os_handle handle, os_handle *copy);
/* Up to `length` bytes into `to`; *got < length at the end of the file. */
uint32_t os_file_read(const char *path, uint64_t offset, void *to, uint32_t length, uint32_t *got);
uint32_t os_file_write(const char *path, uint64_t offset, const void *from, uint32_t length,
		       uint32_t flags, uint32_t mode, uint32_t *written);

/* Calls `each` with every name in a directory, until it answers false. */
uint32_t os_file_list(const char *path, bool (*each)(void *to, const char *name), void *to);

struct os_file_facts {
	uint32_t mode; /* as in POSIX, type included */
	uint32_t user;
	uint32_t group;
	uint64_t size;
};
uint32_t os_file_stat(const char *path, struct os_file_facts *facts);

/* The driver. */

uint32_t os_driver_load(const char *path, const char *params);
uint32_t os_driver_unload(const char *name);

struct os_driver {
	bool loaded;
	int32_t references; /* -1: not known */
	uint8_t build_id[64];
	uint32_t build_id_length;
};
uint32_t os_driver_status(const char *name, struct os_driver *driver);

struct os_request {
	os_handle handle;
	uint32_t category; /* OS/2 */
	uint64_t number;
	uint64_t arg; /* os_request_raw only */
	void *in;
	void *out;
	uint64_t in_length; /* as claimed */
	uint64_t out_length;
	bool overlapped;    /* begun, then waited for; only where os_overlaps */
	bool cancelled;	    /* in between */
	uint8_t *block_end; /* page end in front of a guard page: the argument block is put there */

	uint8_t *block; /* results from here on; block is NULL where the OS has none */
	uint32_t block_length;
	int64_t result;
	uint32_t error;
	uint32_t returned; /* bytes, UINT32_MAX where the OS does not tell */
};
/* The largest claimed length the native call can express. */
uint64_t os_request_max_length(void);
void os_request_normal(struct os_request *r);
void os_request_fast(struct os_request *r);
void os_request_raw(struct os_request *r);

/* A request as OS/2 has them: two packets, at any addresses. */
struct os_packets {
	os_handle handle;
	uint16_t category;
	uint16_t function;
	uint32_t parameters;
	uint32_t data;
	uint32_t parameters_length; /* what they are afterwards, too */
	uint32_t data_length;
	uint32_t error;
};
void os_request_packets(struct os_packets *p);

/* Memory of this process. Addresses and lengths may be any value: the OS judges them. */

uint32_t os_map(uint64_t hint, uint64_t length, uint32_t prot, uint32_t flags, uint64_t *address);
uint32_t os_map_handle(os_handle handle, uint64_t length, uint32_t prot, bool copy, uint64_t offset,
		       uint64_t *address);
uint32_t os_unmap(uint64_t address, uint64_t length);
uint32_t os_protect(uint64_t address, uint64_t length, uint32_t prot);
/* To an address that the OS chooses; nothing is left at the old one. */
uint32_t os_move(uint64_t address, uint64_t length, uint64_t *to);
/* Never fault: a bad address is an error. */
uint32_t os_peek(uint64_t address, void *to, size_t length);
uint32_t os_poke(uint64_t address, const void *from, size_t length);

/*
 * Whoever first touches that page from now on, the kernel for a request too, waits until `react`
 * has returned; then the page is what it was. `react` must not touch it.
 */
typedef struct os_trap os_trap;
uint32_t os_trap_set(uint64_t page, void (*react)(void *), void *arg, os_trap **trap);
/* Whether it was touched; the page is what it was in any case. */
bool os_trap_clear(os_trap *trap);
/* In a fork of the process that set it. */
void os_trap_abandon(os_trap *trap);

/* Clients. */

/* Starting one takes so long that one with nothing to do is kept for the next start. */
extern const bool os_process_is_dear;

struct os_process {
	uint32_t pid;
	struct os_stream stream;
};
struct os_exit {
	uint8_t how; /* EXIT_CODE or EXIT_SIGNAL */
	uint32_t code;
};
/*
 * program "": a fork of this process where the OS has one (then *in_child is true on its side and
 * p->stream is its end), else a fresh copy of it. Otherwise PROGRAM --client NUMBER. The child dies
 * with this process.
 */
uint32_t os_process_start(const char *program, bool inherit, struct os_process *p, bool *in_child);
void os_process_kill(const struct os_process *p);
/* True once it is dead and reaped. */
bool os_process_ended(const struct os_process *p, struct os_exit *how);
/* Waits until then. */
void os_process_await(const struct os_process *p, struct os_exit *how);
/* Prepares a handle for p; the token is sent along, the other side makes a handle of it. */
uint32_t os_handle_export(const struct os_process *p, os_handle handle, uint64_t *token);
os_handle os_handle_import(struct os_stream *s, uint64_t token);
/* Another handle of what p has open as that value. */
uint32_t os_handle_take(const struct os_process *p, uint64_t value, os_handle *handle);

/* In place of this program, in the same process; "": the same one anew. Those handles stay open.
 * Returns only if that fails. */
uint32_t os_exec(const char *program, const os_handle *kept, uint32_t count, char **arguments);
/* In that program: such a handle, from here on like any other. */
uint32_t os_handle_resume(os_handle handle);

/* Memory of any process, written as its owner could not: with the kernel's copy between processes,
 * or as a debugger does it, one word at most. */
uint32_t os_process_copy(uint32_t pid, uint64_t address, const void *from, size_t length);
uint32_t os_process_debug(uint32_t pid, uint64_t address, const void *from, size_t length);

/* For good: this process goes on as that user, without privileges, and may lock so many bytes. */
uint32_t os_demote(uint32_t user, uint64_t lockable);

/* Threads of the timing loop. */

typedef struct os_thread os_thread;
uint32_t os_thread_start(void (*run)(void *), void *arg, os_thread **thread);
void os_thread_join(os_thread *thread);

#endif
