// SPDX-License-Identifier: MIT
/*
 * The heap "device": memory that a devicetree gives to one device
 * (tests/vm/reserved.dtso, modules/ba_own.h). The bytes are moved by QEMU's device
 * edu, which is one of the devices that share the buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "modules/ba_own.h"

#define MIB ((size_t)1 << 20)
#define LENGTH (4 * MIB)
#define POOL (16 * MIB)

static int node;
/* The device with the memory, and the one that does the work. */
enum { OWN, EDU, COUNT };
static int devices[COUNT];

static int
own_open(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	/* The node comes a little later than the device. */
	for (int try = 0; (fd = open(path, O_RDWR | O_CLOEXEC)) < 0; try++) {
		if (try == 1000) {
			ktest_skip("no %s", path);
		}
		ktest_pause_1ms();
	}
	return fd;
}

static void
tell_driver(const char *file, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/ba_own/%s", file);
	CHECK(ktest_put(path, name, 0));
}

static void
begin(void)
{
	devices[OWN] = own_open("ba_own0");
	devices[EDU] = edu_open(0, 1);
	node = ba_open();
	ba_set_parameter("contig_limit_bytes", 1ULL << 40);
}

static void
end(void)
{
	close(devices[OWN]);
	close(devices[EDU]);
	close(node);
}

static struct ba_outcome
try_alloc(uint32_t heap, size_t length, uint32_t count)
{
	return ba_alloc_for(node, heap, length, devices, count, 0);
}

static int
alloc(size_t length)
{
	struct ba_outcome outcome = try_alloc(BUFALLOC_HEAP_DEVICE, length, COUNT);

	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_DEVICE);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_CALLER);
	CHECK_EQ(outcome.verdict.out_attributes, BUFALLOC_ATTRIBUTE_WRITE_COMBINE);
	for (int i = 0; i < COUNT; i++) {
		CHECK_EQ(outcome.devices[i].out_proof, BUFALLOC_PROOF_MAPPED);
		CHECK_EQ(outcome.devices[i].out_segments, 1);
	}
	return outcome.fd;
}

static bool
has_room(size_t bytes)
{
	return ioctl(devices[OWN], BA_OWN_ROOM, bytes) == 0;
}

/* The driver of that device says so, and the mapping that is always there is told. */
static void
memory_is_the_device_s(void)
{
	struct bufalloc_buffer_info info;
	int fd;

	begin();
	CHECK(has_room(POOL));
	fd = alloc(LENGTH);
	CHECK(!has_room(POOL));
	CHECK(has_room(POOL / 2));
	CHECK_EQ(ioctl(devices[OWN], BA_OWN_IMPORT, fd), 1);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_heap, BUFALLOC_HEAP_DEVICE);
	CHECK_EQ(info.out_kernel_va, LENGTH);
	CHECK_EQ(info.out_kernel_maps, 0);
	CHECK_EQ(info.out_runs, 1);
	CHECK_EQ(info.out_mappings, 1);
	CHECK_EQ(ioctl(devices[OWN], BA_OWN_RELEASE), 0);
	close(fd);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	CHECK(has_room(POOL));

	/* And other memory is not. */
	fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, LENGTH);
	CHECK_EQ(ioctl(devices[OWN], BA_OWN_IMPORT, fd), 0);
	CHECK_EQ(ioctl(devices[OWN], BA_OWN_RELEASE), 0);
	close(fd);
	end();
}

static void
zero(void)
{
	size_t stale = 0;

	begin();
	for (int round = 0; round < 2; round++) {
		int fd = alloc(POOL);
		uint8_t *data = ba_map(fd, POOL);

		stale += count_nonzero(data, POOL);
		memset(data, 0x5a, POOL);
		munmap(data, POOL);
		close(fd);
		CHECK_WITHIN_1S(ba_live("buffers") == 0);
	}
	CHECK_EQ(stale, 0);
	end();
}

static void
used_by_all(void)
{
	static uint8_t bytes[100001];
	uint8_t *data;
	int fd;

	begin();
	fd = alloc(LENGTH);
	data = ba_map(fd, LENGTH);
	pattern_fill(data + 77777, sizeof(bytes));
	CHECK_EQ(ba_try_copy(node, fd, 0, 77777, sizeof(bytes), bytes), 0);
	CHECK_EQ(pattern_mismatch(bytes, sizeof(bytes)), sizeof(bytes));
	CHECK_EQ(ba_try_copy(node, fd, BUFALLOC_COPY_IN, LENGTH - sizeof(bytes), sizeof(bytes),
		      bytes),
		 0);
	CHECK_EQ(pattern_mismatch(data + LENGTH - sizeof(bytes), sizeof(bytes)),
		 sizeof(bytes));

	edu_import(devices[EDU], fd);
	memset(bytes, 0, 2048);
	edu_read(devices[EDU], bytes, 77777, 2048);
	CHECK_EQ(pattern_mismatch(bytes, 2048), 2048);
	edu_write(devices[EDU], bytes, 1 * MIB, 2048);
	CHECK_EQ(pattern_mismatch(data + MIB, 2048), 2048);
	CHECK(edu_spots_match(devices[EDU], devices[EDU], LENGTH));
	CHECK_EQ(ba_buffer_info(node, fd).out_syncs, 0);
	edu_release(devices[EDU]);
	munmap(data, LENGTH);
	close(fd);
	end();
}

static void
refused(uint32_t count, int error, uint32_t reason)
{
	struct ba_outcome outcome = try_alloc(BUFALLOC_HEAP_DEVICE, LENGTH, count);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -error);
	CHECK_EQ(outcome.verdict.out_reason, reason);
}

static void
whose(void)
{
	int own;

	begin();
	/* Of nobody, of a device that has none, and of two that have some. */
	CHECK_ERRNO(ENOSPC, ba_try_alloc(node, BUFALLOC_HEAP_DEVICE, LENGTH));
	own = devices[OWN];
	devices[OWN] = devices[EDU];
	refused(1, ENOSPC, BUFALLOC_REASON_OWN_MEMORY);
	devices[OWN] = own;
	close(devices[EDU]);
	devices[EDU] = own_open("ba_own1");
	refused(2, ENOSPC, BUFALLOC_REASON_OWN_MEMORY);
	/* The same one twice is one. */
	close(devices[EDU]);
	devices[EDU] = own_open("ba_own0");
	close(alloc(LENGTH));
	end();
}

static void
full(void)
{
	int fds[POOL / LENGTH], count = 0;

	begin();
	while (count < (int)(POOL / LENGTH)) {
		fds[count++] = alloc(LENGTH);
	}
	refused(COUNT, ENOMEM, BUFALLOC_REASON_MEMORY);
	while (count-- > 0) {
		close(fds[count]);
	}
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	ba_set_parameter("contig_limit_bytes", MIB);
	refused(COUNT, EDQUOT, BUFALLOC_REASON_LIMIT);
	end();
}

/* Who names no heap gets other memory. */
static void
not_unasked(void)
{
	struct ba_outcome outcome;

	begin();
	outcome = try_alloc(BUFALLOC_HEAP_AUTO, LENGTH, COUNT);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_CONTIG);
	CHECK(has_room(POOL));
	close(outcome.fd);
	end();
}

static sigjmp_buf fault;

static void
on_fault(int number)
{
	(void)number;
	siglongjmp(fault, 1);
}

/* Does touching it end in SIGBUS? */
static bool
is_gone(const volatile uint8_t *data)
{
	struct sigaction action = { .sa_handler = on_fault }, before;
	volatile bool gone = true;

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, &before);
	if (sigsetjmp(fault, 1) == 0) {
		(void)*data;
		gone = false;
	}
	sigaction(SIGBUS, &before, NULL);
	return gone;
}

/* It is no longer usable, in any way. */
static void
check_gone(int fd, const uint8_t *data)
{
	struct ba_edu_import import;
	uint8_t byte = 0;

	CHECK(is_gone(data));
	CHECK(is_gone(data + LENGTH - 1));
	CHECK_ERRNO(ENODEV, ba_try_copy(node, fd, 0, 0, 1, &byte));
	CHECK_ERRNO(ENODEV, ba_try_copy(node, fd, BUFALLOC_COPY_IN, 0, 1, &byte));
	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, ENODEV);
	CHECK_ERRNO(ENODEV, edu_try_import(devices[EDU], fd, &import));
	/* What it was can still be told. */
	CHECK_EQ(ba_buffer_info(node, fd).out_heap, BUFALLOC_HEAP_DEVICE);
}

static void
rebind(void)
{
	tell_driver("bind", "ba_own0");
	close(devices[OWN]);
	devices[OWN] = own_open("ba_own0");
}

/* Nobody uses it at that moment: the driver that comes back has all of its memory. */
static void
unbound(void)
{
	uint8_t *data, *untouched;
	int fd;

	begin();
	fd = alloc(LENGTH);
	data = ba_map(fd, LENGTH);
	untouched = ba_map(fd, LENGTH);
	memset(data, 0x5a, LENGTH);
	CHECK(!has_room(POOL));

	tell_driver("unbind", "ba_own0");
	check_gone(fd, data);
	CHECK(is_gone(untouched));
	refused(COUNT, ENOSPC, BUFALLOC_REASON_OWN_MEMORY);
	rebind();
	CHECK(has_room(POOL));
	check_gone(fd, data);
	munmap(data, LENGTH);
	munmap(untouched, LENGTH);
	close(fd);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	CHECK(has_room(POOL));
	close(alloc(POOL));
	end();
}

/* What another device has mapped is nobody else's before that has let go. */
static void
unbound_while_mapped(void)
{
	uint8_t bytes[64];
	uint8_t *data;
	int fd;

	begin();
	fd = alloc(LENGTH);
	data = ba_map(fd, LENGTH);
	pattern_fill(data, sizeof(bytes));
	edu_import(devices[EDU], fd);
	tell_driver("unbind", "ba_own0");
	CHECK(is_gone(data));
	edu_read(devices[EDU], bytes, 0, sizeof(bytes));
	CHECK_EQ(pattern_mismatch(bytes, sizeof(bytes)), sizeof(bytes));
	rebind();
	CHECK(!has_room(POOL));
	munmap(data, LENGTH);
	close(fd);
	CHECK(!has_room(POOL));
	edu_release(devices[EDU]);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	CHECK(has_room(POOL));

	/* The same, and it does not come back in between. */
	fd = alloc(LENGTH);
	edu_import(devices[EDU], fd);
	close(fd);
	tell_driver("unbind", "ba_own0");
	edu_release(devices[EDU]);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	rebind();
	CHECK(has_room(POOL));
	end();
}

/* The device itself has it mapped; its driver lets go when it is unbound. */
static void
unbound_by_itself(void)
{
	int fd;

	begin();
	fd = alloc(LENGTH);
	CHECK_EQ(ioctl(devices[OWN], BA_OWN_IMPORT, fd), 1);
	tell_driver("unbind", "ba_own0");
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	close(fd);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	rebind();
	CHECK(has_room(POOL));
	end();
}

static const struct ktest_row rows[] = {
	{ "memory-is-the-device-s", memory_is_the_device_s },
	{ "reused-memory-is-zero", zero },
	{ "mmap-copy-and-dma", used_by_all },
	{ "of-one-device-else-enospc", whose },
	{ "full-enomem-limit-edquot", full },
	{ "auto-takes-other-memory", not_unasked },
	{ "unbound-it-is-gone", unbound },
	{ "unbound-while-another-has-it-mapped", unbound_while_mapped },
	{ "unbound-while-it-has-it-mapped", unbound_by_itself },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
