// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One session for each open file. It belongs to the process that opened it: what it maps and pins
 * lies there and has to be gone before the process is. So it ends with the last handle
 * (IRP_MJ_CLEANUP), with the file (IRP_MJ_CLOSE, for who gets no clean-up) or with the process,
 * while a duplicate of the handle may live on elsewhere.
 */
#include <ntddk.h>

#include "supdrv_windows.h"
#include "supdrv_glue.h"

struct supdrv_file {
	struct supdrv_file *next;
	PEPROCESS process;
	struct supdrv_lock lock;	/* guards all below, and is held while the session closes */
	struct supdrv_session *session; /* NULL once it is closed */
	uint32_t requests;		/* that are in the session */
	bool ended;			/* there shall be no further ones */
};

static PDRIVER_OBJECT files_driver;
static PDRIVER_UNLOAD files_unload;
static struct supdrv_lock files_lock; /* guards the list; taken before a file's own */
static struct supdrv_file *files;

void supdrv_files_init(PDRIVER_OBJECT driver, PDRIVER_UNLOAD unload)
{
	files_driver = driver;
	files_unload = unload;
	driver->DriverUnload = unload;
	supdrv_os_lock_init(&files_lock);
}

/* Without an unload routine the service manager's stop fails; with one, it would end all later
 * opens and go through with the last close. */
static void unload_allow(bool allowed)
{
	files_driver->DriverUnload = allowed ? files_unload : NULL;
}

static void file_link(struct supdrv_file *file)
{
	supdrv_os_lock_acquire(&files_lock);
	file->next = files;
	files = file;
	unload_allow(false);
	supdrv_os_lock_release(&files_lock);
}

static void file_unlink(struct supdrv_file *file)
{
	struct supdrv_file **link = &files;

	supdrv_os_lock_acquire(&files_lock);
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	unload_allow(!files);
	supdrv_os_lock_release(&files_lock);
}

NTSTATUS supdrv_file_open(struct supdrv_file **file)
{
	struct supdrv_file *made = supdrv_os_alloc(sizeof(*made));
	int32_t status;

	if (!made)
		return STATUS_NO_MEMORY;
	status = supdrv_session_open(supdrv_windows_device, made, &made->session);
	if (status) {
		supdrv_os_free(made);
		return supdrv_ntstatus(status);
	}
	supdrv_os_lock_init(&made->lock);
	made->process = PsGetCurrentProcess();
	ObReferenceObject(made->process);
	file_link(made);
	*file = made;
	return STATUS_SUCCESS;
}

/* With the file's lock held, so that the exit of its process waits for it. */
static void session_close_if_unused(struct supdrv_file *file)
{
	if (!file->ended || file->requests || !file->session)
		return;
	supdrv_session_close(file->session);
	file->session = NULL;
}

void supdrv_file_end(struct supdrv_file *file)
{
	supdrv_os_lock_acquire(&file->lock);
	file->ended = true;
	session_close_if_unused(file);
	supdrv_os_lock_release(&file->lock);
}

void supdrv_file_close(struct supdrv_file *file)
{
	supdrv_file_end(file);
	file_unlink(file);
	supdrv_os_lock_destroy(&file->lock);
	ObDereferenceObject(file->process);
	supdrv_os_free(file);
}

NTSTATUS supdrv_file_enter(struct supdrv_file *file, struct supdrv_session **session)
{
	NTSTATUS status = STATUS_SUCCESS;

	if (PsGetCurrentProcess() != file->process)
		return STATUS_ACCESS_DENIED;
	supdrv_os_lock_acquire(&file->lock);
	if (file->ended)
		status = STATUS_FILE_CLOSED;
	else
		file->requests++;
	*session = file->session;
	supdrv_os_lock_release(&file->lock);
	return status;
}

void supdrv_file_leave(struct supdrv_file *file)
{
	supdrv_os_lock_acquire(&file->lock);
	file->requests--;
	session_close_if_unused(file);
	supdrv_os_lock_release(&file->lock);
}

/* Called in the process, when its last thread ends: no request of its own is under way. */
static void NTAPI process_changed(HANDLE parent, HANDLE id, BOOLEAN created)
{
	struct supdrv_file *file;

	(void)parent;
	if (created)
		return;
	supdrv_os_lock_acquire(&files_lock);
	for (file = files; file; file = file->next)
		if (PsGetProcessId(file->process) == id)
			supdrv_file_end(file);
	supdrv_os_lock_release(&files_lock);
}

NTSTATUS supdrv_files_watch(void)
{
	return PsSetCreateProcessNotifyRoutine(process_changed, FALSE);
}

void supdrv_files_unwatch(void)
{
	PsSetCreateProcessNotifyRoutine(process_changed, TRUE);
}
