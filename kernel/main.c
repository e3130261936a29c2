// SPDX-License-Identifier: GPL-2.0
/*
 * bufalloc: buffers that cameras, codecs and displays share without copying.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "bufalloc_private.h"
#include "region.h"

static const struct file_operations bufalloc_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bufalloc_uapi_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice bufalloc_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bufalloc",
	.fops = &bufalloc_fops,
	.mode = 0660,
};

/* The device of the node, for messages. */
struct device *bufalloc_main_device(void)
{
	return bufalloc_misc.this_device;
}

static int __init bufalloc_init(void)
{
	int ret;

	bufalloc_account_init();
	ret = bufalloc_region_parameter_init();
	if (ret)
		return ret;
	bufalloc_debugfs_init();

	ret = bufalloc_attribute_init();
	if (ret)
		goto err_debugfs;

	ret = bufalloc_heap_device_init();
	if (ret)
		goto err_attribute;

	ret = bufalloc_platform_init();
	if (ret)
		goto err_heap_device;

	ret = misc_register(&bufalloc_misc);
	if (ret)
		goto err_platform;

	return 0;

err_platform:
	bufalloc_platform_exit();
err_heap_device:
	bufalloc_heap_device_exit();
err_attribute:
	bufalloc_attribute_exit();
err_debugfs:
	bufalloc_debugfs_exit();
	bufalloc_region_parameter_exit();
	return ret;
}

static void __exit bufalloc_exit(void)
{
	misc_deregister(&bufalloc_misc);
	bufalloc_platform_exit();
	bufalloc_heap_device_exit();
	bufalloc_attribute_exit();
	bufalloc_debugfs_exit();
	bufalloc_region_parameter_exit();
}

module_init(bufalloc_init);
module_exit(bufalloc_exit);

MODULE_DESCRIPTION("Buffers that cameras, codecs and displays share without copying");
MODULE_AUTHOR("The bufalloc authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(BUFALLOC_VERSION_STRING);
BUFALLOC_IMPORT_NS(DMA_BUF);
