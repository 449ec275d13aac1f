// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The driver's counters, for the administrator: <debugfs>/supdrv/counters. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "supdrv_linux.h"

static struct dentry *directory;

static int counters_show(struct seq_file *seq, void *unused)
{
	char text[SUPDRV_COUNTERS_TEXT_SIZE];

	supdrv_counters_format(supdrv_linux_device, text, sizeof(text));
	seq_puts(seq, text);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/* debugfs may be missing or locked down. The driver works without it, so nothing is checked. */
void supdrv_debugfs_create(void)
{
	directory = debugfs_create_dir("supdrv", NULL);
	debugfs_create_file("counters", 0400, directory, NULL, &counters_fops);
}

void supdrv_debugfs_remove(void)
{
	debugfs_remove_recursive(directory);
}
