// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel keeps what the demo's trace reads. Built against the headers
 * of the guest's kernel and never run: demo/run reads the section.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>

const u64 bufalloc_demo_offsets[] __section("offsets") = {
	offsetof(struct dma_buf, file),
	offsetof(struct file, f_inode),
	offsetof(struct inode, i_ino),
	offsetof(struct device, kobj.name),
};
