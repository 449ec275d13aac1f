/* SPDX-License-Identifier: MIT */
/* What handles stand for, and the names of it all. */
#ifndef FILES_H
#define FILES_H

#include "memory.h"

#define HANDLES_MAX   4096
#define HANDLES_FIRST 64
#define NAME_MAX      64

struct process;
struct open_file;

/* A function that is NULL is ERROR_INVALID_FUNCTION. Buffers are the kernel's, but for `transfer`.
 */
struct file_calls {
	/* read or write with the caller's own address, in place of the two that follow */
	uint32_t (*transfer)(struct open_file *f, bool write, uint32_t address, uint32_t length,
			     uint32_t *done);
	uint32_t (*read)(struct open_file *f, void *to, uint32_t length, uint32_t *done);
	/* wait false: as much as goes at once */
	uint32_t (*write)(struct open_file *f, const void *from, uint32_t length, bool wait,
			  uint32_t *done);
	uint32_t (*ready)(struct open_file *f, uint32_t wanted); /* NULL: always */
	uint32_t (*seek)(struct open_file *f, int32_t offset, uint32_t method, uint32_t *position);
	uint32_t (*resize)(struct open_file *f, uint32_t size);
	uint32_t (*control)(struct open_file *f, uint32_t category, uint32_t function,
			    uint32_t parameters, uint32_t *parameters_length, uint32_t data,
			    uint32_t *data_length);
	void (*close)(struct open_file *f);
};

struct open_file {
	const struct file_calls *calls;
	void *object;
	uint32_t users;
	uint32_t position;
	uint32_t mode;	 /* OPEN_ACCESS_ */
	uint16_t number; /* system file number, of devices */
};

struct handle {
	struct open_file *file;
	bool private; /* not inherited */
};

struct handles {
	struct handle *list;
	uint32_t room;
};

/* handles.c */
bool handles_make(struct handles *h, const struct handles *inherited);
void handles_end(struct handles *h);
struct open_file *handle_file(struct handles *h, uint32_t handle);
/* wanted UINT32_MAX: the lowest free one. Takes over the user. */
uint32_t handle_make(struct handles *h, struct open_file *file, uint32_t wanted, uint32_t *handle);
uint32_t handle_close(struct handles *h, uint32_t handle);
struct open_file *file_make(const struct file_calls *calls, void *object, uint32_t mode);
void file_drop(struct open_file *file);

/* normal_names.c: in capitals, with \, without drive and \ in front; false: too long. */
bool name_normal(char to[NAME_MAX], const char *name);
/* names.c */
uint32_t name_open(const char *name, uint32_t open_flags, uint32_t mode, struct open_file **file,
		   uint32_t *action);

/* memory_files.c */
struct memory_file {
	struct memory_file *next; /* by name */
	char name[NAME_MAX];
	uint8_t *bytes;
	uint32_t size;
	uint32_t room;	/* 0: the bytes are in the boot archive */
	uint32_t users; /* opens, programs; one for the name */
};
extern const struct file_calls memory_file_calls;
struct memory_file *memory_file_find(const char *normal);
struct memory_file *memory_file_make(const char *normal);
uint32_t memory_file_resize(struct memory_file *file, uint32_t size);
void memory_file_remove(struct memory_file *file);
void memory_file_drop(struct memory_file *file);
/* The name after that one, in order. NULL. */
const struct memory_file *memory_file_after(const char *normal);
/* Archives of the form "newc" of cpio, one behind the other. */
void archive_read(const uint8_t *at, const uint8_t *end);

/* pipes.c */
uint32_t pipe_make(uint32_t size, struct open_file **read, struct open_file **write);

/* ports.c */
void ports_start(void);
/* COM2, COM3, and the console: CON, COM1. NULL: no such port */
struct open_file *port_open(const char *normal);

/* virtio_ports.c */
void virtio_ports_start(void);
/* A port of that name; NULL. */
struct open_file *virtio_port_open(const char *normal);

/* report.c: files that tell of the kernel. 0, ERROR_FILE_NOT_FOUND, ERROR_NOT_ENOUGH_MEMORY. */
uint32_t report_open(const char *name, struct open_file **file);

/* ring.c: bytes between an interrupt and a reader, or two processes */
struct ring {
	uint8_t *bytes;
	uint32_t size; /* a power of two */
	uint32_t in, out;
};
static inline uint32_t ring_used(const struct ring *r)
{
	return r->in - r->out;
}
static inline uint32_t ring_room(const struct ring *r)
{
	return r->size - ring_used(r);
}
uint32_t ring_put(struct ring *r, const void *from, uint32_t length);
uint32_t ring_take(struct ring *r, void *to, uint32_t length);

#define READY_READ  1
#define READY_WRITE 2
/* Something may be ready now. Also at interrupt time. */
void ready_changed(void);
/* The event that ready_changed() wakes. */
extern uint32_t ready_event;

#endif
