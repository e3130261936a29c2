// SPDX-License-Identifier: MIT
/*
 * Write-combined, uncached and cached buffers are so for whoever looks at them:
 * user space, an importer's vmap, the kernel's linear map; and their pages are
 * ordinary memory again when they are gone. The witness walks page tables
 * (modules/ba_views.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "ktest.h"
#include "modules/ba_views.h"

#define PAGE ((size_t)4096)

static const struct kind {
	const char *name;
	uint64_t attributes;
	/* In all views, but for the linear map where that is never changed. */
	enum ba_views_type x86, arm64;
} kinds[] = {
	{ "cached", 0, BA_VIEWS_CACHED, BA_VIEWS_CACHED },
	{ "write-combined", BUFALLOC_ATTRIBUTE_WRITE_COMBINE,
	  BA_VIEWS_WRITE_COMBINE, BA_VIEWS_WRITE_COMBINE },
	{ "uncached", BUFALLOC_ATTRIBUTE_UNCACHED, BA_VIEWS_UNCACHED,
	  BA_VIEWS_WRITE_COMBINE },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

#ifdef __x86_64__
#define TYPE(kind) ((kind)->x86)
#define LINEAR_TYPE(kind) ((kind)->x86)
#else
#define TYPE(kind) ((kind)->arm64)
#define LINEAR_TYPE(kind) BA_VIEWS_CACHED
#endif

static const uint32_t heaps[] = { BUFALLOC_HEAP_SYSTEM, BUFALLOC_HEAP_CONTIG };

#define HEAPS (sizeof(heaps) / sizeof(heaps[0]))

/* One page, less than a large page, several large pages and something. */
static const size_t lengths[] = { PAGE, 37 * PAGE, 8294400 };

#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

/* The row is skipped without the witness. */
static int
open_views(void)
{
	int views = open("/dev/ba_views", O_RDWR | O_CLOEXEC);

	if (views < 0) {
		ktest_skip("ba_views is not loaded");
	}
	return views;
}

/* All pages are of that type. */
static void
check_type(const char *view, const struct ba_views_pages *pages,
	   enum ba_views_type type, uint32_t count)
{
	if (pages->of[type] != count) {
		ktest_fail(__FILE__, __LINE__,
			   "%s: of %u pages, %u are cached, %u write-combined, %u uncached, %u not mapped, %u other",
			   view, count, pages->of[BA_VIEWS_CACHED],
			   pages->of[BA_VIEWS_WRITE_COMBINE],
			   pages->of[BA_VIEWS_UNCACHED],
			   pages->of[BA_VIEWS_NONE], pages->of[BA_VIEWS_OTHER]);
	}
}

static uint64_t
mapped_length(int node, int fd)
{
	return ba_buffer_info(node, fd).out_length;
}

static struct ba_views_look
look_at(int views, int fd, void *data, uint64_t length)
{
	struct ba_views_look look = {
		.fd = fd,
		.address = (uintptr_t)data,
		.length = length,
	};

	/* Large pages are mapped when they are touched. */
	for (uint64_t at = 0; at < length; at += PAGE) {
		(void)*((volatile uint8_t *)data + at);
	}
	CHECK_EQ(ioctl(views, BA_VIEWS_LOOK, &look), 0);
	return look;
}

static void
check_buffer(int node, int views, uint32_t heap, size_t length,
	     const struct kind *kind)
{
	int fd = ba_alloc_with(node, heap, length, kind->attributes);
	uint64_t mapped = mapped_length(node, fd);
	uint32_t pages = (uint32_t)(mapped / PAGE);
	void *data = ba_map(fd, mapped);
	struct ba_views_look look = look_at(views, fd, data, mapped);
	struct ba_views_pages again;

	CHECK_EQ(ba_buffer_info(node, fd).out_attributes, kind->attributes);
	check_type("user space", &look.user, TYPE(kind), pages);
	check_type("vmap", &look.vmap, TYPE(kind), pages);
	check_type("linear map", &look.linear, LINEAR_TYPE(kind), pages);

	/* What the CPU writes in one view it reads in another. */
	memset(data, 0x5a, mapped);
	munmap(data, mapped);
	data = ba_map(fd, mapped);
	CHECK_EQ(((uint8_t *)data)[mapped - 1], 0x5a);
	munmap(data, mapped);

	close(fd);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	CHECK_EQ(ioctl(views, BA_VIEWS_AGAIN, &again), 0);
	check_type("linear map, afterwards", &again, BA_VIEWS_CACHED, pages);
}

static void
check_kind(const struct kind *kind)
{
	int views = open_views();
	int node = ba_open();

	for (size_t heap = 0; heap < HEAPS; heap++) {
		for (size_t i = 0; i < LENGTHS; i++) {
			check_buffer(node, views, heaps[heap], lengths[i], kind);
		}
	}
	close(node);
	close(views);
}

static void
cached(void)
{
	check_kind(&kinds[0]);
}

static void
write_combined(void)
{
	check_kind(&kinds[1]);
}

static void
uncached(void)
{
	check_kind(&kinds[2]);
}

/* A part of it, from somewhere in the middle on, and by a reader. */
static void
part(void)
{
	int views = open_views();
	int node = ba_open();

	for (size_t i = 0; i < KINDS; i++) {
		const struct kind *kind = &kinds[i];
		int fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, 64 * PAGE,
				       kind->attributes);
		struct ba_views_look look;
		void *data;

		data = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd, 40 * PAGE);
		CHECK(data != MAP_FAILED);
		look = look_at(views, fd, data, 8 * PAGE);
		check_type("user space", &look.user, TYPE(kind), 8);
		check_type("linear map", &look.linear, LINEAR_TYPE(kind), 8);
		munmap(data, 8 * PAGE);
		close(fd);
	}
	close(node);
	close(views);
}

/* Through windows, and seen by a mapping. */
static void
copied_in_and_out(void)
{
	static uint8_t in[3 * PAGE], out[3 * PAGE];
	int node = ba_open();

	pattern_fill(in, sizeof(in));
	for (size_t i = 0; i < KINDS * HEAPS; i++) {
		struct bufalloc_copy copy = {
			.size = sizeof(copy),
			.flags = BUFALLOC_COPY_IN,
			.offset = PAGE - 5,
			.length = sizeof(in),
			.address = (uintptr_t)in,
		};
		uint8_t *data;

		copy.fd = ba_alloc_with(node, heaps[i % HEAPS], 8 * PAGE,
					kinds[i / HEAPS].attributes);
		CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_COPY, &copy), 0);
		data = ba_map(copy.fd, 8 * PAGE);
		CHECK_EQ(memcmp(data + PAGE - 5, in, sizeof(in)), 0);
		data[2 * PAGE] ^= 0xff;
		munmap(data, 8 * PAGE);

		memset(out, 0, sizeof(out));
		copy.flags = 0;
		copy.address = (uintptr_t)out;
		CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_COPY, &copy), 0);
		out[PAGE + 5] ^= 0xff;
		CHECK_EQ(memcmp(out, in, sizeof(in)), 0);
		/* The window is shut. */
		CHECK_EQ(ba_vmalloc_bytes(), 0);
		close(copy.fd);
	}
	close(node);
}

/* The window that COPY looks through is of the buffer's type, too. */
static void
seen_window(const char *text, void *data)
{
	struct ba_views_pages *pages = data;

	(void)text;
	pages->of[BA_VIEWS_OTHER]++;
}

/*
 * Where the linear map has another type, a page at a time is mapped for COPY;
 * where it has the same, none is.
 */
static void
window(void)
{
	uint8_t byte = 1;
	int node = ba_open();

	for (size_t i = 0; i < KINDS; i++) {
		struct ba_views_pages maps = { { 0 } };
		struct bufalloc_copy copy = {
			.size = sizeof(copy),
			.flags = BUFALLOC_COPY_IN,
			.length = 1,
			.address = (uintptr_t)&byte,
		};

		copy.fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, PAGE,
					kinds[i].attributes);
		trace_begin("vmap", "count=$arg2:u64");
		CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_COPY, &copy), 0);
		trace_end(seen_window, &maps);
		CHECK_EQ(maps.of[BA_VIEWS_OTHER],
			 LINEAR_TYPE(&kinds[i]) == TYPE(&kinds[i]) ? 0 : 1);
		close(copy.fd);
	}
	close(node);
}

#ifdef __aarch64__

static void
seen_write_back(const char *text, void *data)
{
	*(uint64_t *)data += trace_value(text, "size");
}

/* What was zeroed in the caches is in memory before anybody looks past them. */
static void
written_back(void)
{
	int node = ba_open();

	for (size_t i = 0; i < KINDS * HEAPS; i++) {
		const struct kind *kind = &kinds[i / HEAPS];
		uint64_t bytes = 0;
		int fd;

		trace_begin("arch_sync_dma_for_device", "size=$arg2:u64");
		fd = ba_alloc_with(node, heaps[i % HEAPS], 8294400,
				   kind->attributes);
		trace_end(seen_write_back, &bytes);
		CHECK_EQ(bytes, TYPE(kind) == BA_VIEWS_CACHED ?
					0 : mapped_length(node, fd));
		close(fd);
	}
	close(node);
}

#endif

#ifdef __x86_64__

/* Pages that were made write-combined, and those that were made cached again. */
struct changes {
	uint64_t there, back;
};

static void
seen_change(const char *text, void *data)
{
	struct changes *changes = data;
	uint64_t pages = trace_value(text, "pages");

	/* The first probe is on what makes them so. */
	*(strstr(text, "seen0") != NULL ? &changes->there : &changes->back) += pages;
}

/* Killed in the middle: what was changed is changed back, and freed. */
static void
killed(void)
{
	static const char *const functions[] = { "set_memory_wc",
						 "set_memory_wb" };
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.fd_flags = O_RDWR | O_CLOEXEC,
		.attributes = BUFALLOC_ATTRIBUTE_WRITE_COMBINE,
		.required = BUFALLOC_ATTRIBUTE_WRITE_COMBINE,
	};
	int node = ba_open();
	struct changes changes = { 0, 0 };
	pid_t child;
	int status;

	alloc.length = (uint64_t)sysconf(_SC_AVPHYS_PAGES) / 2 * PAGE;
	trace_begin_all(functions, 2, "pages=$arg2:s32");
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		/* Also when this row fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc);
		pause();
	}
	/* From here on at the latest it is at it. */
	trace_wait();
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	trace_end(seen_change, &changes);
	ktest_note("killed after %llu of %llu pages",
		   (unsigned long long)changes.there,
		   (unsigned long long)(alloc.length / PAGE));
	CHECK(changes.there > 0);
	CHECK(changes.there < alloc.length / PAGE);
	CHECK_EQ(changes.back, changes.there);
	close(node);
}

#endif

static const struct ktest_row rows[] = {
	{ "cached-for-everybody", cached },
	{ "write-combined-for-everybody", write_combined },
	{ "uncached-for-everybody", uncached },
	{ "a-part-of-a-buffer", part },
	{ "copied-in-and-out", copied_in_and_out },
	{ "windows-are-of-the-buffers-type", window },
#ifdef __aarch64__
	{ "zeroes-are-written-back", written_back },
#endif
#ifdef __x86_64__
	{ "killed-half-way-through", killed },
#endif
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
