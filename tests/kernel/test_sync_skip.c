// SPDX-License-Identifier: MIT
/*
 * How much cache work a device that is not cache coherent costs, and that one
 * that is costs none (passes.h).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "edu.h"
#include "passes.h"
#include "user.h"

#define PART ((size_t)64 << 10)

/*
 * Of all kinds of devices, for the figures: how many second devices came, and
 * calls that the first one cost and they did not, as the probes saw them.
 */
static struct {
	uint64_t devices, skipped;
} legal_ones, other_ones;

/* The second device comes: does it cost a pass? */
static void
second_comes(struct setup *setup, bool legal)
{
	uint64_t skipped;

	watch(setup);
	import(setup, 1);
	expect(setup, legal ? 0 : 1, 0, legal ? 1 : 0);
	if (setup->coherent) {
		return;
	}
	skipped = setup->calls_per_pass - setup->write_backs;
	if (legal) {
		CHECK(skipped >= 1);
		legal_ones.devices++;
		legal_ones.skipped += skipped;
	} else {
		CHECK_EQ(skipped, 0);
		other_ones.devices++;
		other_ones.skipped += skipped;
	}
}

/* What is the first device to the second one, and what happens in between? */
#define SECOND_DEVICE(name, fd_flags, legal, between)        \
	static void name##_body(struct setup *setup)         \
	{                                                    \
		import_first(setup);                         \
		between;                                     \
		second_comes(setup, legal);                  \
	}                                                    \
	static void name(void)                               \
	{                                                    \
		on_each_kind(name##_body, fd_flags);         \
	}

static void
map(struct setup *setup, int prot)
{
	setup->data = mmap(NULL, LENGTH, prot, MAP_SHARED, setup->fd, 0);
	CHECK(setup->data != MAP_FAILED);
}

static void
unmap(struct setup *setup)
{
	CHECK_EQ(munmap(setup->data, LENGTH), 0);
	setup->data = NULL;
}

static void
write_by_mmap(struct setup *setup)
{
	map(setup, PROT_READ | PROT_WRITE);
	memset(setup->data, 1, LENGTH);
	unmap(setup);
}

static void
bracket(struct setup *setup, uint64_t access)
{
	ba_sync(setup->fd, DMA_BUF_SYNC_START | access);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | access);
}

/* Somebody else imports it, too, and is watched no closer. */
static struct ba_importer_import
third_comes(struct setup *setup, uint32_t device, uint32_t how)
{
	struct ba_importer_import arg = { .fd = setup->fd,
					  .device = device,
					  .how = how };

	setup->third = open("/dev/ba_importer", O_RDWR | O_CLOEXEC);
	if (setup->third < 0) {
		ktest_skip("ba_importer is not loaded");
	}
	CHECK_EQ(ioctl(setup->third, BA_IMPORTER_IMPORT, &arg), 0);
	return arg;
}

static void
third_goes(struct setup *setup)
{
	close(setup->third);
	setup->third = -1;
}

static void
make_vmap(struct setup *setup)
{
	third_comes(setup, 0, BA_IMPORTER_VMAP);
}

/* A device that is cache coherent beside one that is not. */
static void
coherent_comes(struct setup *setup, uint32_t how)
{
	CHECK_EQ(third_comes(setup, 2, how).coherent, 1);
}

/* One that does not reach the buffer, where this makes it bounce. */
static void
bounced_comes(struct setup *setup)
{
	if (!setup->coherent && third_comes(setup, 3, BA_IMPORTER_BOTH).bounced == 0) {
		ktest_skip("the buffer is within the device's 32 bits");
	}
}

/* A child that holds our mappings until it is killed. */
static void
fork_child(struct setup *setup)
{
	setup->child = fork();
	CHECK(setup->child >= 0);
	if (setup->child == 0) {
		for (;;) {
			pause();
		}
	}
}

static void
end_child(struct setup *setup)
{
	kill(setup->child, SIGKILL);
	CHECK_EQ(waitpid(setup->child, NULL, 0), setup->child);
	setup->child = 0;
}

/* A pass over the caches while nothing can write: what follows is legal. */
static void
clean_now(struct setup *setup)
{
	ba_sync(setup->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	watch(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	expect(setup, 1, 0, 0);
}

/* Split by a hole, what is left moved, and all of it unmapped. */
static void
split_and_move(struct setup *setup)
{
	char *data, *to;

	map(setup, PROT_READ | PROT_WRITE);
	data = setup->data;
	setup->data = NULL;
	CHECK_EQ(munmap(data + PART, PART), 0);
	to = mmap(NULL, PART, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(to != MAP_FAILED);
	CHECK(mremap(data, PART, PART, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	CHECK_EQ(munmap(data + 2 * PART, LENGTH - 2 * PART), 0);
	*to = 1;
	CHECK_EQ(munmap(to, PART), 0);
}

SECOND_DEVICE(right_after, O_RDWR, true, (void)0)
SECOND_DEVICE(written_by_mmap, O_RDWR, false, write_by_mmap(setup))
SECOND_DEVICE(live_mmap, O_RDWR, false, map(setup, PROT_READ | PROT_WRITE))
SECOND_DEVICE(live_mmap_read_of_writable, O_RDWR, false, map(setup, PROT_READ))
SECOND_DEVICE(live_mmap_read_only, O_RDONLY, true, map(setup, PROT_READ))
SECOND_DEVICE(live_mmap_after_bracket, O_RDWR, false, {
	map(setup, PROT_READ | PROT_WRITE);
	bracket(setup, DMA_BUF_SYNC_RW);
})
SECOND_DEVICE(live_vmap, O_RDWR, false, make_vmap(setup))
SECOND_DEVICE(past_vmap, O_RDWR, false, {
	make_vmap(setup);
	third_goes(setup);
})
SECOND_DEVICE(coherent_live, O_RDWR, false,
	      coherent_comes(setup, BA_IMPORTER_BOTH))
SECOND_DEVICE(coherent_past, O_RDWR, false, {
	coherent_comes(setup, BA_IMPORTER_BOTH);
	third_goes(setup);
})
SECOND_DEVICE(coherent_reads, O_RDWR, true,
	      coherent_comes(setup, BA_IMPORTER_READS))
SECOND_DEVICE(bounced_live, O_RDWR, false, bounced_comes(setup))
SECOND_DEVICE(past_mmap_then_bracket, O_RDWR, true, {
	write_by_mmap(setup);
	clean_now(setup);
})
SECOND_DEVICE(open_bracket, O_RDWR, false,
	      ba_sync(setup->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE))
SECOND_DEVICE(bracketed_read, O_RDWR, true, bracket(setup, DMA_BUF_SYNC_READ))
SECOND_DEVICE(bracketed_write, O_RDWR, true, bracket(setup, DMA_BUF_SYNC_RW))
SECOND_DEVICE(bracketed_write_unmapped, O_RDWR, false, {
	release(setup, 0);
	bracket(setup, DMA_BUF_SYNC_WRITE);
})
SECOND_DEVICE(bracketed_read_unmapped, O_RDWR, true, {
	release(setup, 0);
	bracket(setup, DMA_BUF_SYNC_READ);
})
SECOND_DEVICE(first_is_gone, O_RDWR, true, release(setup, 0))
SECOND_DEVICE(end_without_begin, O_RDWR, true, {
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
})
SECOND_DEVICE(child_has_mmap, O_RDWR, false, {
	map(setup, PROT_READ | PROT_WRITE);
	fork_child(setup);
	unmap(setup);
	clean_now(setup);
})
SECOND_DEVICE(child_had_mmap, O_RDWR, true, {
	map(setup, PROT_READ | PROT_WRITE);
	fork_child(setup);
	unmap(setup);
	end_child(setup);
	clean_now(setup);
})
SECOND_DEVICE(split_mmap, O_RDWR, true, {
	split_and_move(setup);
	clean_now(setup);
})

/* Mapped where we do not see it, and never taken for clean. */
static void
user_memory_body(struct setup *setup)
{
	close(setup->fd);
	setup->data = user_anonymous(LENGTH, MAP_PRIVATE | MAP_POPULATE);
	setup->fd = user_import(setup->node, setup->data, LENGTH, 0);
	import_first(setup);
	second_comes(setup, false);
}

static void
user_memory(void)
{
	on_each_kind(user_memory_body, O_RDWR);
}

/* It was there when the first device came, and is gone when the second does. */
static void
mmap_from_before_body(struct setup *setup)
{
	map(setup, PROT_READ | PROT_WRITE);
	import_first(setup);
	memset(setup->data, 1, LENGTH);
	unmap(setup);
	second_comes(setup, false);
}

static void
mmap_from_before(void)
{
	on_each_kind(mmap_from_before_body, O_RDWR);
}

/* What one device wrote is no reason to write back caches for another. */
static void
device_wrote_body(struct setup *setup)
{
	static uint8_t bytes[64];

	if (!setup->kind->does_dma) {
		return;
	}
	import_first(setup);
	edu_write(setup->devices[0], bytes, 0, sizeof(bytes));
	second_comes(setup, true);
}

static void
device_wrote(void)
{
	on_each_kind(device_wrote_body, O_RDWR);
}

/* CPU access: once for all devices, because it is the same memory. */
static void
access_of_two_body(struct setup *setup)
{
	import_first(setup);
	import(setup, 1);
	watch(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	expect(setup, 0, 1, 1);
	watch(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	expect(setup, 1, 0, 1);
}

static void
access_of_two(void)
{
	on_each_kind(access_of_two_body, O_RDWR);
}

/* After reading, memory is as up to date as before. */
static void
read_access_body(struct setup *setup)
{
	import_first(setup);
	watch(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	expect(setup, 0, 1, 0);
	watch(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	expect(setup, 0, 0, 1);
}

static void
read_access(void)
{
	on_each_kind(read_access_body, O_RDWR);
}

/* Somebody else ended it before: what was written meanwhile counts. */
static void
ended_by_another_body(struct setup *setup)
{
	import_first(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	watch(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	expect(setup, 1, 0, 0);
}

static void
ended_by_another(void)
{
	on_each_kind(ended_by_another_body, O_RDWR);
}

/* Another one is writing: what it wrote must not be dropped with stale lines. */
static void
read_while_written_body(struct setup *setup)
{
	import_first(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	watch(setup);
	ba_sync(setup->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	expect(setup, 1, 1, 0);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	ba_sync(setup->fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
}

static void
read_while_written(void)
{
	on_each_kind(read_while_written_body, O_RDWR);
}

/* The last one to be unmapped invalidates for all. */
static void
unmap_of_two_body(struct setup *setup)
{
	import_first(setup);
	import(setup, 1);
	watch(setup);
	release(setup, 0);
	expect(setup, 0, 0, 1);
	watch(setup);
	release(setup, 1);
	expect(setup, 0, 1, 0);
}

static void
unmap_of_two(void)
{
	on_each_kind(unmap_of_two_body, O_RDWR);
}

/* Who has it mapped may look without a word, so now. */
static void
unmap_of_two_while_mapped_body(struct setup *setup)
{
	map(setup, PROT_READ | PROT_WRITE);
	import_first(setup);
	import(setup, 1);
	watch(setup);
	release(setup, 0);
	expect(setup, 0, 1, 0);
}

static void
unmap_of_two_while_mapped(void)
{
	on_each_kind(unmap_of_two_while_mapped_body, O_RDWR);
}

static void
unmap_of_two_while_vmapped_body(struct setup *setup)
{
	import_first(setup);
	import(setup, 1);
	make_vmap(setup);
	watch(setup);
	release(setup, 0);
	expect(setup, 1, 1, 0);
}

static void
unmap_of_two_while_vmapped(void)
{
	on_each_kind(unmap_of_two_while_vmapped_body, O_RDWR);
}

/* The mapping that stays was only read through, but has to do it for both. */
static void
unmap_of_reader_last_body(struct setup *setup)
{
	if (setup->kind->does_dma) {
		return;
	}
	import_first(setup);
	import_for(setup, 1, BA_IMPORTER_READS);
	release(setup, 0);
	watch(setup);
	release(setup, 1);
	expect(setup, 0, 1, 0);
}

static void
unmap_of_reader_last(void)
{
	on_each_kind(unmap_of_reader_last_body, O_RDWR);
}

/* A device that only reads leaves nothing to invalidate. */
static void
unmap_of_reader_body(struct setup *setup)
{
	if (setup->kind->does_dma) {
		return;
	}
	import_for(setup, 0, BA_IMPORTER_READS);
	watch(setup);
	release(setup, 0);
	expect(setup, 0, 0, 0);
}

static void
unmap_of_reader(void)
{
	on_each_kind(unmap_of_reader_body, O_RDWR);
}

/* What the CPU may be writing is written back, not dropped. */
static void
unmap_while_written_body(struct setup *setup)
{
	import_first(setup);
	map(setup, PROT_READ | PROT_WRITE);
	watch(setup);
	release(setup, 0);
	expect(setup, 1, 1, 0);
}

static void
unmap_while_written(void)
{
	on_each_kind(unmap_while_written_body, O_RDWR);
}

/*
 * The trial at allocation writes back the zeros, once for all devices, and the
 * first importer needs not do it again. No device has seen the memory yet:
 * there is nothing to invalidate.
 */
static void
allocated_for_both_body(struct setup *setup)
{
	struct bufalloc_buffer_info info;
	struct ba_outcome outcome;

	/* The stand-ins are no devices for ALLOC. */
	if (!setup->kind->does_dma) {
		return;
	}
	outcome = ba_alloc_for(setup->node, BUFALLOC_HEAP_SYSTEM, LENGTH,
			       setup->devices, 2, 0);
	CHECK(outcome.fd >= 0);
	close(setup->fd);
	setup->fd = outcome.fd;
	info = ba_buffer_info(setup->node, setup->fd);
	CHECK_EQ(info.out_syncs_skipped, info.out_syncs);
	CHECK(setup->coherent == (info.out_syncs == 0));
	setup->calls_per_pass = info.out_syncs;
	watch(setup);
	import(setup, 0);
	expect(setup, 0, 0, 1);
}

static void
allocated_for_both(void)
{
	on_each_kind(allocated_for_both_body, O_RDWR);
}

/* Ranges of physical memory, as probes see them. */
struct ranges {
	struct range {
		uint64_t start, end;
	} list[4096];
	size_t count;
};

static void
add_range(struct ranges *ranges, uint64_t start, uint64_t size)
{
	CHECK(ranges->count < sizeof(ranges->list) / sizeof(ranges->list[0]));
	ranges->list[ranges->count++] = (struct range){ start, start + size };
}

static void
add_mapped(const char *text, void *data)
{
	add_range(data, trace_value(text, "pfn") * 4096,
		  trace_value(text, "size"));
}

static void
add_synced(const char *text, void *data)
{
	add_range(data, trace_value(text, "addr"), trace_value(text, "size"));
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

/* In order, neighbours in one. */
static void
normalize(struct ranges *ranges)
{
	size_t last = 0;

	CHECK(ranges->count > 0);
	qsort(ranges->list, ranges->count, sizeof(ranges->list[0]),
	      compare_ranges);
	for (size_t i = 1; i < ranges->count; i++) {
		/* Not twice. */
		CHECK(ranges->list[i].start >= ranges->list[last].end);
		if (ranges->list[i].start == ranges->list[last].end) {
			ranges->list[last].end = ranges->list[i].end;
		} else {
			ranges->list[++last] = ranges->list[i];
		}
	}
	ranges->count = last + 1;
}

/*
 * A pass is over the buffer's own memory, all of it and nothing else, also
 * where an IOMMU made one segment of many runs. What an mmap maps is the
 * witness of where that is.
 */
static void
own_memory_body(struct setup *setup)
{
	static struct ranges mapped, synced;

	mapped.count = synced.count = 0;
	trace_begin("remap_pfn_range", "pfn=$arg3:u64 size=$arg4:u64");
	map(setup, PROT_READ);
	trace_end(add_mapped, &mapped);
	import(setup, 0);
	if (setup->coherent) {
		return;
	}
	trace_begin("arch_sync_dma_for_cpu", "addr=$arg1:u64 size=$arg2:u64");
	ba_sync(setup->fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	trace_end(add_synced, &synced);
	normalize(&mapped);
	normalize(&synced);
	CHECK_EQ(synced.count, mapped.count);
	CHECK_EQ(memcmp(synced.list, mapped.list,
			mapped.count * sizeof(mapped.list[0])), 0);
}

static void
own_memory(void)
{
	on_each_kind(own_memory_body, O_RDWR);
}

/* What all of the rows above skipped; with coherent devices there is nothing. */
static void
figures(void)
{
	if (!not_coherent_seen()) {
		CHECK_EQ(legal_ones.devices + other_ones.devices, 0);
		ktest_skip("all devices of this guest are cache coherent");
	}
	ktest_figure("syncs_skipped", (double)legal_ones.skipped);
	ktest_figure("syncs_skipped_devices", (double)legal_ones.devices);
	ktest_figure("syncs_skipped_where_not_legal", (double)other_ones.skipped);
	ktest_figure("syncs_skipped_not_legal_devices",
		     (double)other_ones.devices);
	CHECK(legal_ones.devices > 0);
	CHECK(other_ones.devices > 0);
}

static const struct ktest_row rows[] = {
	{ "second-device-right-after-the-first-skips", right_after },
	{ "written-by-mmap-since-does-not", written_by_mmap },
	{ "a-live-writable-mmap-does-not", live_mmap },
	{ "a-live-mmap-that-mprotect-makes-writable-does-not",
	  live_mmap_read_of_writable },
	{ "a-live-read-only-mmap-skips", live_mmap_read_only },
	{ "a-live-writable-mmap-after-cpu-access-does-not",
	  live_mmap_after_bracket },
	{ "a-live-vmap-does-not", live_vmap },
	{ "after-a-vmap-does-not", past_vmap },
	{ "a-live-coherent-device-that-writes-does-not", coherent_live },
	{ "after-a-coherent-device-that-writes-does-not", coherent_past },
	{ "a-live-coherent-device-that-reads-skips", coherent_reads },
	{ "a-live-bounced-mapping-does-not", bounced_live },
	{ "written-by-an-mmap-from-before-does-not", mmap_from_before },
	{ "memory-of-a-process-does-not", user_memory },
	{ "written-by-mmap-then-written-back-skips", past_mmap_then_bracket },
	{ "during-cpu-access-for-writing-does-not", open_bracket },
	{ "after-cpu-access-for-reading-skips", bracketed_read },
	{ "after-cpu-access-for-writing-skips", bracketed_write },
	{ "after-cpu-access-for-writing-without-device-does-not",
	  bracketed_write_unmapped },
	{ "after-cpu-access-for-reading-without-device-skips",
	  bracketed_read_unmapped },
	{ "after-the-first-device-is-gone-skips", first_is_gone },
	{ "after-ends-without-begins-skips", end_without_begin },
	{ "a-child-has-the-mmap-does-not", child_has_mmap },
	{ "a-child-had-the-mmap-skips", child_had_mmap },
	{ "mmap-split-moved-and-unmapped-skips", split_mmap },
	{ "after-the-first-device-wrote-skips", device_wrote },
	{ "cpu-access-costs-one-pass-for-two-devices", access_of_two },
	{ "cpu-access-for-reading-ends-without-cost", read_access },
	{ "cpu-access-for-writing-that-another-ended-is-written-back",
	  ended_by_another },
	{ "read-while-another-writes-keeps-what-it-wrote", read_while_written },
	{ "the-last-unmap-invalidates-for-both", unmap_of_two },
	{ "an-unmap-while-user-space-maps-it-invalidates",
	  unmap_of_two_while_mapped },
	{ "an-unmap-while-a-driver-maps-it-invalidates",
	  unmap_of_two_while_vmapped },
	{ "the-last-unmap-invalidates-for-a-writer-before",
	  unmap_of_reader_last },
	{ "the-unmap-of-a-reader-invalidates-nothing", unmap_of_reader },
	{ "unmap-while-mapped-for-writing-keeps-what-was-written",
	  unmap_while_written },
	{ "allocated-for-both-costs-one-pass", allocated_for_both },
	{ "a-pass-is-over-the-buffers-own-memory", own_memory },
	{ "figures", figures },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
