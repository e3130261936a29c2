// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "passes.h"

static int
importer_open(unsigned int index)
{
	(void)index;
	return open("/dev/ba_importer", O_RDWR | O_CLOEXEC);
}

static bool
importer_import(int file, unsigned int index, int fd, uint32_t how)
{
	struct ba_importer_import arg = { .fd = fd, .device = index, .how = how };

	CHECK_EQ(ioctl(file, BA_IMPORTER_IMPORT, &arg), 0);
	/* What bounces is synced for another reason. */
	CHECK_EQ(arg.bounced, 0);
	return arg.coherent;
}

static void
importer_release(int file)
{
	CHECK_EQ(ioctl(file, BA_IMPORTER_RELEASE), 0);
}

static int
edu_open_any(unsigned int index)
{
	return edu_try_open(index, EDU_ANY_SEGMENTS);
}

static bool
edu_import_any(int file, unsigned int index, int fd, uint32_t how)
{
	struct bufalloc_device_info info;
	int node = ba_open();

	(void)index;
	(void)how;
	edu_import(file, fd);
	info = edu_info(node, file);
	close(node);
	return info.out_flags & BUFALLOC_DEVICE_COHERENT;
}

static const struct kind kinds[] = {
	{ "ba_importer", importer_open, importer_import, importer_release,
	  false },
	{ "edu", edu_open_any, edu_import_any, edu_release, true },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* What the probes and our counters saw since watch(). */
struct seen {
	unsigned int calls[2];
	uint64_t bytes[2];
	uint64_t syncs;
	uint64_t skipped;
};
enum { WRITE_BACK, INVALIDATE };

static bool not_coherent;

bool
not_coherent_seen(void)
{
	return not_coherent;
}

void
watch(struct setup *setup)
{
	static const char *const caches[] = { "arch_sync_dma_for_device",
					      "arch_sync_dma_for_cpu" };
	static const char *const api[] = { "dma_sync_single_for_device",
					   "dma_sync_single_for_cpu" };
	static const char *const api_6_10[] = { "__dma_sync_single_for_device",
						"__dma_sync_single_for_cpu" };

	setup->before = ba_buffer_info(setup->node, setup->fd);
	if (!setup->coherent) {
		trace_begin_all(caches, 2, "size=$arg2:u64");
	} else if (trace_has(api[0])) {
		trace_begin_all(api, 2, "size=$arg3:u64");
	} else {
		trace_begin_all(api_6_10, 2, "size=$arg3:u64");
	}
}

static void
count_line(const char *text, void *data)
{
	struct seen *seen = data;
	int which = strstr(text, " seen0:") != NULL ? WRITE_BACK : INVALIDATE;

	seen->calls[which]++;
	seen->bytes[which] += trace_value(text, "size");
}

static struct seen
seen_since(struct setup *setup)
{
	struct bufalloc_buffer_info now;
	struct seen seen = { 0 };

	trace_end(count_line, &seen);
	now = ba_buffer_info(setup->node, setup->fd);
	seen.syncs = now.out_syncs - setup->before.out_syncs;
	seen.skipped = now.out_syncs_skipped - setup->before.out_syncs_skipped;
	return seen;
}

void
expect(struct setup *setup, uint64_t write_back, uint64_t invalidate,
       uint64_t skipped)
{
	struct seen seen = seen_since(setup);

	if (setup->coherent) {
		write_back = invalidate = skipped = 0;
	}
	setup->write_backs = seen.calls[WRITE_BACK];
	CHECK_EQ(seen.bytes[WRITE_BACK], write_back * LENGTH);
	CHECK_EQ(seen.bytes[INVALIDATE], invalidate * LENGTH);
	CHECK_EQ(seen.syncs, seen.calls[WRITE_BACK] + seen.calls[INVALIDATE]);
	CHECK_EQ(seen.skipped, skipped * setup->calls_per_pass);
}

void
import_for(struct setup *setup, unsigned int index, uint32_t how)
{
	setup->coherent = setup->kind->import(setup->devices[index], index,
					      setup->fd, how);
}

void
import(struct setup *setup, unsigned int index)
{
	import_for(setup, index, BA_IMPORTER_BOTH);
}

void
release(struct setup *setup, unsigned int index)
{
	setup->kind->release(setup->devices[index]);
}

/* Is it coherent, and how many calls are one pass? Learned from a first map. */
static void
learn(struct setup *setup)
{
	struct bufalloc_buffer_info info;

	import(setup, 0);
	info = ba_buffer_info(setup->node, setup->fd);
	setup->calls_per_pass = info.out_syncs;
	CHECK(setup->coherent == (info.out_syncs == 0));
	release(setup, 0);
	not_coherent |= !setup->coherent;
}

static bool
set_up(struct setup *setup, const struct kind *kind, uint32_t fd_flags)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = LENGTH,
		.heap = BUFALLOC_HEAP_SYSTEM,
		.fd_flags = fd_flags | O_CLOEXEC,
	};

	memset(setup, 0, sizeof(*setup));
	setup->kind = kind;
	setup->third = -1;
	for (unsigned int i = 0; i < 2; i++) {
		setup->devices[i] = kind->open(i);
		if (setup->devices[i] < 0) {
			if (i > 0) {
				close(setup->devices[0]);
			}
			return false;
		}
	}
	setup->node = ba_open();
	/* One to learn from; the row's own is new. */
	setup->fd = ba_alloc(setup->node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	learn(setup);
	close(setup->fd);
	CHECK_EQ(ioctl(setup->node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	setup->fd = alloc.out_fd;
	return true;
}

static void
tear_down(struct setup *setup)
{
	if (setup->child > 0) {
		kill(setup->child, SIGKILL);
		waitpid(setup->child, NULL, 0);
	}
	if (setup->data != NULL) {
		munmap(setup->data, LENGTH);
	}
	if (setup->third >= 0) {
		close(setup->third);
	}
	close(setup->devices[0]);
	close(setup->devices[1]);
	close(setup->fd);
	close(setup->node);
}

void
on_each_kind(void (*body)(struct setup *setup), uint32_t fd_flags)
{
	unsigned int ran = 0;

	for (size_t i = 0; i < KINDS; i++) {
		struct setup setup;

		if (!set_up(&setup, &kinds[i], fd_flags)) {
			continue;
		}
		body(&setup);
		tear_down(&setup);
		ran++;
	}
	if (ran == 0) {
		ktest_skip("neither ba_importer nor two devices edu");
	}
}

void
import_first(struct setup *setup)
{
	struct seen seen;

	watch(setup);
	import(setup, 0);
	seen = seen_since(setup);
	/* It depends on the pages that the buffer got. */
	setup->calls_per_pass = seen.calls[WRITE_BACK];
	CHECK_EQ(seen.bytes[WRITE_BACK], setup->coherent ? 0 : LENGTH);
	CHECK_EQ(seen.calls[INVALIDATE], 0);
	CHECK_EQ(seen.syncs, seen.calls[WRITE_BACK]);
	CHECK_EQ(seen.skipped, 0);
}
