// SPDX-License-Identifier: MIT
/*
 * Devices that do not see the CPU's caches (a mock, modules/ba_mock.h) and the CPU
 * by turns: a sync that was skipped was not needed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/dma-buf.h>

#include "mock.h"
#include "user.h"

/* What both devices and the CPU do, by the rules, in any order. */
#define STEPS 500
#define SHORT ((size_t)67 * PAGE)

/**
 * struct play - the state of that
 * @truth: what everybody must see
 * @scratch: room
 * @mapped: which device has the buffer mapped
 * @random: state of the generator
 */
struct play {
	struct mock *mock;
	uint8_t *truth, *scratch;
	bool mapped[2];
	uint32_t random;
};

static uint32_t
draw(struct play *play, uint32_t limit)
{
	play->random = play->random * 1664525u + 1013904223u;
	return (play->random >> 8) % limit;
}

static struct mock_range
draw_range(struct play *play)
{
	struct mock_range range = { 0, SHORT };

	if (draw(play, 3) > 0) {
		range.offset = draw(play, SHORT);
		range.length = 1 + draw(play, (uint32_t)(SHORT - range.offset));
	}
	/* Where the kernel knows of no lines it cannot mind the mock's. */
	return play->mock->line < MOCK_LINE ? mock_in_lines(range, MOCK_LINE) : range;
}

/* New bytes for a range, with the truth. */
static void
draw_bytes(struct play *play, struct mock_range range)
{
	for (size_t at = range.offset; at < range.offset + range.length; at++) {
		play->truth[at] = (uint8_t)draw(play, 256);
	}
}

static void
check_truth(struct play *play, int step, const char *who, const uint8_t *seen,
	    struct mock_range range)
{
	for (size_t at = range.offset; at < range.offset + range.length; at++) {
		if (seen[at] != play->truth[at]) {
			ktest_fail(__FILE__, __LINE__,
				   "%s, step %d: %s reads old data at byte %zu",
				   play->mock->kind->name, step, who, at);
		}
	}
}

/* Memory of a process's own stays mapped; ours may be unmapped at any time. */
static void
toggle_mmap(struct play *play)
{
	struct mock *mock = play->mock;

	if (mock->kind->user) {
		return;
	}
	if (mock->data != NULL) {
		munmap(mock->data, SHORT);
		mock->data = NULL;
	} else {
		mock->data = ba_map(mock->fd, SHORT);
	}
}

/* With the words that say so, which are not needed while no device maps it. */
static void
cpu_access(struct play *play, int step, bool write, bool say)
{
	struct mock *mock = play->mock;
	struct mock_range range = draw_range(play);
	uint32_t how = write ? BUFALLOC_SYNC_WRITE : BUFALLOC_SYNC_READ;
	uint8_t *data = mock->data;

	if (write && draw(play, 2) > 0) {
		how |= BUFALLOC_SYNC_READ;
	}
	if (data == NULL) {
		data = ba_map(mock->fd, SHORT);
	}
	if (say) {
		mock_sync(mock, BUFALLOC_SYNC_START | how, range.offset,
			   range.length);
	}
	if (how & BUFALLOC_SYNC_READ) {
		check_truth(play, step, "the CPU", data, range);
	}
	if (write) {
		draw_bytes(play, range);
		memcpy(data + range.offset, play->truth + range.offset,
		       range.length);
	}
	if (say) {
		mock_sync(mock, BUFALLOC_SYNC_END | how, range.offset,
			   range.length);
	}
	if (mock->data == NULL) {
		munmap(data, SHORT);
	}
}

static void
device_access(struct play *play, int step, unsigned int index, bool write)
{
	struct mock_range range = draw_range(play);

	if (write) {
		draw_bytes(play, range);
		mock_write(play->mock, index, play->truth + range.offset,
			     range.offset, range.length);
	} else {
		mock_read(play->mock, index, play->scratch + range.offset,
			    range.offset, range.length);
		check_truth(play, step, index ? "device 1" : "device 0",
			    play->scratch, range);
	}
}

static void
toggle_device(struct play *play, unsigned int index)
{
	if (play->mapped[index]) {
		mock_release(play->mock, index);
	} else {
		mock_import(play->mock, index);
	}
	play->mapped[index] = !play->mapped[index];
}

static void
one_step(struct play *play, int step)
{
	unsigned int index = draw(play, 2);
	bool in_use = play->mapped[0] || play->mapped[1];

	switch (draw(play, 8)) {
	case 0:
	case 1:
		toggle_device(play, index);
		break;
	case 2:
	case 3:
	case 4:
		if (play->mapped[index]) {
			device_access(play, step, index, draw(play, 2));
		}
		break;
	case 5:
		toggle_mmap(play);
		break;
	default:
		cpu_access(play, step, draw(play, 2), in_use || draw(play, 2));
		break;
	}
}

static void
by_the_rules_body(struct mock *mock)
{
	struct play play = {
		.mock = mock,
		.truth = malloc(SHORT),
		.scratch = malloc(SHORT),
		.mapped = { true, true },
		.random = 12345,
	};
	struct bufalloc_buffer_info info;

	CHECK(play.truth != NULL && play.scratch != NULL);
	mock_fill(play.truth, SHORT, 1);
	for (int step = 0; step < STEPS; step++) {
		one_step(&play, step);
	}
	info = ba_buffer_info(mock->node, mock->fd);
	ktest_note("%s: %llu syncs, %llu skipped", mock->kind->name,
		   (unsigned long long)info.out_syncs,
		   (unsigned long long)info.out_syncs_skipped);
	free(play.truth);
	free(play.scratch);
}

static void
by_the_rules(void)
{
	mock_on_each_kind(by_the_rules_body, SHORT);
}

/*
 * Nothing is written to by the CPU between one device's end and the next one's
 * begin: what is skipped then must not have been needed.
 */
static void
one_after_the_other_body(struct mock *mock)
{
	struct bufalloc_buffer_info before, after;

	if (mock->data != NULL && !mock->kind->user) {
		munmap(mock->data, mock->length);
		mock->data = NULL;
	}
	ba_sync(mock->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	ba_sync(mock->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	mock_release(mock, 0);
	mock_release(mock, 1);
	before = ba_buffer_info(mock->node, mock->fd);
	for (uint32_t i = 0; i < 6; i++) {
		mock_import(mock, i & 1);
		CHECK(mock_sees(mock, i & 1, i == 0 ? 1 : 70 + i - 1));
		mock_fills(mock, i & 1, 70 + i);
		mock_release(mock, i & 1);
	}
	after = ba_buffer_info(mock->node, mock->fd);
	/* Where lines are known, and nobody can write unseen, some are skipped. */
	if (mock->line > 1 && !mock->kind->user) {
		CHECK(after.out_syncs_skipped > before.out_syncs_skipped);
		ktest_figure("mock_syncs_skipped",
			     (double)(after.out_syncs_skipped -
				      before.out_syncs_skipped));
	}
}

static void
one_after_the_other(void)
{
	mock_on_each_kind(one_after_the_other_body, SHORT);
}

static const struct ktest_row rows[] = {
	{ "what-is-skipped-was-not-needed", one_after_the_other },
	{ "nobody-sees-old-data-in-any-order", by_the_rules },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
