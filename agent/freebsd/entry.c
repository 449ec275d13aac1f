/* SPDX-License-Identifier: MIT */
/* The program's first instruction, system calls, errno. */
#include "runtime.h"

#include "../os_freebsd.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <machine/sysarch.h>

int main(int argc, char **argv);

char *environ_none[] = {NULL};
char **environ = environ_none;
const char *runtime_program = "";

/* A program without this note is none of this system's. */
struct abi_note {
	uint32_t name_size, description_size, type;
	char name[8];
	uint32_t version;
};
__attribute__((section(".note.tag"), used, aligned(4))) static const struct abi_note abi_note = {
    8, 4, 1, "FreeBSD", 1200000};

/* On AMD64 the kernel leaves the address of the first word in rdi, on x86 in the stack pointer. */
#ifdef __x86_64__
__asm__(".globl _start\n_start:\n"
	"	xorl %ebp, %ebp\n"
	"	andq $-16, %rsp\n"
	"	call runtime_main\n"
	"	ud2\n"
	/* The kernel takes the fourth argument in r10, for its instruction destroys rcx. */
	".globl runtime_call, runtime_call_wide\nruntime_call:\nruntime_call_wide:\n"
	"	movq %rdi, %rax\n"
	"	movq %rsi, %rdi\n"
	"	movq %rdx, %rsi\n"
	"	movq %rcx, %rdx\n"
	"	movq %r8, %r10\n"
	"	movq %r9, %r8\n"
	"	movq 8(%rsp), %r9\n"
	"	syscall\n"
	"	jc 1f\n"
	"	ret\n"
	"1:	movq %rax, %rdi\n"
	"	jmp runtime_fail\n");
#else
__asm__(".globl _start\n_start:\n"
	"	xorl %ebp, %ebp\n"
	"	movl %esp, %eax\n"
	"	andl $-16, %esp\n"
	"	subl $12, %esp\n"
	"	pushl %eax\n"
	"	call runtime_main\n"
	"	ud2\n"
	/* The kernel finds the arguments behind one word, which is left for the return address. */
	".globl runtime_call, runtime_call_wide\nruntime_call:\nruntime_call_wide:\n"
	"	popl %ecx\n"
	"	popl %eax\n"
	"	pushl %ecx\n"
	"	int $0x80\n"
	"	pushl %ecx\n"
	"	jc 1f\n"
	"	ret\n"
	"1:	pushl %eax\n"
	"	call runtime_fail\n"
	"	addl $4, %esp\n"
	"	ret\n");
#endif

int64_t runtime_fail(long error);
int64_t runtime_fail(long error)
{
	errno = (int)error;
	return -1;
}

int *__error(void)
{
	struct runtime_thread *thread;

#ifdef __x86_64__
	__asm__("movq %%fs:0, %0" : "=r"(thread));
#else
	__asm__("movl %%gs:0, %0" : "=r"(thread));
#endif
	return &thread->error;
}

void runtime_thread_adopt(struct runtime_thread *thread)
{
	thread->self = thread;
#ifdef __x86_64__
	runtime_call(SYS_sysarch, (long)AMD64_SET_FSBASE, &thread);
#else
	runtime_call(SYS_sysarch, (long)I386_SET_GSBASE, &thread);
#endif
}

/* Behind the arguments lies the environment, and behind that what the kernel tells. */
static void program_find(long *words)
{
	char **argv = (char **)(words + 1);
	long *at = words + 1 + words[0] + 1;

	if (words[0] > 0)
		runtime_program = argv[0];
	while (*at)
		at++;
	for (at++; at[0] != AT_NULL; at += 2)
		if (at[0] == AT_EXECPATH && at[1])
			runtime_program = (const char *)at[1];
}

void runtime_main(long *words);

void runtime_main(long *words)
{
	static struct runtime_thread first;

	runtime_thread_adopt(&first);
	program_find(words);
	if (runtime_call(SYS_getpid) == 1)
		freebsd_init();
	exit(main((int)words[0], (char **)(words + 1)));
}

void exit(int status)
{
	_exit(status);
}

void _exit(int status)
{
	for (;;)
		runtime_call(SYS_exit, (long)status);
}
