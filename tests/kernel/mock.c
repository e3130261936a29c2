// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mock.h"
#include "user.h"

/* One device merges the runs behind an IOMMU, one has none. */
static const struct mock_kind kinds[] = {
	{ "devices 0 and 1, memory of ours", 0, false },
	{ "devices 0 and 1, memory of the process", 0, true },
	{ "devices 2 and 3, memory of ours", 2, false },
	{ "devices 2 and 3, memory of the process", 2, true },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int
try_import(struct mock *mock, unsigned int index)
{
	struct ba_mock_import arg = {
		.fd = mock->fd,
		.device = mock->kind->first + index,
	};
	int ret = ioctl(mock->devices[index], BA_MOCK_IMPORT, &arg);

	mock->segments = arg.segments;
	mock->line = arg.line;
	return ret;
}

void
mock_import(struct mock *mock, unsigned int index)
{
	CHECK_EQ(try_import(mock, index), 0);
}

void
mock_release(struct mock *mock, unsigned int index)
{
	CHECK_EQ(ioctl(mock->devices[index], BA_MOCK_RELEASE), 0);
}

void
mock_write(struct mock *mock, unsigned int index, const uint8_t *data,
	   size_t offset, size_t length)
{
	struct ba_mock_access access = {
		.offset = offset, .length = length, .data = (uintptr_t)data,
	};

	CHECK_EQ(ioctl(mock->devices[index], BA_MOCK_WRITE, &access), 0);
}

void
mock_read(struct mock *mock, unsigned int index, uint8_t *data, size_t offset,
	  size_t length)
{
	struct ba_mock_access access = {
		.offset = offset, .length = length, .data = (uintptr_t)data,
	};

	CHECK_EQ(ioctl(mock->devices[index], BA_MOCK_READ, &access), 0);
}

struct ba_mock_counts
mock_counts(struct mock *mock)
{
	struct ba_mock_counts seen;

	CHECK_EQ(ioctl(mock->devices[0], BA_MOCK_COUNTS, &seen), 0);
	return seen;
}

void
mock_sync(struct mock *mock, uint32_t flags, size_t offset, size_t length)
{
	struct bufalloc_sync_range sync = {
		.size = sizeof(sync),
		.flags = flags,
		.fd = mock->fd,
		.offset = offset,
		.length = length,
	};

	CHECK_EQ(ioctl(mock->node, BUFALLOC_IOCTL_SYNC_RANGE, &sync), 0);
}

uint8_t
mock_byte(size_t at, uint32_t seed)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + seed);
}

void
mock_fill(uint8_t *data, size_t length, uint32_t seed)
{
	for (size_t at = 0; at < length; at++) {
		data[at] = mock_byte(at, seed);
	}
}

size_t
mock_match(const uint8_t *data, size_t length, uint32_t seed)
{
	size_t at = 0;

	while (at < length && data[at] == mock_byte(at, seed)) {
		at++;
	}
	return at;
}

bool
mock_sees(struct mock *mock, unsigned int index, uint32_t seed)
{
	uint8_t *seen = malloc(mock->length);
	bool same;

	CHECK(seen != NULL);
	mock_read(mock, index, seen, 0, mock->length);
	same = mock_match(seen, mock->length, seed) == mock->length;
	free(seen);
	return same;
}

void
mock_fills(struct mock *mock, unsigned int index, uint32_t seed)
{
	uint8_t *data = malloc(mock->length);

	CHECK(data != NULL);
	mock_fill(data, mock->length, seed);
	mock_write(mock, index, data, 0, mock->length);
	free(data);
}

static void
set_up(struct mock *mock, const struct mock_kind *kind, size_t length)
{
	memset(mock, 0, sizeof(*mock));
	mock->kind = kind;
	mock->length = length;
	mock->node = ba_open();
	/* The mock knows the memory from here on. */
	for (int i = 0; i < 2; i++) {
		mock->devices[i] = open("/dev/ba_mock", O_RDWR | O_CLOEXEC);
		if (mock->devices[i] < 0) {
			ktest_skip("ba_mock is not loaded");
		}
	}
	if (kind->user) {
		mock->data = user_scattered(length);
		mock->fd = user_import(mock->node, mock->data, length, 0);
	} else {
		mock->fd = ba_alloc(mock->node, BUFALLOC_HEAP_SYSTEM, length);
		mock->data = ba_map(mock->fd, length);
	}
}

static void
tear_down(struct mock *mock)
{
	close(mock->devices[0]);
	close(mock->devices[1]);
	if (mock->data != NULL) {
		munmap(mock->data, mock->length);
	}
	close(mock->fd);
	close(mock->node);
}

void
mock_on_each_kind(void (*body)(struct mock *mock), size_t length)
{
	unsigned int ran = 0;

	for (size_t i = 0; i < KINDS; i++) {
		struct mock mock;

		set_up(&mock, &kinds[i], length);
		mock_fill(mock.data, length, 1);
		if (try_import(&mock, 0) == 0) {
			mock_import(&mock, 1);
			ktest_note("%s: %llu runs, %u segments", kinds[i].name,
				   (unsigned long long)ba_buffer_info(mock.node,
						mock.fd).out_runs,
				   mock.segments);
			mock_counts(&mock);
			body(&mock);
			/* Nothing beside the buffer was touched. */
			CHECK_EQ(mock_counts(&mock).stray, 0);
			ran++;
		} else {
			CHECK_EQ(errno, ENODEV);
		}
		tear_down(&mock);
	}
	CHECK(ran > 0);
}

/* Caches know no smaller parts than lines of that length. */
struct mock_range
mock_in_lines(struct mock_range range, size_t line)
{
	size_t first = range.offset / line * line;
	size_t end = range.offset + range.length;

	end = (end + line - 1) / line * line;
	return (struct mock_range){ first, end - first };
}
