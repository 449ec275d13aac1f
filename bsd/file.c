// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The device node: one session for each open file, and the transport of its requests. */
#include "supdrv_freebsd.h"
#include "supdrv_ioc.h"

#include <sys/conf.h>
#include <sys/fcntl.h>
#include <sys/ioccom.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sysent.h>

static struct cdev *node;
static struct mtx gate;	    /* guards the two below */
static u_int sessions_open; /* and those that are being opened or closed */
static bool gate_closed;

static bool gate_enter(void)
{
	bool entered;

	mtx_lock(&gate);
	entered = !gate_closed;
	if (entered)
		sessions_open++;
	mtx_unlock(&gate);
	return entered;
}

static void gate_leave(void)
{
	mtx_lock(&gate);
	sessions_open--;
	mtx_unlock(&gate);
}

/* The last descriptor of this open is gone. */
static void session_end(void *session)
{
	supdrv_session_close(session);
	gate_leave();
}

static int file_open(struct cdev *dev __unused, int flags __unused, int type __unused,
		     struct thread *thread __unused)
{
	struct supdrv_session *session;
	int32_t status;
	int error;

	if (!gate_enter())
		return ENXIO;
	status = supdrv_session_open(supdrv_freebsd_device, NULL, &session);
	if (status) {
		gate_leave();
		return supdrv_errno_from_status(status);
	}
	error = devfs_set_cdevpriv(session, session_end);
	if (error)
		session_end(session);
	return error;
}

static int call_copy_in(struct supdrv_call *call, const void *in)
{
	int error;

	if (!call->buffer_size)
		return 0;
	call->buffer = supdrv_memory_alloc(call->buffer_size);
	if (!call->buffer)
		return ENOMEM;
	error = call->in_size ? copyin(in, call->buffer, call->in_size) : 0;
	if (error)
		free(call->buffer, M_SUPDRV);
	return error;
}

static int slow_request(struct supdrv_session *session, uint32_t number,
			const SUPDRVIOCTLDATA *block)
{
	struct supdrv_call call;
	int32_t status;
	int error;

	status = supdrv_call_prepare(session, number, block->cbIn, block->cbOut, &call);
	if (status)
		return supdrv_errno_from_status(status);
	error = call_copy_in(&call, block->pvIn);
	if (error)
		return error;

	status = supdrv_call_run(session, &call);
	error = supdrv_errno_from_status(status);
	if (!error && call.returned)
		error = copyout(call.buffer, block->pvOut, call.returned);
	if (!status && error)
		supdrv_call_undo(session, &call);
	free(call.buffer, M_SUPDRV);
	return error;
}

/* Answers in the thread's first return value what is 0 or more. */
static int fast_answer(struct thread *thread, int32_t result)
{
	if (result < 0)
		return supdrv_errno_from_fast(result);
	thread->td_retval[0] = result;
	return 0;
}

static bool is_of_other_word_size(struct thread *thread __unused)
{
#ifdef __LP64__
	return SV_PROC_FLAG(thread->td_proc, SV_ILP32) != 0;
#else
	return false;
#endif
}

/* The kernel has copied in as much as the number's size field says, if its direction says that. */
static int file_ioctl(struct cdev *dev __unused, u_long command, caddr_t data, int flags,
		      struct thread *thread)
{
	const uint32_t number = (uint32_t)command;
	struct supdrv_session *session;
	int32_t result;
	int error;

	if (is_of_other_word_size(thread))
		return ENOTTY;
	if ((flags & (FREAD | FWRITE)) != (FREAD | FWRITE))
		return EBADF;
	error = devfs_get_cdevpriv((void **)&session);
	if (error)
		return error;
	if (supdrv_fast_run(session, number, &result))
		return fast_answer(thread, result);
	if (IOCPARM_LEN(number) != sizeof(SUPDRVIOCTLDATA))
		return EINVAL;
	if (!(number & IOC_IN))
		return supdrv_errno_from_status(SUPDRV_ERR_GENERAL_FAILURE);
	return slow_request(session, number, (const SUPDRVIOCTLDATA *)data);
}

static struct cdevsw file_operations = {
    .d_version = D_VERSION,
    .d_name = "supdrv",
    .d_open = file_open,
    .d_ioctl = file_ioctl,
};

int supdrv_file_register(void)
{
	struct make_dev_args arguments;
	int error;

	mtx_init(&gate, "supdrv gate", NULL, MTX_DEF);
	gate_closed = false;
	make_dev_args_init(&arguments);
	arguments.mda_flags = MAKEDEV_CHECKNAME | MAKEDEV_WAITOK;
	arguments.mda_devsw = &file_operations;
	arguments.mda_uid = UID_ROOT;
	arguments.mda_gid = GID_WHEEL;
	arguments.mda_mode = 0600;
	error = make_dev_s(&arguments, &node, "supdrv");
	if (error)
		mtx_destroy(&gate);
	return error;
}

bool supdrv_file_in_use(void)
{
	bool used;

	mtx_lock(&gate);
	used = sessions_open != 0;
	mtx_unlock(&gate);
	return used;
}

int supdrv_file_unregister(void)
{
	bool used;

	mtx_lock(&gate);
	used = sessions_open != 0;
	gate_closed = !used;
	mtx_unlock(&gate);
	if (used)
		return EBUSY;
	destroy_dev(node);
	mtx_destroy(&gate);
	return 0;
}
