// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of the in-kernel API as a driver has them that works for user space: the
 * kernel's mapping, syncs, references, and a process's own memory.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "api_checks.h"

void api_check_users(void)
{
	struct bufalloc_buffer *buf = api_alloc(API_LENGTH);
	struct dma_buf *dmabuf;

	EXPECT(!IS_ERR(buf));
	EXPECT(bufalloc_users(buf) == 1);
	dmabuf = bufalloc_export(buf, O_RDWR);
	EXPECT(!IS_ERR(dmabuf));
	EXPECT(bufalloc_users(buf) == 2);
	dma_buf_put(dmabuf);
	/* Its end is asynchronous. */
	EXPECT(bufalloc_users(buf) <= 2);
out:
	bufalloc_put(buf);
}

/* What the CPU writes by its mapping is what the window has. */
void api_check_vmap(void)
{
	const u64 never = BUFALLOC_ATTRIBUTE_NEVER_CPU;
	struct bufalloc_request request = { .length = API_LENGTH,
					    .attributes = never };
	struct bufalloc_buffer *buf = api_alloc(API_LENGTH);
	struct bufalloc_buffer *unseen = bufalloc_alloc(&request, NULL);
	u8 *data = NULL;
	size_t i;

	EXPECT(!IS_ERR(buf) && !IS_ERR(unseen));
	EXPECT(!bufalloc_vmap(unseen));
	data = bufalloc_vmap(buf);
	EXPECT(data);
	for (i = 0; i < API_LENGTH; i++)
		data[i] = api_byte(i, 7);
	/* The same for all who ask. */
	EXPECT(bufalloc_vmap(buf) == data);
	bufalloc_vunmap(buf);
	EXPECT(api_slide(buf, 7, true, SZ_64K) == 0);
out:
	if (data)
		bufalloc_vunmap(buf);
	bufalloc_put(unseen);
	bufalloc_put(buf);
}

/* What one writes and syncs, the other reads; one sync must not sleep. */
void api_check_syncs(void)
{
	struct bufalloc_buffer *buf = api_alloc(API_LENGTH);
	struct sg_table *write = NULL, *read = NULL;
	static DEFINE_SPINLOCK(spin);
	u8 *data = NULL;
	int i;

	EXPECT(!IS_ERR(buf));
	data = bufalloc_vmap(buf);
	read = bufalloc_map_to_read(buf, api_dev(0));
	write = bufalloc_map(buf, api_dev(1));
	EXPECT(data && !IS_ERR(read) && !IS_ERR(write));
	for (i = 0; i < EDU_PIECE; i++)
		data[i] = api_byte(i, 3);
	bufalloc_sync_for_device(buf, 0, EDU_PIECE, DMA_TO_DEVICE);
	EXPECT(edu_read_memory(api_devices[0].registers,
			       sg_dma_address(read->sgl), EDU_PIECE) == 0);
	memset(data, 0, EDU_PIECE);
	bufalloc_sync_for_device(buf, 0, API_LENGTH, DMA_FROM_DEVICE);
	/* Device 1 gets it from device 0 by way of the buffer's second half. */
	EXPECT(edu_write_memory(api_devices[0].registers,
				sg_dma_address(read->sgl), EDU_PIECE) == 0);
	spin_lock(&spin);
	bufalloc_sync_for_cpu(buf, api_dev(1), write, 0, API_LENGTH);
	spin_unlock(&spin);
	for (i = 0; i < EDU_PIECE; i++)
		EXPECT(data[i] == api_byte(i, 3));
out:
	if (!IS_ERR_OR_NULL(write))
		bufalloc_unmap(buf, api_dev(1), write);
	if (!IS_ERR_OR_NULL(read))
		bufalloc_unmap(buf, api_dev(0), read);
	if (data)
		bufalloc_vunmap(buf);
	bufalloc_put(buf);
}

/* Memory of the process that runs the check. */
void api_check_pin_user(void)
{
	unsigned long at = vm_mmap(NULL, 0, API_LENGTH, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, 0);
	struct bufalloc_buffer *buf = NULL, *fixed = NULL;
	struct sg_table *table;
	const u8 *seen;
	u8 byte = 99;

	EXPECT(!IS_ERR_VALUE(at));
	EXPECT(bufalloc_pin_user(at + 1, PAGE_SIZE, false) == ERR_PTR(-EINVAL));
	EXPECT(bufalloc_pin_user(at, PAGE_SIZE - 1, false) == ERR_PTR(-EINVAL));
	EXPECT(bufalloc_pin_user(at, 0, false) == ERR_PTR(-EINVAL));
	EXPECT(bufalloc_pin_user(0, PAGE_SIZE, false) == ERR_PTR(-EFAULT));
	EXPECT(bufalloc_pin_user(TASK_SIZE_MAX, PAGE_SIZE, false) ==
	       ERR_PTR(-EFAULT));
	buf = bufalloc_pin_user(at, API_LENGTH, false);
	EXPECT(!IS_ERR(buf));
	EXPECT(bufalloc_length(buf) == API_LENGTH);
	EXPECT(api_fill(buf, 6, false) == 0);
	EXPECT(copy_from_user(&byte, (void __user *)(at + 77), 1) == 0);
	EXPECT(byte == api_byte(77, 6));
	EXPECT(api_move(0, buf, false) == 0);

	/* Read-only: to be looked at, and no more. */
	fixed = bufalloc_pin_user(at, API_LENGTH, true);
	EXPECT(!IS_ERR(fixed));
	EXPECT(bufalloc_map(fixed, api_dev(0)) == ERR_PTR(-EACCES));
	table = bufalloc_map_to_read(fixed, api_dev(0));
	EXPECT(!IS_ERR(table));
	bufalloc_unmap(fixed, api_dev(0), table);
	seen = bufalloc_vmap(fixed);
	EXPECT(seen);
	byte = seen[77];
	bufalloc_vunmap(fixed);
	EXPECT(byte == api_byte(77, 6));
out:
	bufalloc_put(fixed);
	bufalloc_put(buf);
	if (!IS_ERR_VALUE(at))
		vm_munmap(at, API_LENGTH);
}

/* For the driver's mmap(): a buffer with a pattern. */
int api_mmap(struct vm_area_struct *vma)
{
	struct bufalloc_buffer *buf = api_alloc(API_LENGTH);
	int ret;

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	ret = api_slide(buf, 8, false, SZ_64K) ?: bufalloc_mmap(buf, vma);
	bufalloc_put(buf);
	return ret;
}
