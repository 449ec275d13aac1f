/* SPDX-License-Identifier: MIT */
/* Threads: one processor, taken away in ring 3 only, in turn. */
#include "process.h"

struct thread *current;
struct thread *threads;
bool reschedule;

static struct thread boot_thread;
static struct thread *queue_first, *queue_last;
static struct thread *buried; /* its stack was at work until just now */
static uint32_t thread_count;

static void enqueue(struct thread *t, bool first)
{
	t->state = THREAD_READY;
	if (first) {
		t->queued = queue_first;
		queue_first = t;
		if (!queue_last)
			queue_last = t;
	} else {
		t->queued = NULL;
		*(queue_last ? &queue_last->queued : &queue_first) = t;
		queue_last = t;
	}
}

static struct thread *dequeue(void)
{
	struct thread *t = queue_first;

	if (t) {
		queue_first = t->queued;
		if (!queue_first)
			queue_last = NULL;
	}
	return t;
}

void threads_start(void)
{
	boot_thread.state = THREAD_RUNNING;
	current = &boot_thread;
}

static uint32_t stack_top(const struct thread *t)
{
	return t->stack + KERNEL_STACK_PAGES * PAGE_SIZE;
}

struct thread *thread_make(struct process *p, const struct frame *frame)
{
	struct thread *t = thread_count < THREADS_MAX ? heap_take_zeroed(sizeof(*t)) : NULL;
	uint32_t *top, flags;

	if (!t)
		return NULL;
	t->stack = map_memory(KERNEL_STACK_PAGES);
	if (!t->stack) {
		heap_drop(t);
		return NULL;
	}
	memset((void *)t->stack, 0, KERNEL_STACK_PAGES * PAGE_SIZE);
	t->process = p;
	t->tid = ++p->next_tid;
	p->threads++;
	thread_count++;
	top = (uint32_t *)(stack_top(t) - sizeof(*frame));
	*(struct frame *)top = *frame;
	t->entered = (struct frame *)top;
	*--top = (uint32_t)thread_first;
	top -= 4; /* registers of switch_stacks */
	memset(top, 0, 16);
	t->saved_esp = (uint32_t)top;
	flags = interrupts_off();
	t->next = threads;
	threads = t;
	enqueue(t, false);
	interrupts_restore(flags);
	return t;
}

static void bury(void)
{
	struct thread *dead = buried;

	buried = NULL;
	if (!dead)
		return;
	map_memory_drop(dead->stack);
	heap_drop(dead);
}

void thread_begun(void)
{
	bury();
	user_return(current->entered);
}

static void run(struct thread *next)
{
	struct thread *before = current;
	uint32_t pdpt = next->process ? physical_of(next->process->space.pdpt) : kernel_pdpt, now;

	next->state = THREAD_RUNNING;
	if (next == before)
		return;
	current = next;
	if (next->stack)
		kernel_stack_set(stack_top(next));
	__asm__ volatile("mov %%cr3, %0" : "=r"(now));
	if (now != pdpt)
		__asm__ volatile("mov %0, %%cr3" ::"r"(pdpt) : "memory");
	switch_stacks(&before->saved_esp, next->saved_esp);
	bury();
}

/* The next thread, waiting for one with interrupts on; nothing of it runs at interrupt time. */
void schedule(void)
{
	struct thread *next;

	reschedule = false;
	if (current->state == THREAD_RUNNING)
		enqueue(current, false);
	while (!(next = dequeue())) {
		__asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
		hooks_run();
	}
	run(next);
}

void yield(void)
{
	uint32_t flags = interrupts_off();

	if (queue_first)
		schedule();
	interrupts_restore(flags);
}

uint32_t block(uint32_t event, uint64_t deadline, bool interruptible)
{
	if (interruptible && current->dying)
		return WAIT_INTERRUPTED;
	if (deadline != FOREVER && clock_ns() >= deadline)
		return WAIT_TIMED_OUT;
	current->event = event;
	current->deadline = deadline;
	current->interruptible = interruptible;
	current->woken = 0;
	current->state = THREAD_BLOCKED;
	schedule();
	return current->woken;
}

static void wake_thread(struct thread *t, uint32_t why)
{
	t->woken = why;
	enqueue(t, true);
	reschedule = true;
}

uint32_t wake(uint32_t event)
{
	uint32_t flags = interrupts_off(), count = 0;

	for (struct thread *t = threads; t; t = t->next)
		if (t->state == THREAD_BLOCKED && t->event == event) {
			wake_thread(t, 0);
			count++;
		}
	interrupts_restore(flags);
	return count;
}

void threads_tick(uint64_t now)
{
	for (struct thread *t = threads; t; t = t->next)
		if (t->state == THREAD_BLOCKED && t->deadline <= now)
			wake_thread(t, WAIT_TIMED_OUT);
	if (queue_first)
		reschedule = true;
}

void thread_kill(struct thread *t)
{
	uint32_t flags = interrupts_off();

	t->dying = true;
	if (t->state == THREAD_BLOCKED && t->interruptible)
		wake_thread(t, WAIT_INTERRUPTED);
	if (t == current)
		reschedule = true;
	interrupts_restore(flags);
}

struct thread *thread_find(struct process *p, uint32_t tid)
{
	struct thread *t = threads;

	while (t && (t->process != p || t->tid != tid))
		t = t->next;
	return t;
}

/* The stack of a thread that is not the first is the kernel's to free. */
static void user_stack_end(struct thread *t)
{
	struct space *s = &t->process->space;
	struct region *region = t->user_stack ? region_at(s, t->user_stack) : NULL;

	if (region && region->start == t->user_stack && region->kind == REGION_STACK)
		region_end(s, region);
}

void thread_end(void)
{
	struct process *p = current->process;
	struct thread **slot = &threads;

	__asm__ volatile("sti");
	if (p->threads == 1)
		process_end(p);
	user_stack_end(current);
	interrupts_off();
	while (*slot != current)
		slot = &(*slot)->next;
	*slot = current->next;
	p->threads--;
	thread_count--;
	wake((uint32_t)&p->next_tid);
	if (p->threads == 0) { /* process_end() has left the space for now: it is the one at work */
		__asm__ volatile("mov %0, %%cr3" ::"r"(kernel_pdpt) : "memory");
		space_end(&p->space);
		current->process = NULL;
		p->ended = true;
		process_ended(p);
	}
	current->state = THREAD_DEAD;
	buried = current;
	schedule();
	for (;;)
		;
}
