// SPDX-License-Identifier: MIT
/*
 * CPU access and devices, in a guest with swiotlb=force: every mapping bounces,
 * so the CPU and the device see each other's data only where a sync was done.
 * The device is the stand-in of tests/kernel/modules/ba_importer.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "ktest.h"
#include "modules/ba_importer.h"

#define LENGTH ((size_t)232 << 10)

struct import {
	int file;
	struct ba_importer_import arg;
};

static struct import
import_buffer(int fd, uint32_t device)
{
	struct import import = {
		.file = open("/dev/ba_importer", O_RDWR | O_CLOEXEC),
		.arg = { .fd = fd, .device = device },
	};

	if (import.file < 0) {
		ktest_skip("ba_importer is not loaded");
	}
	CHECK_EQ(ioctl(import.file, BA_IMPORTER_IMPORT, &import.arg), 0);
	/* Else this file proves nothing. */
	CHECK_EQ(import.arg.bounced, LENGTH);
	return import;
}

static void
device_write(struct import *import, uint32_t seed)
{
	struct ba_importer_access access = { .seed = seed };

	CHECK_EQ(ioctl(import->file, BA_IMPORTER_WRITE, &access), 0);
}

static uint64_t
device_match(struct import *import, uint32_t seed)
{
	struct ba_importer_access access = { .seed = seed };

	CHECK_EQ(ioctl(import->file, BA_IMPORTER_CHECK, &access), 0);
	return access.match;
}

static void
cpu_write(uint8_t *data, uint32_t seed)
{
	for (size_t i = 0; i < LENGTH; i++) {
		data[i] = (uint8_t)(i * 31 + seed);
	}
}

static uint64_t
cpu_match(const uint8_t *data, uint32_t seed)
{
	size_t i = 0;

	while (i < LENGTH && data[i] == (uint8_t)(i * 31 + seed)) {
		i++;
	}
	return i;
}

struct setup {
	int node, fd;
	uint8_t *data;
};

static struct setup
set_up(uint32_t heap)
{
	struct setup setup;

	setup.node = ba_open();
	setup.fd = ba_alloc(setup.node, heap, LENGTH);
	setup.data = ba_map(setup.fd, LENGTH);
	return setup;
}

static void
tear_down(struct setup *setup)
{
	munmap(setup->data, LENGTH);
	close(setup->fd);
	close(setup->node);
}

static void
cpu_to_device(uint32_t heap)
{
	struct setup setup = set_up(heap);
	struct import import = import_buffer(setup.fd, 0);

	ba_sync(setup.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	cpu_write(setup.data, 7);
	/* The control: without the sync the device sees none of it. */
	CHECK(device_match(&import, 7) < 2);
	ba_sync(setup.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	CHECK_EQ(device_match(&import, 7), LENGTH);
	close(import.file);
	tear_down(&setup);
}

static void
device_to_cpu(uint32_t heap)
{
	struct setup setup = set_up(heap);
	struct import import = import_buffer(setup.fd, 0);

	device_write(&import, 9);
	CHECK(cpu_match(setup.data, 9) < 2);
	ba_sync(setup.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	CHECK_EQ(cpu_match(setup.data, 9), LENGTH);
	ba_sync(setup.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	close(import.file);
	tear_down(&setup);
}

static void
system_cpu_to_device(void)
{
	cpu_to_device(BUFALLOC_HEAP_SYSTEM);
}

static void
system_device_to_cpu(void)
{
	device_to_cpu(BUFALLOC_HEAP_SYSTEM);
}

static void
contig_cpu_to_device(void)
{
	cpu_to_device(BUFALLOC_HEAP_CONTIG);
}

static void
contig_device_to_cpu(void)
{
	device_to_cpu(BUFALLOC_HEAP_CONTIG);
}

/* What was written before the import, and what is read after its end. */
static void
map_and_unmap_sync(void)
{
	struct setup setup = set_up(BUFALLOC_HEAP_SYSTEM);
	struct import import;

	cpu_write(setup.data, 3);
	import = import_buffer(setup.fd, 0);
	CHECK_EQ(device_match(&import, 3), LENGTH);
	device_write(&import, 5);
	CHECK_EQ(ioctl(import.file, BA_IMPORTER_RELEASE), 0);
	CHECK_EQ(cpu_match(setup.data, 5), LENGTH);
	close(import.file);
	tear_down(&setup);
}

/* Each device is synced, once for each physical run and each access. */
static void
two_devices(void)
{
	struct setup setup = set_up(BUFALLOC_HEAP_SYSTEM);
	struct import imports[] = {
		import_buffer(setup.fd, 0),
		import_buffer(setup.fd, 1),
	};
	struct bufalloc_buffer_info info = ba_buffer_info(setup.node, setup.fd);
	uint64_t syncs = info.out_syncs;

	CHECK_EQ(info.out_attachments, 2);
	CHECK_EQ(info.out_mappings, 2);
	CHECK_EQ(info.out_bounced, 2);
	ba_sync(setup.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	cpu_write(setup.data, 11);
	ba_sync(setup.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	CHECK_EQ(device_match(&imports[0], 11), LENGTH);
	CHECK_EQ(device_match(&imports[1], 11), LENGTH);
	info = ba_buffer_info(setup.node, setup.fd);
	/*
	 * Begin and end, two devices; a run is cut to what the device takes in
	 * one segment, and each segment has a bounce buffer of its own.
	 */
	CHECK(imports[0].arg.segments >= info.out_runs);
	CHECK_EQ(info.out_syncs - syncs, 2 * 2 * imports[0].arg.segments);
	close(imports[0].file);
	close(imports[1].file);
	tear_down(&setup);
}

/* Two imports by one device see one memory, and the first end keeps it. */
static void
one_device_twice(void)
{
	struct setup setup = set_up(BUFALLOC_HEAP_SYSTEM);
	struct import first = import_buffer(setup.fd, 0);
	struct import second = import_buffer(setup.fd, 0);

	CHECK_EQ(ba_buffer_info(setup.node, setup.fd).out_mappings, 1);
	device_write(&first, 13);
	CHECK_EQ(device_match(&second, 13), LENGTH);
	close(first.file);
	CHECK_WITHIN_1S(ba_buffer_info(setup.node, setup.fd).out_attachments == 1);
	CHECK_EQ(ba_buffer_info(setup.node, setup.fd).out_mappings, 1);
	CHECK_EQ(device_match(&second, 13), LENGTH);
	ba_sync(setup.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	CHECK_EQ(cpu_match(setup.data, 13), LENGTH);
	ba_sync(setup.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	close(second.file);
	tear_down(&setup);
}

/* 64 MiB of bounce memory cannot hold it: it fails and leaves nothing. */
static void
too_large_to_bounce(void)
{
	struct ba_importer_import arg = { 0 };
	int node = ba_open();
	int file = open("/dev/ba_importer", O_RDWR | O_CLOEXEC);

	CHECK(file >= 0);
	arg.fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 100 << 20);
	CHECK_ERRNO(EIO, ioctl(file, BA_IMPORTER_IMPORT, &arg));
	CHECK_EQ(ba_buffer_info(node, arg.fd).out_attachments, 0);
	CHECK_EQ(ba_buffer_info(node, arg.fd).out_mappings, 0);
	close(arg.fd);
	close(file);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "system-cpu-to-device", system_cpu_to_device },
	{ "system-device-to-cpu", system_device_to_cpu },
	{ "contig-cpu-to-device", contig_cpu_to_device },
	{ "contig-device-to-cpu", contig_device_to_cpu },
	{ "map-and-unmap-sync", map_and_unmap_sync },
	{ "two-devices-are-both-synced-by-run", two_devices },
	{ "one-device-twice", one_device_twice },
	{ "too-large-to-bounce-eio", too_large_to_bounce },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
