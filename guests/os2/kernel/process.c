/* SPDX-License-Identifier: MIT */
/* Processes: from start to the moment that nobody asks for them any more. */
#include "process.h"

#define TC_EXIT	      0
#define STACK_SIZE    0x100000u
#define FLAGS_DEFAULT 0x202 /* interrupts on */

struct process *processes;
static uint32_t last_pid, process_count;

struct process *process_find(uint32_t pid)
{
	struct process *p = processes;

	while (p && p->pid != pid)
		p = p->next;
	return p;
}

static void process_drop(struct process *p)
{
	struct process **slot = &processes;

	while (*slot != p)
		slot = &(*slot)->next;
	*slot = p->next;
	process_count--;
	heap_drop(p->says);
	heap_drop(p);
}

static uint32_t next_pid(void)
{
	do
		last_pid = last_pid % 0x7FFF + 1;
	while (process_find(last_pid));
	return last_pid;
}

struct process *process_make(struct process *parent, const char *name)
{
	struct process *p = process_count < PROCESSES_MAX ? heap_take_zeroed(sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	if (!space_make(&p->space) ||
	    !handles_make(&p->handles, parent ? &parent->handles : NULL)) {
		space_end(&p->space);
		heap_drop(p);
		return NULL;
	}
	p->parent = parent;
	p->parent_pid = parent ? parent->pid : 0;
	p->pid = next_pid();
	format(p->name, sizeof(p->name), "%s", name);
	p->next = processes;
	processes = p;
	process_count++;
	return p;
}

void process_kill(struct process *p, uint32_t how, uint32_t result)
{
	if (!p->ending) {
		p->ending = true;
		p->how = how;
		p->result = result;
	}
	for (struct thread *t = threads; t; t = t->next)
		if (t->process == p)
			thread_kill(t);
}

void process_end(struct process *p)
{
	p->ending = true;
	handles_end(&p->handles);
	for (struct process *child = processes, *next; child; child = next) {
		next = child->next;
		if (child->parent != p)
			continue;
		child->parent = NULL;
		if (child->ended)
			process_drop(child);
	}
	if (p->says)
		print("%s, status %u\n", p->says, p->how << 8 | p->result);
}

void process_ended(struct process *p)
{
	p->ended = true;
	wake((uint32_t)p->parent);
	if (!p->parent)
		process_drop(p);
}

uint32_t child_wait(struct process *p, uint32_t pid, bool wait, uint32_t *how, uint32_t *result,
		    uint32_t *ended)
{
	uint32_t flags = interrupts_off(), error = ERROR_WAIT_NO_CHILDREN;

	for (;;) {
		struct process *child = processes, *found = NULL;

		for (; child && !(found && found->ended); child = child->next)
			if (child->parent == p && (pid == 0 || child->pid == pid))
				found = child;
		error = !found	       ? ERROR_WAIT_NO_CHILDREN
			: found->ended ? NO_ERROR
				       : ERROR_CHILD_NOT_COMPLETE;
		if (!error) {
			*how = found->how;
			*result = found->result;
			*ended = found->pid;
			process_drop(found);
		}
		if (error != ERROR_CHILD_NOT_COMPLETE || !wait)
			break;
		if (block((uint32_t)p, FOREVER, true)) {
			error = ERROR_INTERRUPT;
			break;
		}
	}
	interrupts_restore(flags);
	return error;
}

/* The stack of a program as it starts: return address (none), module, 0, environment, command line.
 */
static bool stack_make(struct process *p, const char *arguments, uint32_t length, uint32_t *esp)
{
	static const char environment[2];
	uint32_t start = region_make(&p->space, 0, STACK_SIZE + PAGE_SIZE, REGION_STACK);
	uint32_t top = start + STACK_SIZE + PAGE_SIZE, line = top - ((length + 16) & ~3u), done;
	uint32_t words[5] = {0, p->pid, 0, line - 4, line};

	/* The lowest page is not committed: a stack that overflows ends the process. */
	if (!start || length > STACK_SIZE / 2 ||
	    !pages_commit(&p->space, start + PAGE_SIZE, STACK_SIZE, PTE_READ | PTE_WRITE | PTE_NX))
		return false;
	*esp = (line - 4 - sizeof(words)) & ~15u;
	return space_write(&p->space, line, arguments, length, &done) &&
	       space_write(&p->space, line - 4, environment, sizeof(environment), &done) &&
	       space_write(&p->space, *esp, words, sizeof(words), &done);
}

static uint32_t fill(struct process *p, const char *name, const char *arguments, uint32_t length)
{
	struct frame frame = {0};
	uint32_t error = program_load(p, name, &frame.eip);

	if (error)
		return error;
	if (!stack_make(p, arguments, length, &frame.esp))
		return ERROR_NOT_ENOUGH_MEMORY;
	frame.ds = frame.es = frame.ss = USER_DATA;
	frame.cs = USER_CODE;
	frame.eflags = FLAGS_DEFAULT;
	return thread_make(p, &frame) ? NO_ERROR : ERROR_MAX_THRDS_REACHED;
}

uint32_t process_start(struct process *parent, const char *name, const char *arguments,
		       uint32_t length, bool result_wanted, const char *says,
		       struct process **started)
{
	struct process *p = process_make(parent, name);
	uint32_t error;

	if (!p)
		return ERROR_NO_PROC_SLOTS;
	error = fill(p, name, arguments, length);
	if (error) {
		handles_end(&p->handles);
		space_end(&p->space);
		process_drop(p);
		return error;
	}
	if (!result_wanted)
		p->parent = NULL;
	if (says) {
		p->says = heap_take(strlen(says) + 1);
		if (p->says)
			memcpy(p->says, says, strlen(says) + 1);
	}
	*started = p;
	return NO_ERROR;
}
