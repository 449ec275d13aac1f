/* SPDX-License-Identifier: MIT */
/* System calls on processes and threads. */
#include "os2_calls.h"
#include "process.h"
#include "system_call.h"

#define LINE_MAX 4096u

/* A line of arguments, which ends in two zeros. Its length; 0: none, or not readable. */
static uint32_t line_read(char *to, uint32_t from)
{
	uint32_t n = 0;

	if (!from)
		return 0;
	for (; n < LINE_MAX; n++) {
		if (!user_read(&to[n], from + n, 1))
			return 0;
		if (n && !to[n] && !to[n - 1])
			return n + 1;
	}
	return 0;
}

static uint32_t exec(const uint32_t *a, const char *name, struct os2_result_codes *codes)
{
	char *line = heap_take(LINE_MAX);
	struct process *started;
	uint32_t length = line ? line_read(line, a[3]) : 0, error, pid;

	if (line && !a[3])
		length = (uint32_t)format(line, LINE_MAX, "%s%c", name, 0) + 1;
	error = !line	  ? ERROR_NOT_ENOUGH_MEMORY
		: !length ? ERROR_INVALID_PARAMETER
			  : process_start(current->process, name, line, length, a[2] != EXEC_ASYNC,
					  NULL, &started);
	heap_drop(line);
	if (error)
		return error;
	pid = started->pid;
	*codes = (struct os2_result_codes){pid, 0};
	if (a[2] == EXEC_SYNC)
		error = child_wait(current->process, pid, true, &codes->terminate, &codes->result,
				   &pid);
	return error;
}

uint32_t call_DosExecPgm(const uint32_t *a)
{
	struct os2_result_codes codes;
	char name[NAME_MAX + 8];
	uint32_t error;

	if (a[2] > EXEC_ASYNCRESULT)
		return ERROR_INVALID_FUNCTION;
	if (!user_text(name, a[6], sizeof(name)))
		return ERROR_INVALID_NAME;
	error = exec(a, name[0] ? name : current->process->name, &codes);
	if (!error && a[5] && !user_write(a[5], &codes, sizeof(codes)))
		error = ERROR_INVALID_PARAMETER;
	if (error && a[0] && a[1])
		user_write(a[0], "", 1);
	return error;
}

uint32_t call_DosWaitChild(const uint32_t *a)
{
	uint32_t ended, error;
	struct os2_result_codes codes;

	if (a[0] != DCWA_PROCESS)
		return ERROR_INVALID_PARAMETER;
	error = child_wait(current->process, a[4], a[1] == DCWW_WAIT, &codes.terminate,
			   &codes.result, &ended);
	if (error)
		return error;
	return user_write(a[2], &codes, sizeof(codes)) && user_write_word(a[3], ended)
		   ? NO_ERROR
		   : ERROR_INVALID_PARAMETER;
}

static void kill_tree(struct process *p)
{
	for (struct process *child = processes; child; child = child->next)
		if (child->parent == p)
			kill_tree(child);
	process_kill(p, TC_KILLPROCESS, 0);
}

uint32_t call_DosKillProcess(const uint32_t *a)
{
	struct process *p = process_find(a[1]);

	if (!p || p->ended)
		return ERROR_INVALID_PROCID;
	if (a[0] == DKP_PROCESS)
		process_kill(p, TC_KILLPROCESS, 0);
	else
		kill_tree(p);
	return NO_ERROR;
}

uint32_t call_DosExit(const uint32_t *a)
{
	if (a[0] == EXIT_PROCESS || current->process->threads == 1)
		process_kill(current->process, TC_EXIT, a[1]);
	thread_kill(current);
	return NO_ERROR;
}

/* Entry, its argument (a word on the stack), size of the stack; the new thread's number goes to
 * a[0]. */
uint32_t call_GuestCreateThread(const uint32_t *a)
{
	struct process *p = current->process;
	uint32_t size = page_up(a[3] ? a[3] : PAGE_SIZE), stack, words[2] = {0, a[2]}, done;
	struct frame frame = {0};
	struct thread *t;

	if (p->ending || size > KERNEL_BASE / 2)
		return ERROR_MAX_THRDS_REACHED;
	stack = region_make(&p->space, 0, size + PAGE_SIZE, REGION_STACK);
	if (!stack)
		return ERROR_NOT_ENOUGH_MEMORY;
	frame.esp = stack + PAGE_SIZE + size - 16;
	frame.eip = a[1];
	frame.ds = frame.es = frame.ss = USER_DATA;
	frame.cs = USER_CODE;
	frame.eflags = 0x202;
	t = pages_commit(&p->space, stack + PAGE_SIZE, size, PTE_READ | PTE_WRITE | PTE_NX) &&
		    space_write(&p->space, frame.esp, words, sizeof(words), &done)
		? thread_make(p, &frame)
		: NULL;
	if (!t) {
		region_end(&p->space, region_at(&p->space, stack));
		return ERROR_MAX_THRDS_REACHED;
	}
	t->user_stack = stack;
	return user_write_word(a[0], t->tid) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

uint32_t call_DosKillThread(const uint32_t *a)
{
	struct thread *t = thread_find(current->process, a[0]);

	if (!t)
		return ERROR_INVALID_THREADID;
	thread_kill(t);
	return NO_ERROR;
}

uint32_t call_DosWaitThread(const uint32_t *a)
{
	struct process *p = current->process;
	uint32_t tid, flags, why = 0, threads_then = p->threads;

	if (!user_read(&tid, a[0], sizeof(tid)))
		return ERROR_INVALID_PARAMETER;
	if (tid > p->next_tid || tid == current->tid)
		return ERROR_INVALID_THREADID;
	flags = interrupts_off();
	while ((tid ? thread_find(p, tid) != NULL : p->threads >= threads_then) && !why) {
		if (a[1] == DCWW_NOWAIT)
			why = WAIT_TIMED_OUT;
		else
			why = block((uint32_t)&p->next_tid, FOREVER, true);
	}
	interrupts_restore(flags);
	return !why		       ? NO_ERROR
	       : why == WAIT_TIMED_OUT ? ERROR_THREAD_NOT_TERMINATED
				       : ERROR_INTERRUPT;
}

uint32_t call_DosSleep(const uint32_t *a)
{
	uint32_t flags, why;

	if (a[0] == 0) {
		yield();
		return NO_ERROR;
	}
	flags = interrupts_off();
	why = block((uint32_t)current, clock_ns() + a[0] * NS_PER_MS, true);
	interrupts_restore(flags);
	return why == WAIT_INTERRUPTED ? ERROR_INTERRUPT : NO_ERROR;
}

uint32_t call_DosGetInfo(const uint32_t *a)
{
	struct os2_thread_info info = {current->tid, current->process->pid,
				       current->process->parent_pid};

	return user_write(a[0], &info, sizeof(info)) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}
