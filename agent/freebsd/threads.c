/* SPDX-License-Identifier: MIT */
/* Threads that are joined. */
#include "runtime.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/thr.h>
#include <sys/umtx.h>

#define STACK_BYTES ((size_t)256 * 1024)

/* At the low end of the thread's stack. */
struct pthread {
	struct runtime_thread runtime;
	void *(*run)(void *);
	void *argument;
	void *result;
	volatile long ended; /* the kernel's to set */
};

static void thread_main(void *of)
{
	struct pthread *thread = of;

	thread->runtime.self = &thread->runtime;
	thread->result = thread->run(thread->argument);
	runtime_call(SYS_thr_exit, &thread->ended);
	for (;;)
		;
}

int pthread_create(pthread_t *made, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument)
{
	struct thr_param parameters = {.start_func = thread_main};
	struct pthread *thread;
	void *stack =
	    mmap(RUNTIME_AREA, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);
	long id;

	(void)attributes;
	if (stack == MAP_FAILED)
		return ENOMEM;
	thread = stack;
	thread->runtime.self = &thread->runtime;
	thread->run = run;
	thread->argument = argument;
	parameters.arg = thread;
	parameters.stack_base = stack;
	parameters.stack_size = STACK_BYTES;
	parameters.tls_base = (char *)&thread->runtime;
	parameters.child_tid = &id;
	parameters.parent_tid = &id;
	if (runtime_call(SYS_thr_new, &parameters, (long)sizeof(parameters)) < 0) {
		int error = errno;

		munmap(stack, STACK_BYTES);
		return error;
	}
	*made = thread;
	return 0;
}

int pthread_join(pthread_t thread, void **result)
{
	while (!thread->ended)
		runtime_call(SYS__umtx_op, &thread->ended, (long)UMTX_OP_WAIT, 0L, NULL, NULL);
	if (result)
		*result = thread->result;
	munmap(thread, STACK_BYTES);
	return 0;
}
