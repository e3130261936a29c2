// SPDX-License-Identifier: GPL-2.0
/*
 * Calls bufalloc's in-kernel API as a camera's or display's driver would, for
 * QEMU's devices "edu"; see ba_api.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <linux/bufalloc.h>

#include "ba_api.h"
#include "edu_dma.h"

#define DEVICES 2
#define LENGTH SZ_1M

/* One device; written by probe and remove only. */
static struct api_device {
	struct pci_dev *pdev;
	void __iomem *registers;
	/* What an allocation in probe() answered. */
	int in_probe;
} devices[DEVICES];

static DEFINE_MUTEX(lock); /* one check at a time */
static char why[128];
static int callers_fd;

/* The check fails, and says where. */
#define EXPECT(condition)                                              \
	do {                                                           \
		if (!(condition)) {                                    \
			snprintf(why, sizeof(why), "%s:%d: %s",        \
				 __func__, __LINE__, #condition);      \
			goto out;                                      \
		}                                                      \
	} while (0)

static struct device *dev_of(int i)
{
	return &devices[i].pdev->dev;
}

static struct bufalloc_buffer *
alloc_for(struct bufalloc_use *uses, unsigned int count, size_t length,
	  struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_request request = {
		.length = length,
		.uses = uses,
		.use_count = count,
	};

	return bufalloc_alloc(&request, verdict);
}

/* A buffer for all devices. */
static struct bufalloc_buffer *alloc_buffer(size_t length)
{
	struct bufalloc_use uses[DEVICES];
	int i;

	memset(uses, 0, sizeof(uses));
	for (i = 0; i < DEVICES; i++) {
		uses[i].dev = dev_of(i);
		uses[i].access = BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE;
	}
	return alloc_for(uses, DEVICES, length, NULL);
}

static void check_alloc(void)
{
	struct bufalloc_use uses[] = {
		{ .dev = dev_of(0), .access = BUFALLOC_ACCESS_WRITE },
		{ .dev = dev_of(1), .access = BUFALLOC_ACCESS_READ,
		  .max_segments = 1 },
		{ .access = BUFALLOC_ACCESS_READ },
	};
	struct bufalloc_alloc_verdict verdict;
	struct bufalloc_buffer *buf;

	buf = alloc_for(uses, ARRAY_SIZE(uses), LENGTH - 5, &verdict);
	EXPECT(!IS_ERR(buf));
	EXPECT(bufalloc_length(buf) == LENGTH);
	EXPECT(verdict.out_error == 0);
	EXPECT(uses[0].result.out_proof == BUFALLOC_PROOF_MAPPED);
	EXPECT(uses[1].result.out_proof == BUFALLOC_PROOF_MAPPED);
	EXPECT(uses[1].result.out_segments == 1);
	EXPECT(uses[2].result.out_proof == BUFALLOC_PROOF_VMAPPED);
out:
	bufalloc_put(buf);
}

static void check_alloc_in_probe(void)
{
	EXPECT(devices[0].in_probe == 0);
	EXPECT(devices[1].in_probe == 0);
out:
	return;
}

/* What bufalloc_alloc() answers when one thing is wrong. */
static long refusal(size_t length, u32 heap, u64 attributes,
		    unsigned int count, const struct bufalloc_use *use)
{
	static struct bufalloc_use uses[BUFALLOC_MAX_DEVICES + 1];
	struct bufalloc_request request = {
		.length = length,
		.heap = heap,
		.attributes = attributes,
		.uses = uses,
		.use_count = count,
	};
	struct bufalloc_alloc_verdict verdict;
	struct bufalloc_buffer *buf;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(uses); i++)
		uses[i] = *use;
	buf = bufalloc_alloc(&request, &verdict);
	bufalloc_put(buf);
	if (PTR_ERR_OR_ZERO(buf) != verdict.out_error)
		return -EPROTO;
	return PTR_ERR_OR_ZERO(buf);
}

static void check_refusals(void)
{
	const struct bufalloc_use good = {
		.dev = dev_of(0),
		.access = BUFALLOC_ACCESS_READ,
	};
	struct bufalloc_use bad = good;

	EXPECT(refusal(LENGTH, 0, 0, BUFALLOC_MAX_DEVICES, &good) == 0);
	EXPECT(refusal(0, 0, 0, 1, &good) == -EINVAL);
	EXPECT(refusal(LENGTH, 99, 0, 1, &good) == -EINVAL);
	EXPECT(refusal(LENGTH, 0, BIT_ULL(63), 1, &good) == -EINVAL);
	EXPECT(refusal(LENGTH, 0, 0, BUFALLOC_MAX_DEVICES + 1, &good) ==
	       -E2BIG);
	bad.access = 0;
	EXPECT(refusal(LENGTH, 0, 0, 1, &bad) == -EINVAL);
	bad.access = BIT(7);
	EXPECT(refusal(LENGTH, 0, 0, 1, &bad) == -EINVAL);
	bad = good;
	bad.max_segments = 2;
	EXPECT(refusal(LENGTH, 0, 0, 1, &bad) == -EINVAL);
	/* More than there is memory, and more than a device has addresses. */
	EXPECT(refusal(SIZE_MAX - PAGE_SIZE, 0, 0, 0, &good) == -ENOMEM);
	EXPECT(refusal(SIZE_MAX - PAGE_SIZE, 0, 0, 1, &good) == -ENOSPC);
	bad = good;
	bad.vmap = true;
	EXPECT(refusal(LENGTH, 0, BUFALLOC_ATTRIBUTE_NEVER_CPU, 1, &bad) ==
	       -ENOSPC);
out:
	return;
}

/* Fill the device's own memory from the buffer's first bytes, or the reverse. */
static int move(int i, struct bufalloc_buffer *buf, bool to_memory)
{
	struct sg_table *table = bufalloc_map(buf, dev_of(i));
	int ret;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = to_memory ? edu_write_memory(devices[i].registers,
					   sg_dma_address(table->sgl),
					   EDU_PIECE) :
			  edu_read_memory(devices[i].registers,
					  sg_dma_address(table->sgl),
					  EDU_PIECE);
	bufalloc_unmap(buf, dev_of(i), table);
	return ret;
}

/* CPU access as an importer has it. */
static int fill(struct bufalloc_buffer *buf, u8 seed, bool compare)
{
	struct dma_buf *dmabuf = bufalloc_export(buf, O_RDWR);
	struct iosys_map map;
	int i, ret;
	u8 *data;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
	if (ret)
		goto out_put;
	/* 6.1 does without the lock, and does not mind it. */
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_vmap(dmabuf, &map);
	if (ret)
		goto out_unlock;
	data = map.vaddr;
	for (i = 0; i < EDU_PIECE; i++) {
		if (!compare)
			data[i] = i * 7 + seed;
		else if (data[i] != (u8)(i * 7 + seed))
			ret = -EILSEQ;
	}
	dma_buf_vunmap(dmabuf, &map);
out_unlock:
	dma_resv_unlock(dmabuf->resv);
	dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
out_put:
	dma_buf_put(dmabuf);
	return ret;
}

static void check_map(void)
{
	struct bufalloc_buffer *from = alloc_buffer(LENGTH);
	struct bufalloc_buffer *to = alloc_buffer(LENGTH);

	EXPECT(!IS_ERR(from) && !IS_ERR(to));
	EXPECT(fill(from, 3, false) == 0);
	EXPECT(move(0, from, false) == 0);
	EXPECT(move(0, to, true) == 0);
	EXPECT(fill(to, 3, true) == 0);
	EXPECT(fill(to, 4, true) == -EILSEQ);
out:
	bufalloc_put(to);
	bufalloc_put(from);
}

/* Write or compare all of a buffer, through a window of at most @view bytes. */
static int slide(struct bufalloc_buffer *buf, u8 seed, bool compare,
		 size_t view)
{
	struct bufalloc_window window;
	size_t at = 0, i;
	int ret;

	ret = bufalloc_window_open(&window, buf, compare ? DMA_FROM_DEVICE :
							   DMA_TO_DEVICE);
	while (!ret && at < bufalloc_length(buf)) {
		size_t left = bufalloc_length(buf) - at;
		u8 *data;

		ret = bufalloc_window_move(&window, at, min(left, view));
		if (ret)
			break;
		data = window.data;
		if (!window.length || window.length > view ||
		    is_vmalloc_addr(data))
			ret = -EPROTO;
		for (i = 0; i < window.length; i++) {
			if (!compare)
				data[i] = (at + i) * 7 + seed;
			else if (data[i] != (u8)((at + i) * 7 + seed))
				ret = -EILSEQ;
		}
		at += window.length;
	}
	bufalloc_window_close(&window);
	return ret;
}

static void check_window(void)
{
	struct bufalloc_buffer *from = alloc_buffer(LENGTH);
	struct bufalloc_buffer *to = alloc_buffer(LENGTH);

	EXPECT(!IS_ERR(from) && !IS_ERR(to));
	EXPECT(slide(from, 5, false, SZ_64K) == 0);
	EXPECT(slide(from, 5, true, 1000) == 0);
	EXPECT(slide(from, 6, true, SIZE_MAX) == -EILSEQ);
	/* A device and the other kinds of CPU access see the same bytes. */
	EXPECT(fill(from, 5, true) == 0);
	EXPECT(move(0, from, false) == 0);
	EXPECT(slide(to, 99, false, SZ_4K + 1) == 0);
	EXPECT(move(0, to, true) == 0);
	EXPECT(fill(to, 5, true) == 0);
out:
	bufalloc_put(to);
	bufalloc_put(from);
}

/* A page in view, then one before it: the search starts anew. */
static void check_window_moves(void)
{
	struct bufalloc_buffer *buf = alloc_buffer(LENGTH);
	struct bufalloc_request request = {
		.length = LENGTH,
		.attributes = BUFALLOC_ATTRIBUTE_NEVER_CPU,
	};
	struct bufalloc_buffer *never_cpu = NULL;
	struct bufalloc_window window = {};
	u8 *data;

	EXPECT(!IS_ERR(buf));
	EXPECT(slide(buf, 0, false, PAGE_SIZE) == 0);
	EXPECT(bufalloc_window_open(&window, buf, DMA_NONE) == -EINVAL);
	EXPECT(bufalloc_window_open(&window, buf, DMA_BIDIRECTIONAL) == 0);
	EXPECT(!window.data && !window.length);
	EXPECT(bufalloc_window_move(&window, LENGTH - 3, 3) == 0);
	data = window.data;
	EXPECT(window.length == 3 && data[2] == (u8)((LENGTH - 1) * 7));
	EXPECT(bufalloc_window_move(&window, 0, 0) == -EINVAL);
	EXPECT(bufalloc_window_move(&window, LENGTH - 3, 4) == -EINVAL);
	EXPECT(bufalloc_window_move(&window, LENGTH, 1) == -EINVAL);
	EXPECT(bufalloc_window_move(&window, SIZE_MAX, 2) == -EINVAL);
	EXPECT(bufalloc_window_move(&window, 1, SIZE_MAX) == -EINVAL);
	EXPECT(window.data == data && window.length == 3);
	EXPECT(bufalloc_window_move(&window, 1, 2) == 0);
	data = window.data;
	EXPECT(window.length == 2 && data[0] == 7 && data[1] == 14);
	bufalloc_window_close(&window);
	EXPECT(!window.data && !window.length);
	never_cpu = bufalloc_alloc(&request, NULL);
	EXPECT(!IS_ERR(never_cpu));
	EXPECT(bufalloc_window_open(&window, never_cpu, DMA_FROM_DEVICE) ==
	       -EACCES);
out:
	bufalloc_put(never_cpu);
	bufalloc_put(buf);
}

/* The memory stays as long as anybody has it. */
static void check_export(void)
{
	struct bufalloc_buffer *buf = alloc_buffer(LENGTH);
	struct bufalloc_buffer *again = NULL;
	struct dma_buf *dmabuf = NULL;

	EXPECT(!IS_ERR(buf));
	EXPECT(fill(buf, 9, false) == 0);
	dmabuf = bufalloc_export(buf, O_RDWR);
	EXPECT(!IS_ERR(dmabuf));
	EXPECT(dmabuf->size == LENGTH);
	bufalloc_put(buf);
	buf = NULL;
	again = bufalloc_of_dmabuf(dmabuf);
	EXPECT(again);
	dma_buf_put(dmabuf);
	dmabuf = NULL;
	EXPECT(fill(again, 9, true) == 0);
out:
	if (!IS_ERR_OR_NULL(dmabuf))
		dma_buf_put(dmabuf);
	bufalloc_put(again);
	bufalloc_put(buf);
}

static struct sg_table *foreign_map(struct dma_buf_attachment *attachment,
				    enum dma_data_direction dir)
{
	return ERR_PTR(-EIO);
}

static void foreign_unmap(struct dma_buf_attachment *attachment,
			  struct sg_table *table, enum dma_data_direction dir)
{
}

static void foreign_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops foreign_ops = {
	.map_dma_buf = foreign_map,
	.unmap_dma_buf = foreign_unmap,
	.release = foreign_release,
};

static void check_foreign_dmabuf(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &foreign_ops;
	info.size = PAGE_SIZE;
	info.priv = &why;
	dmabuf = dma_buf_export(&info);
	EXPECT(!IS_ERR(dmabuf));
	EXPECT(!bufalloc_of_dmabuf(dmabuf));
	dma_buf_put(dmabuf);
out:
	return;
}

/* A domain of the driver's own, to which the device is attached. */
static struct iommu_domain *own_domain(int i)
{
	struct iommu_domain *domain;
	int ret;

	if (!iommu_get_domain_for_dev(dev_of(i)))
		return ERR_PTR(-ENODEV);
	domain = iommu_domain_alloc(dev_of(i)->bus);
	if (!domain)
		return ERR_PTR(-ENOMEM);
	ret = iommu_attach_device(domain, dev_of(i));
	if (ret) {
		iommu_domain_free(domain);
		return ERR_PTR(ret);
	}
	return domain;
}

static void free_domain(int i, struct iommu_domain *domain)
{
	if (IS_ERR_OR_NULL(domain))
		return;
	iommu_detach_device(domain, dev_of(i));
	iommu_domain_free(domain);
}

#define READ_WRITE (IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

/*
 * A device with two bus masters: the same buffers in two domains at once, at
 * addresses of the driver's choice, the last page included.
 */
static void check_two_domains(void)
{
	const unsigned long at[DEVICES] = { 0x10000000, 0x7ff00000 };
	struct bufalloc_buffer *from = alloc_buffer(LENGTH);
	struct bufalloc_buffer *to = alloc_buffer(LENGTH);
	struct iommu_domain *domain[DEVICES] = {};
	int i;

	EXPECT(!IS_ERR(from) && !IS_ERR(to));
	EXPECT(fill(from, 77, false) == 0);
	for (i = 0; i < DEVICES; i++) {
		domain[i] = own_domain(i);
		EXPECT(!IS_ERR(domain[i]));
		EXPECT(bufalloc_map_domain(from, domain[i], at[i],
					   READ_WRITE) == 0);
		EXPECT(bufalloc_map_domain(to, domain[i], at[i] + LENGTH,
					   READ_WRITE) == 0);
	}
	/* One reads the start, the other one writes the end of the other. */
	EXPECT(edu_read_memory(devices[0].registers, at[0], EDU_PIECE) == 0);
	EXPECT(edu_write_memory(devices[0].registers,
				at[0] + LENGTH + LENGTH - EDU_PIECE,
				EDU_PIECE) == 0);
	EXPECT(edu_read_memory(devices[1].registers,
			       at[1] + LENGTH + LENGTH - EDU_PIECE,
			       EDU_PIECE) == 0);
	EXPECT(edu_write_memory(devices[1].registers, at[1] + LENGTH,
				EDU_PIECE) == 0);
	EXPECT(fill(to, 77, true) == 0);
	for (i = 0; i < DEVICES; i++) {
		bufalloc_unmap_domain(from, domain[i], at[i]);
		bufalloc_unmap_domain(to, domain[i], at[i] + LENGTH);
		EXPECT(!iommu_iova_to_phys(domain[i], at[i]));
		EXPECT(!iommu_iova_to_phys(domain[i],
					   at[i] + 2 * LENGTH - PAGE_SIZE));
	}
out:
	for (i = 0; i < DEVICES; i++)
		free_domain(i, domain[i]);
	bufalloc_put(to);
	bufalloc_put(from);
}

static void check_domain_refusals(void)
{
	struct bufalloc_buffer *buf = alloc_buffer(LENGTH);
	struct iommu_domain *domain = own_domain(0);
	const unsigned long at = 0x20000000;
	u64 end;

	EXPECT(!IS_ERR(buf) && !IS_ERR(domain));
	end = domain->geometry.aperture_end;
	EXPECT(bufalloc_map_domain(buf, domain, at, 0) == -EINVAL);
	EXPECT(bufalloc_map_domain(buf, domain, at, IOMMU_CACHE) == -EINVAL);
	EXPECT(bufalloc_map_domain(buf, domain, at + 512, READ_WRITE) ==
	       -EINVAL);
	EXPECT(bufalloc_map_domain(buf, domain,
				   ULONG_MAX - LENGTH + 1 + PAGE_SIZE,
				   READ_WRITE) == -ERANGE);
	if (domain->geometry.force_aperture && end < ULONG_MAX)
		EXPECT(bufalloc_map_domain(buf, domain,
					   end + 1 - LENGTH + PAGE_SIZE,
					   READ_WRITE) == -ERANGE);
	EXPECT(bufalloc_map_domain(buf, domain, at, READ_WRITE) == 0);
	/* The last page of one is the first of the other. */
	EXPECT(bufalloc_map_domain(buf, domain, at + LENGTH - PAGE_SIZE,
				   READ_WRITE) == -EEXIST);
	EXPECT(!iommu_iova_to_phys(domain, at + LENGTH));
	EXPECT(bufalloc_map_domain(buf, domain, at - LENGTH + PAGE_SIZE,
				   READ_WRITE) == -EEXIST);
	EXPECT(!iommu_iova_to_phys(domain, at - PAGE_SIZE));
	EXPECT(iommu_iova_to_phys(domain, at));
	bufalloc_unmap_domain(buf, domain, at);
	EXPECT(!iommu_iova_to_phys(domain, at));
out:
	free_domain(0, domain);
	bufalloc_put(buf);
}

/* The caller's dma-buf is of memory that nobody may write to. */
static void check_read_only(void)
{
	struct dma_buf *dmabuf = dma_buf_get(callers_fd);
	struct iommu_domain *domain = own_domain(0);
	struct bufalloc_buffer *buf = NULL;
	const unsigned long at = 0x30000000;
	struct bufalloc_window window;

	EXPECT(!IS_ERR(dmabuf) && !IS_ERR(domain));
	buf = bufalloc_of_dmabuf(dmabuf);
	EXPECT(buf);
	EXPECT(bufalloc_map(buf, dev_of(0)) == ERR_PTR(-EACCES));
	EXPECT(bufalloc_map_domain(buf, domain, at, READ_WRITE) == -EACCES);
	EXPECT(bufalloc_map_domain(buf, domain, at, IOMMU_WRITE) == -EACCES);
	EXPECT(!iommu_iova_to_phys(domain, at));
	EXPECT(bufalloc_map_domain(buf, domain, at, IOMMU_READ) == 0);
	bufalloc_unmap_domain(buf, domain, at);
	EXPECT(bufalloc_window_open(&window, buf, DMA_BIDIRECTIONAL) ==
	       -EACCES);
	EXPECT(bufalloc_window_open(&window, buf, DMA_TO_DEVICE) == -EACCES);
	EXPECT(bufalloc_window_open(&window, buf, DMA_FROM_DEVICE) == 0);
	bufalloc_window_close(&window);
	/* Another dma-buf of it gives nobody more, either. */
	EXPECT(fill(buf, 1, false) == -EINVAL);
out:
	bufalloc_put(buf);
	free_domain(0, domain);
	if (!IS_ERR(dmabuf))
		dma_buf_put(dmabuf);
}

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{ "alloc", check_alloc },
	{ "alloc_in_probe", check_alloc_in_probe },
	{ "refusals", check_refusals },
	{ "map", check_map },
	{ "export", check_export },
	{ "foreign_dmabuf", check_foreign_dmabuf },
	{ "window", check_window },
	{ "window_moves", check_window_moves },
	{ "two_domains", check_two_domains },
	{ "domain_refusals", check_domain_refusals },
	{ "read_only", check_read_only },
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
	if (!devices[0].pdev || !devices[1].pdev) {
		mutex_unlock(&lock);
		return -ENODEV;
	}
	why[0] = 0;
	callers_fd = arg->fd;
	checks[i].run();
	strscpy_pad(arg->why, why, sizeof(arg->why));
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

static const struct file_operations ba_api_fops = {
	.owner = THIS_MODULE,
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
	struct bufalloc_buffer *buf = alloc_for(&use, 1, LENGTH, NULL);

	bufalloc_put(buf);
	return PTR_ERR_OR_ZERO(buf);
}

static int ba_api_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int i, ret;

	for (i = 0; i < DEVICES; i++)
		if (!devices[i].pdev)
			break;
	if (i == DEVICES)
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
	devices[i].registers = pcim_iomap_table(pdev)[0];
	devices[i].in_probe = alloc_in_probe(&pdev->dev);

	mutex_lock(&lock);
	devices[i].pdev = pdev;
	mutex_unlock(&lock);
	return 0;
}

static void ba_api_remove(struct pci_dev *pdev)
{
	int i;

	mutex_lock(&lock);
	for (i = 0; i < DEVICES; i++)
		if (devices[i].pdev == pdev)
			devices[i].pdev = NULL;
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
MODULE_IMPORT_NS(DMA_BUF);
MODULE_IMPORT_NS(BUFALLOC);
