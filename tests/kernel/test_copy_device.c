// SPDX-License-Identifier: MIT
/*
 * COPY and a device that uses the buffer, in a guest with swiotlb=force: they
 * see each other's data only where COPY synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "ktest.h"
#include "modules/ba_importer.h"

#define LENGTH ((size_t)232 << 10)
#define OFFSET ((size_t)5000)
#define PART ((size_t)100001)

struct setup {
	int node, fd, importer;
	uint8_t *bytes;
};

static struct setup
set_up(uint32_t heap)
{
	struct ba_importer_import import = { .device = 0 };
	struct setup setup = { .node = ba_open(), .bytes = malloc(LENGTH) };

	CHECK(setup.bytes != NULL);
	setup.fd = ba_alloc(setup.node, heap, LENGTH);
	setup.importer = open("/dev/ba_importer", O_RDWR | O_CLOEXEC);
	if (setup.importer < 0) {
		ktest_skip("ba_importer is not loaded");
	}
	import.fd = setup.fd;
	CHECK_EQ(ioctl(setup.importer, BA_IMPORTER_IMPORT, &import), 0);
	/* Else this file proves nothing. */
	CHECK_EQ(import.bounced, LENGTH);
	return setup;
}

static void
tear_down(struct setup *setup)
{
	close(setup->importer);
	close(setup->fd);
	close(setup->node);
	free(setup->bytes);
}

static void
device_write(struct setup *setup, uint32_t seed)
{
	struct ba_importer_access access = { .seed = seed };

	CHECK_EQ(ioctl(setup->importer, BA_IMPORTER_WRITE, &access), 0);
}

/* Bytes from the start on that the device sees so. */
static uint64_t
device_match(struct setup *setup, uint32_t seed)
{
	struct ba_importer_access access = { .seed = seed };

	CHECK_EQ(ioctl(setup->importer, BA_IMPORTER_CHECK, &access), 0);
	return access.match;
}

static uint8_t
byte_of(size_t at, uint32_t seed)
{
	return (uint8_t)(at * 31 + seed);
}

static int
copy(struct setup *setup, uint32_t flags, size_t offset, size_t length,
     uint64_t *copied)
{
	struct bufalloc_copy arg = {
		.size = sizeof(arg),
		.flags = flags,
		.fd = setup->fd,
		.offset = offset,
		.length = length,
		.address = (uintptr_t)setup->bytes,
	};
	int ret = ioctl(setup->node, BUFALLOC_IOCTL_COPY, &arg);

	*copied = arg.out_copied;
	return ret;
}

static void
out(uint32_t heap)
{
	struct setup setup = set_up(heap);
	uint64_t copied;

	device_write(&setup, 9);
	CHECK_EQ(copy(&setup, 0, OFFSET, PART, &copied), 0);
	for (size_t i = 0; i < PART; i++) {
		CHECK_EQ(setup.bytes[i], byte_of(OFFSET + i, 9));
	}
	tear_down(&setup);
}

static void
in(uint32_t heap)
{
	struct setup setup = set_up(heap);
	uint64_t copied;

	device_write(&setup, 1);
	for (size_t i = 0; i < PART; i++) {
		setup.bytes[i] = byte_of(OFFSET + i, 2);
	}
	CHECK_EQ(copy(&setup, BUFALLOC_COPY_IN, OFFSET, PART, &copied), 0);
	CHECK_EQ(device_match(&setup, 1), OFFSET);
	/* What is around it is the device's own. */
	for (size_t i = 0; i < OFFSET; i++) {
		setup.bytes[i] = byte_of(i, 2);
	}
	CHECK_EQ(copy(&setup, BUFALLOC_COPY_IN, 0, OFFSET, &copied), 0);
	CHECK_EQ(device_match(&setup, 2), OFFSET + PART);
	tear_down(&setup);
}

/* What was not copied in after all is still what the device wrote. */
static void
half_of_it_in(void)
{
	struct setup setup = set_up(BUFALLOC_HEAP_SYSTEM);
	uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct bufalloc_copy arg = {
		.size = sizeof(arg),
		.flags = BUFALLOC_COPY_IN,
		.fd = setup.fd,
		.length = LENGTH,
		.address = (uintptr_t)pages,
	};
	uint64_t copied;

	CHECK(pages != MAP_FAILED);
	CHECK_EQ(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	for (size_t i = 0; i < 4096; i++) {
		pages[i] = byte_of(i, 2);
	}
	device_write(&setup, 1);
	CHECK_ERRNO(EFAULT, ioctl(setup.node, BUFALLOC_IOCTL_COPY, &arg));
	CHECK_EQ(arg.out_copied, 4096);
	CHECK_EQ(device_match(&setup, 2), 4096);
	CHECK_EQ(copy(&setup, 0, 0, LENGTH, &copied), 0);
	for (size_t i = 4096; i < LENGTH; i++) {
		CHECK_EQ(setup.bytes[i], byte_of(i, 1));
	}
	munmap(pages, 8192);
	tear_down(&setup);
}

static void
out_of_system(void)
{
	out(BUFALLOC_HEAP_SYSTEM);
}

static void
out_of_contig(void)
{
	out(BUFALLOC_HEAP_CONTIG);
}

static void
into_system(void)
{
	in(BUFALLOC_HEAP_SYSTEM);
}

static void
into_contig(void)
{
	in(BUFALLOC_HEAP_CONTIG);
}

static const struct ktest_row rows[] = {
	{ "what-a-device-wrote-is-copied-out-of-system", out_of_system },
	{ "what-a-device-wrote-is-copied-out-of-contig", out_of_contig },
	{ "what-is-copied-into-system-reaches-a-device", into_system },
	{ "what-is-copied-into-contig-reaches-a-device", into_contig },
	{ "half-of-a-copy-in-leaves-the-rest", half_of_it_in },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
