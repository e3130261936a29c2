// SPDX-License-Identifier: MIT
/*
 * The calls that work on a range of a buffer: what is no range, no buffer of
 * ours or no valid structure is refused, with the same errno by each of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xf86drm.h>

#include "ktest.h"

#define LENGTH (1ull << 20)

/* The structures begin alike. */
struct range {
	uint32_t size;
	uint32_t flags;
	int32_t fd;
	uint32_t reserved;
	uint64_t offset;
	uint64_t length;
};

#define SAME_PLACE(type, field, as) \
	_Static_assert(offsetof(struct type, field) == offsetof(struct range, as), \
		       #type "." #field)
SAME_PLACE(bufalloc_sync_range, fd, fd);
SAME_PLACE(bufalloc_sync_range, __reserved, reserved);
SAME_PLACE(bufalloc_sync_range, offset, offset);
SAME_PLACE(bufalloc_sync_range, length, length);
SAME_PLACE(bufalloc_copy, fd, fd);
SAME_PLACE(bufalloc_copy, __reserved, reserved);
SAME_PLACE(bufalloc_copy, offset, offset);
SAME_PLACE(bufalloc_copy, length, length);

/* A valid call on the whole buffer. */
struct call {
	const char *name;
	unsigned int request;
	uint32_t size;
	uint32_t known_flags;
	union {
		struct range range;
		struct bufalloc_sync_range sync;
		struct bufalloc_copy copy;
		uint8_t bytes[8192];
	} arg;
};

/* As long as the buffer. */
static uint8_t memory[LENGTH];

static struct call calls[] = {
	{
		.name = "SYNC_RANGE",
		.request = BUFALLOC_IOCTL_SYNC_RANGE,
		.size = sizeof(struct bufalloc_sync_range),
		.known_flags = BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE |
			       BUFALLOC_SYNC_END,
		.arg.sync = {
			.size = sizeof(struct bufalloc_sync_range),
			.flags = BUFALLOC_SYNC_READ,
			.length = LENGTH,
		},
	},
	{
		.name = "COPY",
		.request = BUFALLOC_IOCTL_COPY,
		.size = sizeof(struct bufalloc_copy),
		.known_flags = BUFALLOC_COPY_IN,
		.arg.copy = {
			.size = sizeof(struct bufalloc_copy),
			.length = LENGTH,
		},
	},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

struct setup {
	int node, fd;
};

static struct setup
set_up(void)
{
	struct setup setup = { .node = ba_open() };

	setup.fd = ba_alloc(setup.node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	for (size_t i = 0; i < CALLS; i++) {
		calls[i].arg.range.fd = setup.fd;
		if (calls[i].request == BUFALLOC_IOCTL_COPY) {
			calls[i].arg.copy.address = (uintptr_t)memory;
		}
	}
	return setup;
}

static void
tear_down(struct setup *setup)
{
	close(setup->fd);
	close(setup->node);
}

/* Must fail with that errno (0: succeed). */
static void
expect(int node, const struct call *call, int expected, const char *what)
{
	struct call copy = *call;
	int ret = ioctl(node, copy.request, &copy.arg);

	if (ret != (expected == 0 ? 0 : -1) || (expected != 0 && errno != expected)) {
		ktest_fail(__FILE__, __LINE__, "%s, %s: %d, errno %s, expected %s",
			   call->name, what, ret, ktest_errno_name(),
			   expected == 0 ? "0" : strerrorname_np(expected));
	}
}

static void
not_a_range(void)
{
	static const struct {
		uint64_t offset, length;
		int expected;
	} ranges[] = {
		{ 0, LENGTH, 0 },
		{ 0, 1, 0 },
		{ LENGTH - 1, 1, 0 },
		{ 0, 0, EINVAL },
		{ LENGTH - 1, 0, EINVAL },
		{ 0, LENGTH + 1, EINVAL },
		{ 1, LENGTH, EINVAL },
		{ LENGTH - 1, 2, EINVAL },
		{ LENGTH, 0, EINVAL },
		{ LENGTH, 1, EINVAL },
		{ LENGTH + 1, 1, EINVAL },
		{ UINT64_MAX, 1, EINVAL },
		{ UINT64_MAX, 2, EINVAL },
		{ 1, UINT64_MAX, EINVAL },
		{ UINT64_MAX, UINT64_MAX, EINVAL },
		{ (uint64_t)1 << 32, 1, EINVAL },
		{ 0, (uint64_t)1 << 32, EINVAL },
		{ (uint64_t)1 << 63, (uint64_t)1 << 63, EINVAL },
	};
	struct setup setup = set_up();

	for (size_t i = 0; i < CALLS; i++) {
		for (size_t n = 0; n < sizeof(ranges) / sizeof(ranges[0]); n++) {
			struct call call = calls[i];
			char what[64];

			snprintf(what, sizeof(what), "%llu bytes at %llu",
				 (unsigned long long)ranges[n].length,
				 (unsigned long long)ranges[n].offset);
			call.arg.range.offset = ranges[n].offset;
			call.arg.range.length = ranges[n].length;
			expect(setup.node, &call, ranges[n].expected, what);
		}
	}
	tear_down(&setup);
}

static void
not_a_buffer_of_ours(void)
{
	struct setup setup = set_up();
	int card = drm_open_driver("vgem");
	struct drm_mode_create_dumb dumb = { .width = 64, .height = 64, .bpp = 32 };
	int foreign;

	CHECK_EQ(drmIoctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb), 0);
	CHECK_EQ(drmPrimeHandleToFD(card, dumb.handle, O_RDWR | O_CLOEXEC,
				    &foreign), 0);
	for (size_t i = 0; i < CALLS; i++) {
		struct call call = calls[i];

		call.arg.range.length = 1;
		call.arg.range.fd = -1;
		expect(setup.node, &call, EBADF, "fd -1");
		call.arg.range.fd = 200;
		expect(setup.node, &call, EBADF, "fd that is not open");
		call.arg.range.fd = setup.node;
		expect(setup.node, &call, EINVAL, "fd that is no dma-buf");
		call.arg.range.fd = foreign;
		expect(setup.node, &call, EOPNOTSUPP, "another exporter's");
	}
	close(foreign);
	close(card);
	tear_down(&setup);
}

static void
bad_structures(void)
{
	struct setup setup = set_up();

	for (size_t i = 0; i < CALLS; i++) {
		struct call call = calls[i];

		for (uint32_t size = 0; size < call.size; size++) {
			call.arg.range.size = size;
			expect(setup.node, &call, EINVAL, "too small a size");
		}
		call.arg.range.size = call.size + 8;
		expect(setup.node, &call, 0, "a longer structure");
		call.arg.bytes[call.size + 7] = 1;
		expect(setup.node, &call, E2BIG, "a tail that is not 0");
		call = calls[i];
		call.arg.range.size = 4097;
		expect(setup.node, &call, E2BIG, "more than a page");
		for (int bit = 0; bit < 32; bit++) {
			call = calls[i];
			call.arg.range.flags |= 1u << bit;
			if (!(1u << bit & call.known_flags)) {
				expect(setup.node, &call, EINVAL,
				       "an unknown flag");
			}
			call = calls[i];
			call.arg.range.reserved = 1u << bit;
			expect(setup.node, &call, EINVAL, "padding");
		}
		CHECK_ERRNO(EFAULT, ioctl(setup.node, call.request, NULL));
	}
	tear_down(&setup);
}

static void
sync_without_access(void)
{
	struct setup setup = set_up();
	struct call call = calls[0];

	call.arg.range.flags = 0;
	expect(setup.node, &call, EINVAL, "neither reads nor writes");
	call.arg.range.flags = BUFALLOC_SYNC_END;
	expect(setup.node, &call, EINVAL, "neither reads nor writes, end");
	CHECK_EQ(ba_buffer_info(setup.node, setup.fd).out_cpu_accesses, 0);
	tear_down(&setup);
}

static const struct ktest_row rows[] = {
	{ "not-a-range-einval", not_a_range },
	{ "not-a-buffer-of-ours", not_a_buffer_of_ours },
	{ "bad-structures", bad_structures },
	{ "sync-without-access-einval", sync_without_access },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
