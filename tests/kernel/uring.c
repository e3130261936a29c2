// SPDX-License-Identifier: MIT
/*
 * io_uring as io_uring_setup(2) has it; see uring.h. No liburing: guests of other
 * architectures have none, and this is all that is needed of it.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/io_uring.h>

#include "ktest.h"
#include "uring.h"

struct uring
uring_open(void)
{
	struct io_uring_params params = { 0 };
	struct uring uring = {
		.fd = (int)syscall(SYS_io_uring_setup, 1, &params),
	};
	uint8_t *rings;

	if (uring.fd < 0) {
		ktest_skip("no io_uring (errno %s)", ktest_errno_name());
	}
	CHECK(params.features & IORING_FEAT_SINGLE_MMAP);
	uring.rings_length = params.cq_off.cqes +
			     params.cq_entries * sizeof(struct io_uring_cqe);
	if (params.sq_off.array + params.sq_entries * 4 > uring.rings_length) {
		uring.rings_length = params.sq_off.array + params.sq_entries * 4;
	}
	rings = mmap(NULL, uring.rings_length, PROT_READ | PROT_WRITE, MAP_SHARED,
		     uring.fd, IORING_OFF_SQ_RING);
	uring.entries = mmap(NULL, sizeof(struct io_uring_sqe),
			     PROT_READ | PROT_WRITE, MAP_SHARED, uring.fd,
			     IORING_OFF_SQES);
	CHECK(rings != MAP_FAILED && uring.entries != MAP_FAILED);
	uring.rings = rings;
	uring.sq_tail = (uint32_t *)(rings + params.sq_off.tail);
	uring.sq_array = (uint32_t *)(rings + params.sq_off.array);
	uring.cq_head = (uint32_t *)(rings + params.cq_off.head);
	uring.cq_tail = (uint32_t *)(rings + params.cq_off.tail);
	uring.cqes = rings + params.cq_off.cqes;
	return uring;
}

void
uring_close(struct uring *uring)
{
	munmap(uring->rings, uring->rings_length);
	munmap(uring->entries, sizeof(struct io_uring_sqe));
	close(uring->fd);
}

int
uring_try_register(struct uring *uring, void *data, size_t length)
{
	struct iovec memory = { .iov_base = data, .iov_len = length };

	return (int)syscall(SYS_io_uring_register, uring->fd,
			    IORING_REGISTER_BUFFERS, &memory, 1);
}

void
uring_read_fixed(struct uring *uring, int fd, void *data, size_t length,
		 uint64_t offset)
{
	struct io_uring_sqe *entry = uring->entries;

	memset(entry, 0, sizeof(*entry));
	entry->opcode = IORING_OP_READ_FIXED;
	entry->fd = fd;
	entry->addr = (uintptr_t)data;
	entry->len = (uint32_t)length;
	entry->off = offset;
	uring->sq_array[0] = 0;
	__atomic_store_n(uring->sq_tail, *uring->sq_tail + 1, __ATOMIC_RELEASE);
	CHECK_EQ(syscall(SYS_io_uring_enter, uring->fd, 1, 0, 0, NULL, 0), 1);
}

bool
uring_is_done(struct uring *uring, int *result)
{
	const struct io_uring_cqe *done = uring->cqes;
	uint32_t tail;

	/* What is to be done in this task is done when it enters the kernel. */
	CHECK(syscall(SYS_io_uring_enter, uring->fd, 0, 0,
		      IORING_ENTER_GETEVENTS, NULL, 0) >= 0);
	tail = __atomic_load_n(uring->cq_tail, __ATOMIC_ACQUIRE);
	if (tail == *uring->cq_head) {
		return false;
	}
	/* There are two of them, used in turn. */
	*result = done[*uring->cq_head & 1].res;
	__atomic_store_n(uring->cq_head, *uring->cq_head + 1, __ATOMIC_RELEASE);
	return true;
}
