/* SPDX-License-Identifier: MIT */
/* Threads, processes and what they wait for. */
#ifndef PROCESS_H
#define PROCESS_H

#include "files.h"
#include "memory.h"

#define THREADS_MAX	   256 /* of all processes */
#define PROCESSES_MAX	   192
#define KERNEL_STACK_PAGES 4

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_DEAD };

struct hook { /* of DevHelp_AllocateCtxHook */
	struct hook *next;
	uint32_t handler;
	uint32_t value;
	bool armed;
};

struct thread {
	struct thread *next; /* of all threads */
	struct thread *queued;
	struct process *process;
	uint32_t tid;
	enum thread_state state;
	uint32_t stack; /* of the kernel: its mapping */
	uint32_t saved_esp;
	uint32_t event; /* waited for */
	uint64_t deadline;
	uint32_t woken; /* 0, WAIT_TIMED_OUT or WAIT_INTERRUPTED */
	bool interruptible;
	bool dying;
	uint32_t user_stack;
	struct frame *entered; /* what it came from ring 3 with */
};

struct process {
	struct process *next;
	struct process *parent; /* NULL: nobody will ask for it */
	uint32_t pid;
	uint32_t parent_pid;
	uint32_t threads;
	uint32_t next_tid;
	bool ending;
	bool ended; /* waits to be asked for */
	uint32_t how;
	uint32_t result;
	struct space space;
	struct handles handles;
	char name[NAME_MAX + 8];
	char *says; /* of a RUN= program: told on the console at its end */
};

extern struct thread *current;
extern struct thread *threads;
extern struct process *processes;
extern bool reschedule;

/* thread.c */
void threads_start(void);
/* Ready to run, in ring 3 from that frame on. NULL. */
struct thread *thread_make(struct process *p, const struct frame *frame);
void thread_begun(void);
/* Ends the calling thread; its process, if it is the last one. */
void thread_end(void) __attribute__((noreturn));
/* Runs another thread, or the same one again. Interrupts off. */
void schedule(void);
/* Lets others run that are ready. */
void yield(void);
/* Until wake(event), the deadline (FOREVER), or, where interruptible, the thread is to die: 0 or a
 * WAIT_ error. Interrupts off before the condition is looked at; they are off again afterwards. */
uint32_t block(uint32_t event, uint64_t deadline, bool interruptible);
/* Also at interrupt time. How many there were. */
uint32_t wake(uint32_t event);
/* At each tick. */
void threads_tick(uint64_t now);
void thread_kill(struct thread *t);
struct thread *thread_find(struct process *p, uint32_t tid);

/* hooks.c: those that are armed run before ring 3 goes on. */
struct hook *hook_make(uint32_t handler);
bool hook_drop(uint32_t hook);
bool hook_arm(uint32_t hook, uint32_t value);
void hooks_run(void);
void hooks_forget(uint32_t start, uint32_t end);

/* process.c */
struct process *process_make(struct process *parent, const char *name);
struct process *process_find(uint32_t pid);
/* All threads die as soon as they can; how and result are told to who waits. */
void process_kill(struct process *p, uint32_t how, uint32_t result);
/* The last thread is about to end, in it. */
void process_end(struct process *p);
/* It has no thread and no memory any more. */
void process_ended(struct process *p);
uint32_t process_start(struct process *parent, const char *name, const char *arguments,
		       uint32_t length, bool result_wanted, const char *says,
		       struct process **started);
uint32_t child_wait(struct process *p, uint32_t pid, bool wait, uint32_t *how, uint32_t *result,
		    uint32_t *ended);

/* program.c */
uint32_t program_load(struct process *p, const char *file, uint32_t *entry);

#endif
