// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/bufalloc/live: how many objects of each kind are alive;
 * regions: what was set aside for us, and how many pages of it are in use.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "bufalloc_private.h"
#include "region.h"

static struct dentry *root;
static atomic_t live[BUFALLOC_LIVE_COUNT];

static const char * const live_names[BUFALLOC_LIVE_COUNT] = {
	[BUFALLOC_LIVE_BUFFERS] = "buffers",
	[BUFALLOC_LIVE_ATTACHMENTS] = "attachments",
	[BUFALLOC_LIVE_MAPPINGS] = "mappings",
	[BUFALLOC_LIVE_TABLES] = "tables",
	[BUFALLOC_LIVE_KERNEL_MAPS] = "kernel_maps",
	[BUFALLOC_LIVE_ACCOUNTS] = "accounts",
	[BUFALLOC_LIVE_DOMAIN_MAPS] = "domain_maps",
	[BUFALLOC_LIVE_PINNED_PAGES] = "pinned_pages",
	[BUFALLOC_LIVE_RESERVED_PAGES] = "reserved_pages",
	[BUFALLOC_LIVE_PIECE_POOLS] = "piece_pools",
	[BUFALLOC_LIVE_PIECES] = "pieces",
};

void bufalloc_debugfs_live(enum bufalloc_live what, int change)
{
	atomic_add(change, &live[what]);
}

static int live_show(struct seq_file *file, void *unused)
{
	int i;

	for (i = 0; i < BUFALLOC_LIVE_COUNT; i++)
		seq_printf(file, "%s %d\n", live_names[i],
			   atomic_read(&live[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(live);

static int regions_show(struct seq_file *file, void *unused)
{
	bufalloc_region_show(file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(regions);

/* Without debugfs the counters are kept and nobody reads them. */
void bufalloc_debugfs_init(void)
{
	root = debugfs_create_dir("bufalloc", NULL);
	debugfs_create_file("live", 0444, root, NULL, &live_fops);
	debugfs_create_file("regions", 0400, root, NULL, &regions_fops);
}

void bufalloc_debugfs_exit(void)
{
	debugfs_remove(root);
}
