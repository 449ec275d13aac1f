// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The device node: one session for each open file, and the transport of its requests. */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "supdrv_linux.h"
#include "supdrv_ioc.h"

static atomic_t files_open;

static int file_open(struct inode *inode, struct file *file)
{
	struct supdrv_session *session;
	int32_t status;

	status = supdrv_session_open(supdrv_linux_device, file, &session);
	if (status)
		return supdrv_errno_from_status(status);
	file->private_data = session;
	atomic_inc(&files_open);
	return nonseekable_open(inode, file);
}

static int file_release(struct inode *inode, struct file *file)
{
	supdrv_session_close(file->private_data);
	if (atomic_dec_and_test(&files_open))
		supdrv_mapping_mount_drop();
	return 0;
}

static int call_copy_in(struct supdrv_call *call, const void __user *in)
{
	if (!call->buffer_size)
		return 0;
	call->buffer = kvzalloc(call->buffer_size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!call->buffer)
		return -ENOMEM;
	if (copy_from_user(call->buffer, in, call->in_size)) {
		kvfree(call->buffer);
		return -EFAULT;
	}
	return 0;
}

static int slow_request(struct supdrv_session *session, unsigned int number,
			const SUPDRVIOCTLDATA __user *argument)
{
	struct supdrv_call call;
	SUPDRVIOCTLDATA block;
	int32_t status;
	int error;

	/* The size field tells a caller of the other word size, whose block would be misread. */
	if (_IOC_SIZE(number) != sizeof(block))
		return -EINVAL;
	if (copy_from_user(&block, argument, sizeof(block)))
		return -EFAULT;
	status = supdrv_call_prepare(session, number, block.cbIn, block.cbOut, &call);
	if (status)
		return supdrv_errno_from_status(status);
	error = call_copy_in(&call, (const void __user *)block.pvIn);
	if (error)
		return error;

	status = supdrv_call_run(session, &call);
	error = supdrv_errno_from_status(status);
	if (!error && copy_to_user((void __user *)block.pvOut, call.buffer, call.returned)) {
		supdrv_call_undo(session, &call);
		error = -EFAULT;
	}
	kvfree(call.buffer);
	return error;
}

static long file_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	const fmode_t both = FMODE_READ | FMODE_WRITE;
	struct supdrv_session *session = file->private_data;
	int32_t result;

	/* x32 calls can arrive here; 32-bit ones end before, for want of a compat_ioctl. */
	if (in_compat_syscall())
		return -ENOTTY;
	if ((file->f_mode & both) != both)
		return -EBADF;
	if (supdrv_fast_run(session, number, &result))
		return supdrv_errno_from_fast(result);
	return slow_request(session, number, (const SUPDRVIOCTLDATA __user *)argument);
}

static const struct file_operations file_operations = {
    .owner = THIS_MODULE,
    .open = file_open,
    .release = file_release,
    .unlocked_ioctl = file_ioctl,
};

static struct miscdevice device_node = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "supdrv",
    .fops = &file_operations,
    .mode = 0600,
};

int supdrv_file_register(void)
{
	return misc_register(&device_node);
}

void supdrv_file_unregister(void)
{
	misc_deregister(&device_node);
}
