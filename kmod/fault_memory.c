// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Memory used wrongly: the kernel's own, and the client's. */
#include <linux/compiler.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "supdrv_faults.h"

#define LOST_BYTES   1000 /* the allocator makes 1024 of it, so what is just behind is nobody's */
#define STACK_BYTES  512
#define STACK_FILLER 0x5A

void supdrv_fault_use_after_free(struct supdrv_session *session)
{
	uint32_t *gone = kmalloc(sizeof(*gone), GFP_KERNEL);

	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	if (gone)
		READ_ONCE(*gone);
}

void supdrv_fault_leak(struct supdrv_session *session)
{
	void *lost = kmalloc(LOST_BYTES, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
}

void supdrv_fault_overrun(struct supdrv_session *session)
{
	char *memory = kmalloc(LOST_BYTES, GFP_KERNEL);
	char *behind = memory + LOST_BYTES;

	OPTIMIZER_HIDE_VAR(behind);
	if (memory)
		WRITE_ONCE(*behind, 1);
	kfree(memory);
}

void supdrv_fault_page_overrun(struct supdrv_session *session)
{
	char *memory = vmalloc(PAGE_SIZE);
	char *behind = memory + PAGE_SIZE;

	OPTIMIZER_HIDE_VAR(behind);
	if (memory)
		WRITE_ONCE(*behind, 1);
	vfree(memory);
}

void supdrv_fault_double_free(struct supdrv_session *session)
{
	void *memory = kmalloc(LOST_BYTES, GFP_KERNEL);
	void *again = memory;

	OPTIMIZER_HIDE_VAR(again);
	kfree(memory);
	kfree(again);
}

/* The calling thread comes back to return addresses that lead nowhere. */
void supdrv_fault_client_stack(struct supdrv_session *session)
{
	char filler[STACK_BYTES];
	void __user *stack = (void __user *)user_stack_pointer(task_pt_regs(current));

	memset(filler, STACK_FILLER, sizeof(filler));
	if (copy_to_user(stack, filler, sizeof(filler)))
		pr_warn("supdrv: the client's stack is too short to be spoiled\n");
}
