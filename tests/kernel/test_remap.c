// SPDX-License-Identifier: MIT
/*
 * What it costs to map a buffer for a device: the first time, again for each
 * frame, and for each frame while somebody else keeps the device's mapping. The
 * last is what a cache of idle mappings could save at most. Import and release
 * are what a V4L2 driver does when a dma-buf is queued and dequeued.
 *
 * For a guest whose clock is real. Times of an emulated IOMMU, so they are
 * compared with each other and with the time that a frame has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "user.h"

/* BGRx, 1920x1080. */
#define LENGTH ((size_t)8294400)
#define FRAMES 240
#define FIRSTS 20
/* At 60 frames a second. */
#define FRAME_NS (1e9 / 60)

struct setup {
	int node, fd, device, keeper;
	uint8_t *memory;
	unsigned int segments;
	bool iommu;
};

/*
 * The system heap of a guest that just booted has large blocks; a process's
 * memory in pages of 4 KiB is the other extreme.
 */
static int
make_buffer(const struct setup *setup)
{
	if (setup->memory != NULL) {
		return user_import(setup->node, setup->memory, LENGTH, 0);
	}
	return ba_alloc(setup->node, BUFALLOC_HEAP_SYSTEM, LENGTH);
}

static bool
set_up(struct setup *setup, unsigned int device, bool pages)
{
	struct ba_edu_import import;

	setup->device = edu_try_open(device, EDU_ANY_SEGMENTS);
	if (setup->device < 0) {
		return false;
	}
	setup->keeper = edu_open(device, EDU_ANY_SEGMENTS);
	setup->node = ba_open();
	setup->memory = pages ? user_scattered(LENGTH) : NULL;
	setup->fd = make_buffer(setup);
	import = edu_import(setup->device, setup->fd);
	setup->segments = import.segments;
	setup->iommu = import.domain != BA_EDU_NO_DOMAIN;
	edu_release(setup->device);
	return true;
}

static void
tear_down(struct setup *setup)
{
	close(setup->fd);
	close(setup->device);
	close(setup->keeper);
	close(setup->node);
	if (setup->memory != NULL) {
		munmap(setup->memory, LENGTH);
	}
}

static int
compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double
median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* In nanoseconds. */
struct cost {
	double import, both;
};

static struct cost
cost_of_a_frame(struct setup *setup)
{
	static double import[FRAMES], both[FRAMES];

	for (unsigned int i = 0; i < FRAMES; i++) {
		double start = ktest_now();

		edu_import(setup->device, setup->fd);
		import[i] = (ktest_now() - start) * 1e9;
		edu_release(setup->device);
		both[i] = (ktest_now() - start) * 1e9;
	}
	return (struct cost){ median(import, FRAMES), median(both, FRAMES) };
}

/* Of buffers that were never mapped. */
static double
cost_of_the_first(struct setup *setup)
{
	double import[FIRSTS];

	for (unsigned int i = 0; i < FIRSTS; i++) {
		int fd = make_buffer(setup);
		double start = ktest_now();

		edu_import(setup->device, fd);
		import[i] = (ktest_now() - start) * 1e9;
		edu_release(setup->device);
		close(fd);
	}
	return median(import, FIRSTS);
}

static void
figure(const struct setup *setup, const char *name, double value)
{
	char full[64];

	snprintf(full, sizeof(full), "%s%s%s", name,
		 setup->memory != NULL ? "_4k_pages" : "",
		 setup->iommu ? "" : "_no_iommu");
	ktest_figure(full, value);
}

static void
measure(unsigned int device, bool iommu, bool pages)
{
	struct bufalloc_buffer_info info;
	struct cost again, kept;
	struct setup setup;
	double first;

	if (!set_up(&setup, device, pages)) {
		ktest_skip("no device ba_edu%u", device);
	}
	CHECK(setup.iommu == iommu);
	first = cost_of_the_first(&setup);
	again = cost_of_a_frame(&setup);
	edu_import(setup.keeper, setup.fd);
	kept = cost_of_a_frame(&setup);
	/* Else it was not the same mapping. */
	info = ba_buffer_info(setup.node, setup.fd);
	CHECK_EQ(info.out_mappings, 1);
	edu_release(setup.keeper);
	CHECK_EQ(ba_buffer_info(setup.node, setup.fd).out_mappings, 0);

	ktest_note("%u runs, %u segments; a frame: %.0f ns, %.0f ns if kept",
		   info.out_runs, setup.segments, again.both, kept.both);
	figure(&setup, "first_map_ns", (int)first);
	figure(&setup, "remap_same_device_ns", (int)again.import);
	figure(&setup, "kept_map_same_device_ns", (int)kept.import);
	figure(&setup, "remap_percent_of_a_frame",
	       (int)((again.both - kept.both) * 1e5 / FRAME_NS) / 1e3);
	tear_down(&setup);
}

static void
inside(void)
{
	measure(0, true, false);
}

static void
inside_pages(void)
{
	measure(0, true, true);
}

static void
outside(void)
{
	measure(1, false, false);
}

static void
outside_pages(void)
{
	measure(1, false, true);
}

static const struct ktest_row rows[] = {
	{ "behind-the-iommu", inside },
	{ "behind-the-iommu-4-kib-pages", inside_pages },
	{ "outside-the-iommu", outside },
	{ "outside-the-iommu-4-kib-pages", outside_pages },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
