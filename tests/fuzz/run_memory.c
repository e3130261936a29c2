// SPDX-License-Identifier: MIT
/*
 * Memory of the process, and mappings of buffers.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "run.h"

/* At most that much of a mapping is touched by one call. */
#define MOST_TOUCHED 64

static int
fixed(struct run *run, size_t length)
{
	return run_place(run, length) != NULL ? MAP_FIXED : 0;
}

long
op_map(struct run *run, const uint64_t *args)
{
	size_t length = args[1];
	int flags = args[3] ? MAP_PRIVATE : MAP_SHARED;

	return run_made_map(run, mmap(run_place(run, length), length, (int)args[2] & 7,
				      flags | fixed(run, length),
				      run_fd(run, args[0]), (off_t)args[4]),
			    length);
}

/**
 * enum from - what memory() is of
 */
enum from {
	FROM_ANONYMOUS,
	FROM_SHARED,
	FROM_POPULATED,
	FROM_MEMFD,
	FROM_MEMFD_PRIVATE,
	FROM_HUGE,
	FROM_SECRET,
	FROM_FILE,
	FROM_ZERO,
	FROM_NOTHING,
};

static int
memory_file(uint64_t from, size_t length)
{
	int fd = -1;

	switch (from) {
	case FROM_MEMFD:
	case FROM_MEMFD_PRIVATE:
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		break;
	case FROM_HUGE:
		fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_HUGETLB);
		break;
	case FROM_SECRET:
		fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
		break;
	case FROM_FILE:
		return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	case FROM_ZERO:
		return open("/dev/zero", O_RDWR | O_CLOEXEC);
	default:
		return -1;
	}
	if (fd >= 0 && ftruncate(fd, (off_t)length) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

long
op_memory(struct run *run, const uint64_t *args)
{
	size_t length = args[0];
	int flags = fixed(run, length), fd = memory_file(args[1], length);
	void *map;

	switch (args[1]) {
	case FROM_SHARED:
		flags |= MAP_SHARED | MAP_ANONYMOUS;
		break;
	case FROM_POPULATED:
		flags |= MAP_PRIVATE | MAP_ANONYMOUS;
		if (length < 16 << 20) {
			flags |= MAP_POPULATE;
		}
		break;
	case FROM_MEMFD:
	case FROM_HUGE:
	case FROM_SECRET:
		flags |= MAP_SHARED;
		break;
	case FROM_MEMFD_PRIVATE:
	case FROM_FILE:
	case FROM_ZERO:
		flags |= MAP_PRIVATE;
		break;
	default:
		flags |= MAP_PRIVATE | MAP_ANONYMOUS;
		break;
	}
	map = mmap(run_place(run, length), length, (int)args[2] & 7, flags, fd, 0);
	if (fd >= 0) {
		close(fd);
	}
	return run_made_map(run, map, length);
}

/* The part of a mapping that a call names; its length, 0: it names none. */
static size_t
part(struct run *run, const uint64_t *args, uint8_t **start)
{
	const struct slot *slot;
	size_t length = args[2];

	if (args[0] == NO_RESULT || args[0] >= run->at) {
		return 0;
	}
	slot = &run->slots[args[0]];
	if (slot->map == NULL || args[1] >= slot->length) {
		return 0;
	}
	*start = slot->map + args[1];
	if (length > slot->length - args[1]) {
		length = slot->length - args[1];
	}
	return length;
}

long
op_touch(struct run *run, const uint64_t *args)
{
	uint8_t *start = NULL;
	size_t length = part(run, args, &start);
	size_t step = length / MOST_TOUCHED > PAGE ? length / MOST_TOUCHED : PAGE;

	for (size_t at = 0; at < length; at += step) {
		if (!run_touch(start + at, args[3] & 1)) {
			return -1;
		}
	}
	return 0;
}

/* Whole pages of it: other parts are no part. */
static size_t
pages(struct run *run, const uint64_t *args, uint8_t **start)
{
	size_t length = part(run, args, start);
	size_t ahead = (uintptr_t)*start % PAGE;

	*start -= ahead;
	return length > 0 ? (length + ahead + PAGE - 1) / PAGE * PAGE : 0;
}

long
op_unmap(struct run *run, const uint64_t *args)
{
	uint8_t *start = NULL;
	size_t length = pages(run, args, &start);

	return length > 0 ? munmap(start, length) : -1;
}

long
op_remap(struct run *run, const uint64_t *args)
{
	uint8_t *start = NULL;
	size_t length = pages(run, args, &start);

	if (length == 0 || run_place(run, args[2]) == NULL) {
		return -1;
	}
	return run_made_map(run, mremap(start, length, args[2],
					MREMAP_MAYMOVE | MREMAP_FIXED,
					run_place(run, args[2])),
			    args[2]);
}

long
op_protect(struct run *run, const uint64_t *args)
{
	uint8_t *start = NULL;
	size_t length = pages(run, args, &start);

	return length > 0 ? mprotect(start, length, (int)args[3] & 7) : -1;
}

long
op_advise(struct run *run, const uint64_t *args)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_FREE, MADV_REMOVE, MADV_WIPEONFORK,
		21 /* PAGEOUT */, 22 /* POPULATE_READ */,
	};
	uint8_t *start = NULL;
	size_t length = pages(run, args, &start);

	return length > 0 ? madvise(start, length, advice[args[3] % 10]) : -1;
}

/* A pipe that holds pages of it, or what the kernel reads through it. */
long
op_pin(struct run *run, const uint64_t *args)
{
	struct iovec vector = { 0 };
	int ends[2];

	vector.iov_len = part(run, args, (uint8_t **)&vector.iov_base);
	if (vector.iov_len > 16 * PAGE) {
		vector.iov_len = 16 * PAGE;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
		return -1;
	}
	if (args[3] & 1) {
		(void)!write(ends[1], vector.iov_base, vector.iov_len);
	} else {
		(void)!vmsplice(ends[1], &vector, 1, SPLICE_F_NONBLOCK);
	}
	close(ends[1]);
	return run_made_fd(run, ends[0]);
}
