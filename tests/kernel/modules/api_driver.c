// SPDX-License-Identifier: GPL-2.0
/*
 * Calls bufalloc's in-kernel API as a camera's or display's driver would, for
 * QEMU's devices "edu"; see ba_api.h. Each check is a function in one of the files
 * beside this one.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "api_checks.h"
#include "ba_api.h"

struct api_device api_devices[API_DEVICES];
char api_why[128];
int api_callers_fd;
u32 api_heap;

static DEFINE_MUTEX(lock); /* one check at a time */

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
#define ROW(name) { #name, api_check_##name },
	API_CHECKS(ROW)
#undef ROW
};

static int run(struct ba_api_run *arg)
{
	int i;

	arg->name[sizeof(arg->name) - 1] = 0;
	for (i = 0; i < ARRAY_SIZE(checks); i++)
		if (!strcmp(arg->name, checks[i].name))
			break;
	if (i == ARRAY_SIZE(checks))
		return -ENOENT;

	mutex_lock(&lock);
	if (!api_devices[0].pdev || !api_devices[1].pdev) {
		mutex_unlock(&lock);
		return -ENODEV;
	}
	api_why[0] = 0;
	api_callers_fd = arg->fd;
	api_heap = arg->heap;
	checks[i].run();
	strscpy_pad(arg->why, api_why, sizeof(arg->why));
	mutex_unlock(&lock);
	return 0;
}

static long ba_api_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct ba_api_run args;
	int ret;

	if (cmd != BA_API_RUN)
		return -ENOTTY;
	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	ret = run(&args);
	if (!ret && copy_to_user(user, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

static int ba_api_mmap(struct file *file, struct vm_area_struct *vma)
{
	int ret = -ENODEV;

	mutex_lock(&lock);
	if (api_devices[0].pdev && api_devices[1].pdev)
		ret = api_mmap(vma);
	mutex_unlock(&lock);
	return ret;
}

static const struct file_operations ba_api_fops = {
	.owner = THIS_MODULE,
	.mmap = ba_api_mmap,
	.unlocked_ioctl = ba_api_ioctl,
};

static struct miscdevice ba_api_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ba_api",
	.fops = &ba_api_fops,
};

/* A driver allocates here, where the driver core holds the device's lock. */
static int alloc_in_probe(struct device *dev)
{
	struct bufalloc_use use = {
		.dev = dev,
		.access = BUFALLOC_ACCESS_WRITE,
		.max_segments = 1,
	};
	struct bufalloc_buffer *buf = api_alloc_for(&use, 1, API_LENGTH, NULL);

	bufalloc_put(buf);
	return PTR_ERR_OR_ZERO(buf);
}

static int ba_api_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int i, ret;

	for (i = 0; i < API_DEVICES; i++)
		if (!api_devices[i].pdev)
			break;
	if (i == API_DEVICES)
		return -ENODEV;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(0), "ba_api");
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	pci_set_master(pdev);
	api_devices[i].registers = pcim_iomap_table(pdev)[0];
	api_devices[i].in_probe = alloc_in_probe(&pdev->dev);

	mutex_lock(&lock);
	api_devices[i].pdev = pdev;
	mutex_unlock(&lock);
	return 0;
}

static void ba_api_remove(struct pci_dev *pdev)
{
	int i;

	mutex_lock(&lock);
	for (i = 0; i < API_DEVICES; i++)
		if (api_devices[i].pdev == pdev)
			api_devices[i].pdev = NULL;
	mutex_unlock(&lock);
}

static const struct pci_device_id ba_api_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};

static struct pci_driver ba_api_driver = {
	.name = "ba_api",
	.id_table = ba_api_ids,
	.probe = ba_api_probe,
	.remove = ba_api_remove,
};

static int __init ba_api_init(void)
{
	int ret = pci_register_driver(&ba_api_driver);

	if (ret)
		return ret;
	ret = misc_register(&ba_api_misc);
	if (ret)
		pci_unregister_driver(&ba_api_driver);
	return ret;
}

static void __exit ba_api_exit(void)
{
	misc_deregister(&ba_api_misc);
	pci_unregister_driver(&ba_api_driver);
}

module_init(ba_api_init);
module_exit(ba_api_exit);

MODULE_DESCRIPTION("Calls bufalloc's in-kernel API, for tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(DMA_BUF);
BUFALLOC_IMPORT_NS(BUFALLOC);
