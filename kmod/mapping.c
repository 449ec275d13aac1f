// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pages of the driver in a process. Each mapping has a file of its own that no descriptor refers
 * to, so that it can be told from everything else at its address, taken away from every process at
 * once, and does not keep the device open.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "supdrv_glue.h"
#include "supdrv_linux.h"
#include "supdrv_pages.h"
#include "supdrv_status.h"

#define MAPPING_FS_MAGIC 0x53555044

struct supdrv_mapping {
	struct file *file;
	struct supdrv_pages *pages;
	unsigned long address;
	size_t size;
};

static struct vfsmount *mapping_mount;
static int mapping_mount_users;
static bool mapping_mount_kept;
static DEFINE_MUTEX(mapping_mount_lock); /* guards mapping_mount_kept */

/* The pages are there from the start; what faults was taken away. */
static vm_fault_t mapping_fault(struct vm_fault *fault)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct mapping_area_operations = {
    .fault = mapping_fault,
};

static void area_set_flags(struct vm_area_struct *area, vm_flags_t flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(area, flags);
#else
	area->vm_flags |= flags;
#endif
}

/* Once for each file: a process could otherwise make itself a second mapping from the first. */
static int mapping_file_mmap(struct file *file, struct vm_area_struct *area)
{
	struct supdrv_pages *pages = xchg(&file->private_data, NULL);

	if (!pages)
		return -EPERM;
	area_set_flags(area, VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP);
	area->vm_ops = &mapping_area_operations;
	return vm_map_pages(area, pages->page, pages->count);
}

static int mapping_file_release(struct inode *inode, struct file *file)
{
	simple_release_fs(&mapping_mount, &mapping_mount_users);
	return 0;
}

static const struct file_operations mapping_file_operations = {
    .owner = THIS_MODULE,
    .mmap = mapping_file_mmap,
    .release = mapping_file_release,
};

/* Files of this file system can never be mapped for execution. */
static int mapping_fs_init(struct fs_context *context)
{
	if (!init_pseudo(context, MAPPING_FS_MAGIC))
		return -ENOMEM;
	context->s_iflags |= SB_I_NOEXEC;
	return 0;
}

/* Cannot stay mounted for good: that would keep the module from being unloaded. */
static struct file_system_type mapping_fs = {
    .name = "supdrv",
    .owner = THIS_MODULE,
    .init_fs_context = mapping_fs_init,
    .kill_sb = kill_anon_super,
};

/* Mounting for each mapping anew would take longer than all the rest. */
static void mapping_mount_keep(void)
{
	mutex_lock(&mapping_mount_lock);
	if (!mapping_mount_kept)
		mapping_mount_kept =
		    !simple_pin_fs(&mapping_fs, &mapping_mount, &mapping_mount_users);
	mutex_unlock(&mapping_mount_lock);
}

void supdrv_mapping_mount_drop(void)
{
	mutex_lock(&mapping_mount_lock);
	if (mapping_mount_kept)
		simple_release_fs(&mapping_mount, &mapping_mount_users);
	mapping_mount_kept = false;
	mutex_unlock(&mapping_mount_lock);
}

/* flags: O_RDONLY makes every mapping of the file read-only for good. */
static struct file *mapping_file_open(struct supdrv_pages *pages, int flags)
{
	struct inode *inode;
	struct file *file;
	int error;

	error = simple_pin_fs(&mapping_fs, &mapping_mount, &mapping_mount_users);
	if (error)
		return ERR_PTR(error);
	inode = alloc_anon_inode(mapping_mount->mnt_sb);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto release_fs;
	}
	__module_get(THIS_MODULE); /* given back with the file's operations */
	file = alloc_file_pseudo(inode, mapping_mount, "supdrv", flags, &mapping_file_operations);
	if (IS_ERR(file))
		goto put_module;
	file->private_data = pages;
	return file;

put_module:
	module_put(THIS_MODULE);
	iput(inode);
release_fs:
	simple_release_fs(&mapping_mount, &mapping_mount_users);
	return file;
}

int32_t supdrv_os_map(struct supdrv_pages *pages, bool writable, struct supdrv_mapping **mapping)
{
	unsigned long protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	struct supdrv_mapping *made = kzalloc(sizeof(*made), GFP_KERNEL_ACCOUNT);

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->size = (size_t)pages->count << PAGE_SHIFT;
	made->file = mapping_file_open(pages, writable ? O_RDWR : O_RDONLY);
	if (IS_ERR(made->file))
		goto free_mapping;
	made->address = vm_mmap(made->file, 0, made->size, protection, MAP_SHARED, 0);
	if (IS_ERR_VALUE(made->address))
		goto put_file;
	mapping_mount_keep();
	*mapping = made;
	return SUPDRV_OK;

put_file:
	fput(made->file);
free_mapping:
	kfree(made);
	return SUPDRV_ERR_NO_MEMORY;
}

uintptr_t supdrv_os_mapping_address(const struct supdrv_mapping *mapping)
{
	return mapping->address;
}

/* The first stretch at or behind address where the calling process still has this mapping. */
static bool mapping_find(const struct supdrv_mapping *mapping, unsigned long address,
			 unsigned long *start, unsigned long *end)
{
	const unsigned long limit = mapping->address + mapping->size;
	struct vm_area_struct *area;
	bool found = false;

	mmap_read_lock(current->mm);
	while (address < limit && !found) {
		area = find_vma(current->mm, address);
		if (!area || area->vm_start >= limit)
			break;
		*start = max(address, area->vm_start);
		*end = min(limit, area->vm_end);
		found = area->vm_file == mapping->file;
		address = area->vm_end;
	}
	mmap_read_unlock(current->mm);
	return found;
}

/*
 * A thread that maps something else at this very moment can lose it; it would have had to unmap
 * ours first, while another thread of its process frees it.
 */
static void mapping_remove(const struct supdrv_mapping *mapping)
{
	unsigned long start, end = mapping->address;

	while (mapping_find(mapping, end, &start, &end))
		if (vm_munmap(start, end - start))
			break;
}

void supdrv_os_unmap(struct supdrv_mapping *mapping)
{
	if (current->mm)
		mapping_remove(mapping);
	unmap_mapping_range(mapping->file->f_mapping, 0, 0, 1);
	fput(mapping->file);
	kfree(mapping);
}
