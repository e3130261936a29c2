// SPDX-License-Identifier: MIT
/*
 * CPU access beside devices that do not see the CPU's caches, with a mock of both
 * (modules/ba_mock.h): what is not synced is seen as old data, and the mock counts
 * what was.
 */
#include <stdlib.h>

#include <linux/dma-buf.h>

#include "mock.h"
#include "user.h"

/* A picture of 1920x272 pixels of 4 bytes: whole pages. */
#define ROW ((size_t)1920 * 4)
#define LENGTH (ROW * 272)

/* The mock itself: without a sync nobody sees what another wrote. */
static void
nothing_by_itself_body(struct mock *mock)
{
	CHECK(mock_sees(mock, 0, 1));
	mock_fills(mock, 0, 2);
	CHECK(mock_sees(mock, 1, 2));
	CHECK_EQ(mock_match(mock->data, mock->length, 1), mock->length);
	mock_fill(mock->data, mock->length, 3);
	CHECK(mock_sees(mock, 0, 2));
}

static void
nothing_by_itself(void)
{
	mock_on_each_kind(nothing_by_itself_body, LENGTH);
}

static void
device_to_cpu_body(struct mock *mock)
{
	for (uint32_t i = 0; i < 2; i++) {
		mock_fills(mock, i, 10 + i);
		CHECK_EQ(mock_match(mock->data, mock->length, 10 + i), 0);
		mock_sync(mock, BEGIN_READ, 0, mock->length);
		CHECK_EQ(mock_match(mock->data, mock->length, 10 + i),
			 mock->length);
		mock_sync(mock, END_READ, 0, mock->length);
	}
}

static void
device_to_cpu(void)
{
	mock_on_each_kind(device_to_cpu_body, LENGTH);
}

static void
cpu_to_device_body(struct mock *mock)
{
	mock_sync(mock, BEGIN_WRITE, 0, mock->length);
	mock_fill(mock->data, mock->length, 20);
	CHECK(mock_sees(mock, 0, 1));
	mock_sync(mock, END_WRITE, 0, mock->length);
	CHECK(mock_sees(mock, 0, 20));
	CHECK(mock_sees(mock, 1, 20));
}

static void
cpu_to_device(void)
{
	mock_on_each_kind(cpu_to_device_body, LENGTH);
}

static const struct mock_range ranges[] = {
	{ 0, 1 },
	{ LENGTH - 1, 1 },
	{ 0, PAGE },
	/* Over the end of a page, which is a run's where memory is scattered. */
	{ PAGE - 1, 2 },
	{ 5 * PAGE - 64, 128 },
	{ 77 * PAGE, 3 * PAGE },
	{ 77 * PAGE + 100, 3 * PAGE },
	/* One row of the picture, and some. */
	{ 137 * ROW, ROW },
	{ 271 * ROW, ROW },
	{ 100 * ROW, 40 * ROW },
	{ 12345, 1234567 },
	{ 0, LENGTH },
};
#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

/* Of one seed inside, and of the other outside. */
static void
check_bytes(const char *who, const uint8_t *data, size_t length,
	    struct mock_range range, uint32_t inside, uint32_t outside)
{
	for (size_t at = 0; at < length; at++) {
		bool in = at >= range.offset && at - range.offset < range.length;

		if (data[at] != mock_byte(at, in ? inside : outside)) {
			ktest_fail(__FILE__, __LINE__,
				   "%s: range %zu, %zu bytes: byte %zu %s", who,
				   range.offset, range.length, at,
				   in ? "was not moved" : "was moved, too");
		}
	}
}

/*
 * The mock was asked for those bytes and no others: once for each device where it
 * is known to see other memory, else once for all, since it is the same caches.
 */
static void
check_counts(struct mock *mock, int which, struct mock_range range)
{
	struct ba_mock_counts seen = mock_counts(mock);

	if (mock->line == 1) {
		CHECK_EQ(seen.bytes[which], 2 * range.length);
	} else {
		CHECK_EQ(seen.bytes[which], range.length);
	}
	CHECK_EQ(seen.bytes[!which], 0);
	CHECK_EQ(seen.stray, 0);
}

static void
ranges_to_cpu_body(struct mock *mock)
{
	for (size_t i = 0; i < RANGES; i++) {
		struct mock_range lines = mock_in_lines(ranges[i], mock->line);
		struct mock_range moved = mock_in_lines(lines, MOCK_LINE);

		mock_sync(mock, BEGIN_WRITE, 0, mock->length);
		mock_fill(mock->data, mock->length, 30);
		mock_sync(mock, END_WRITE, 0, mock->length);
		mock_fills(mock, i & 1, 31);
		mock_counts(mock);
		mock_sync(mock, BEGIN_READ, ranges[i].offset, ranges[i].length);
		check_counts(mock, 1, lines);
		check_bytes("to the CPU", mock->data, mock->length, moved, 31,
			    30);
		mock_sync(mock, END_READ, ranges[i].offset, ranges[i].length);
	}
}

static void
ranges_to_cpu(void)
{
	mock_on_each_kind(ranges_to_cpu_body, LENGTH);
}

static void
ranges_to_device_body(struct mock *mock)
{
	uint8_t *seen = malloc(mock->length);

	CHECK(seen != NULL);
	for (size_t i = 0; i < RANGES; i++) {
		struct mock_range lines = mock_in_lines(ranges[i], mock->line);
		struct mock_range moved = mock_in_lines(lines, MOCK_LINE);

		mock_fills(mock, i & 1, 40);
		mock_sync(mock, BEGIN_READ | BEGIN_WRITE, 0, mock->length);
		mock_sync(mock, END_READ | END_WRITE, 0, mock->length);
		/* More is written than what is said. */
		mock_sync(mock, BEGIN_WRITE, ranges[i].offset, ranges[i].length);
		mock_fill(mock->data, mock->length, 41);
		mock_counts(mock);
		mock_sync(mock, END_WRITE, ranges[i].offset, ranges[i].length);
		check_counts(mock, 0, lines);
		mock_read(mock, ~i & 1, seen, 0, mock->length);
		check_bytes("to a device", seen, mock->length, moved, 41, 40);
	}
	free(seen);
}

static void
ranges_to_device(void)
{
	mock_on_each_kind(ranges_to_device_body, LENGTH);
}

/* What a device wrote beside the range stays, on the range's own pages, too. */
static void
beside_the_range_body(struct mock *mock)
{
	const struct mock_range range = { 137 * ROW, ROW };
	uint8_t *seen = malloc(mock->length);

	CHECK(seen != NULL);
	mock_fills(mock, 0, 50);
	mock_sync(mock, BEGIN_WRITE, range.offset, range.length);
	for (size_t at = range.offset; at < range.offset + range.length; at++) {
		mock->data[at] = mock_byte(at, 51);
	}
	mock_sync(mock, END_WRITE, range.offset, range.length);
	mock_read(mock, 1, seen, 0, mock->length);
	check_bytes("to a device", seen, mock->length, range, 51, 50);
	mock_sync(mock, BEGIN_READ, 0, mock->length);
	check_bytes("to the CPU", mock->data, mock->length, range, 51, 50);
	mock_sync(mock, END_READ, 0, mock->length);
	free(seen);
}

static void
beside_the_range(void)
{
	mock_on_each_kind(beside_the_range_body, LENGTH);
}

/* DMA_BUF_IOCTL_SYNC is the whole range. */
static void
dma_buf_sync_body(struct mock *mock)
{
	const struct mock_range all = { 0, mock->length };

	mock_fills(mock, 0, 60);
	mock_counts(mock);
	ba_sync(mock->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	check_counts(mock, 1, all);
	CHECK_EQ(mock_match(mock->data, mock->length, 60), mock->length);
	ba_sync(mock->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	ba_sync(mock->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	mock_fill(mock->data, mock->length, 61);
	mock_counts(mock);
	ba_sync(mock->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	check_counts(mock, 0, all);
	CHECK(mock_sees(mock, 0, 61));
	CHECK(mock_sees(mock, 1, 61));
}

static void
dma_buf_sync(void)
{
	mock_on_each_kind(dma_buf_sync_body, LENGTH);
}

/* A row of a picture in scattered memory, as the mock counts it. */
static void
figures_body(struct mock *mock)
{
	struct ba_mock_counts seen;

	/* Else this proves nothing about scattered memory. */
	if (mock->kind->user) {
		CHECK(ba_buffer_info(mock->node, mock->fd).out_runs > 300);
	}
	mock_sync(mock, BEGIN_READ, 137 * ROW, ROW);
	seen = mock_counts(mock);
	mock_sync(mock, END_READ, 137 * ROW, ROW);
	if (mock->line == 1) {
		seen.bytes[1] /= 2;
	}
	CHECK_EQ(seen.bytes[1], ROW);
	ktest_figure("mock_range_sync_bytes_per_row_asked", (double)ROW);
	ktest_figure("mock_range_sync_bytes_per_row_done",
		     (double)seen.bytes[1]);
}

static void
figures(void)
{
	mock_on_each_kind(figures_body, LENGTH);
}

static const struct ktest_row rows[] = {
	{ "nothing-is-seen-without-a-sync", nothing_by_itself },
	{ "device-to-cpu", device_to_cpu },
	{ "cpu-to-both-devices", cpu_to_device },
	{ "a-range-to-the-cpu-is-exactly-that", ranges_to_cpu },
	{ "a-range-to-a-device-is-exactly-that", ranges_to_device },
	{ "what-a-device-wrote-beside-the-range-stays", beside_the_range },
	{ "dma-buf-sync-is-the-whole-range", dma_buf_sync },
	{ "bytes-of-a-row-in-scattered-memory", figures },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
