// SPDX-License-Identifier: MIT
/*
 * COPY: bytes in and out of buffers that nobody maps, and what it answers where
 * that cannot be. What devices see of it is in test_copy_device.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "ktest.h"
#include "pages.h"
#include "user.h"

#define LENGTH ((size_t)5 << 20)

static struct bufalloc_copy
copy_of(int fd, uint32_t flags, uint64_t offset, uint64_t length,
	const void *address)
{
	return (struct bufalloc_copy){
		.size = sizeof(struct bufalloc_copy),
		.flags = flags,
		.fd = fd,
		.offset = offset,
		.length = length,
		.address = (uintptr_t)address,
		.out_copied = 77,
	};
}

static void
copy(int node, int fd, uint32_t flags, uint64_t offset, uint64_t length,
     const void *address)
{
	struct bufalloc_copy arg =
		copy_of(fd, flags, offset, length, address);

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_COPY, &arg), 0);
	CHECK_EQ(arg.out_copied, length);
}

/* Must fail with that errno, after that many bytes. */
static void
copy_fails(int node, int fd, uint32_t flags, uint64_t offset, uint64_t length,
	   const void *address, int expected, uint64_t copied)
{
	struct bufalloc_copy arg =
		copy_of(fd, flags, offset, length, address);

	CHECK_ERRNO(expected, ioctl(node, BUFALLOC_IOCTL_COPY, &arg));
	CHECK_EQ(arg.out_copied, copied);
}

static const struct {
	size_t offset, length;
} ranges[] = {
	{ 0, 1 },
	{ 0, LENGTH },
	{ 1, LENGTH - 2 },
	{ LENGTH - 1, 1 },
	{ 4095, 2 },
	{ 4096, 4096 },
	{ 4097, 4095 },
	{ 65535, 65538 },
	{ (4 << 20) - 3, 7 },
	{ 123457, 3110400 },
};
#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

/* By a mapping it is seen what was copied in, and that nothing else was. */
static void
copies_in(void)
{
	uint8_t *bytes = malloc(LENGTH);
	int node = ba_open();

	CHECK(bytes != NULL);
	pattern_fill(bytes, LENGTH);
	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);
		uint8_t *data = ba_map(fd, LENGTH);

		for (size_t i = 0; i < RANGES; i++) {
			size_t end = ranges[i].offset + ranges[i].length;

			memset(data, 0xcc, LENGTH);
			/* From an odd address. */
			copy(node, fd, BUFALLOC_COPY_IN, ranges[i].offset,
			     ranges[i].length, bytes);
			CHECK_EQ(pattern_mismatch(data + ranges[i].offset,
						  ranges[i].length),
				 ranges[i].length);
			for (size_t at = 0; at < LENGTH; at++) {
				if (at < ranges[i].offset || at >= end) {
					CHECK_EQ(data[at], 0xcc);
				}
			}
		}
		munmap(data, LENGTH);
		close(fd);
	}
	free(bytes);
	close(node);
}

static void
copies_out(void)
{
	uint8_t *bytes = malloc(LENGTH + 2);
	int node = ba_open();

	CHECK(bytes != NULL);
	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);
		uint8_t *data = ba_map(fd, LENGTH);

		pattern_fill(data, LENGTH);
		for (size_t i = 0; i < RANGES; i++) {
			memset(bytes, 0xcc, LENGTH + 2);
			copy(node, fd, 0, ranges[i].offset, ranges[i].length,
			     bytes + 1);
			CHECK(memcmp(bytes + 1, data + ranges[i].offset,
				     ranges[i].length) == 0);
			CHECK_EQ(bytes[0], 0xcc);
			CHECK_EQ(bytes[1 + ranges[i].length], 0xcc);
		}
		munmap(data, LENGTH);
		close(fd);
	}
	free(bytes);
	close(node);
}

/* The user's memory is the buffer itself: overlapping, as memmove forbids. */
static void
of_the_buffer_itself(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);

	pattern_fill(data, LENGTH);
	copy(node, fd, 0, 0, LENGTH, data);
	copy(node, fd, BUFALLOC_COPY_IN, 0, LENGTH, data);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	copy(node, fd, BUFALLOC_COPY_IN, LENGTH / 2, LENGTH / 2, data);
	CHECK_EQ(pattern_mismatch(data, LENGTH / 2), LENGTH / 2);
	CHECK_EQ(pattern_mismatch(data + LENGTH / 2, LENGTH / 2), LENGTH / 2);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

/*
 * Pages, of which the last is not there: what came before it is copied, and in
 * the buffer nothing behind it is touched.
 */
static void
memory_that_ends(void)
{
	const size_t there = 3 * 4096;
	uint8_t *pages = mmap(NULL, there + 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);

	CHECK(pages != MAP_FAILED);
	CHECK_EQ(mprotect(pages + there, 4096, PROT_NONE), 0);
	for (size_t skip = 0; skip <= 4096; skip += 1365) {
		size_t offset = 1000, copied = there - skip;

		pattern_fill(pages + skip, copied);
		memset(data, 0xcc, LENGTH);
		copy_fails(node, fd, BUFALLOC_COPY_IN, offset, 5 * 4096,
			   pages + skip, EFAULT, copied);
		CHECK_EQ(pattern_mismatch(data + offset, copied), copied);
		for (size_t at = offset + copied; at < offset + 6 * 4096; at++) {
			CHECK_EQ(data[at], 0xcc);
		}

		pattern_fill(data + offset, 5 * 4096);
		memset(pages, 0, there);
		copy_fails(node, fd, 0, offset, 5 * 4096, pages + skip, EFAULT,
			   copied);
		CHECK_EQ(pattern_mismatch(pages + skip, copied), copied);
	}
	munmap(data, LENGTH);
	munmap(pages, there + 4096);
	close(fd);
	close(node);
}

static void
bad_addresses(void)
{
	static const uint64_t addresses[] = {
		0, 8, UINT64_MAX, UINT64_MAX - 4095, 0xffff888000000000,
		0xffffffff81000000, (uint64_t)1 << 63, (uint64_t)1 << 47,
	};
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	CHECK(page != MAP_FAILED);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		for (uint32_t in = 0; in <= BUFALLOC_COPY_IN; in++) {
			struct bufalloc_copy arg =
				copy_of(fd, in, 0, 4096, NULL);

			arg.address = addresses[i];
			CHECK_ERRNO(EFAULT,
				    ioctl(node, BUFALLOC_IOCTL_COPY, &arg));
			CHECK_EQ(arg.out_copied, 0);
		}
	}
	/* Out of the buffer, into memory that cannot be written. */
	copy_fails(node, fd, 0, 0, 4096, page, EFAULT, 0);
	munmap(page, 4096);
	close(fd);
	close(node);
}

static void
never_cpu(void)
{
	static uint8_t bytes[4096];
	int node = ba_open();
	int fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, LENGTH,
			       BUFALLOC_ATTRIBUTE_NEVER_CPU);

	for (uint32_t in = 0; in <= BUFALLOC_COPY_IN; in++) {
		copy_fails(node, fd, in, 0, sizeof(bytes), bytes, EACCES, 0);
	}
	CHECK_EQ(ba_buffer_info(node, fd).out_cpu_accesses, 0);
	close(fd);
	close(node);
}

/* What may not write by mmap may not write by COPY. */
static void
read_only_fd(void)
{
	static uint8_t bytes[4096];
	int node = ba_open();
	int fd = ba_alloc_read_only(node, LENGTH);

	memset(bytes, 0xcc, sizeof(bytes));
	copy_fails(node, fd, BUFALLOC_COPY_IN, 0, sizeof(bytes), bytes,
		   EACCES, 0);
	copy(node, fd, 0, 0, sizeof(bytes), bytes);
	CHECK_EQ(first_nonzero(bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	close(node);
}

/* Memory of the process's own, a part of which is not for writing. */
static void
imported_memory(void)
{
	uint8_t *memory = user_scattered(16 * PAGE);
	uint8_t *bytes = malloc(16 * PAGE);
	int node = ba_open();
	int fd = user_import(node, memory, 16 * PAGE, 0);
	int read_only = user_import(node, memory, 16 * PAGE,
				    BUFALLOC_IMPORT_READ_ONLY);

	CHECK(bytes != NULL);
	pattern_fill(bytes, 16 * PAGE);
	copy(node, fd, BUFALLOC_COPY_IN, 0, 16 * PAGE, bytes);
	CHECK_EQ(pattern_mismatch(memory, 16 * PAGE), 16 * PAGE);
	memset(bytes, 0, 16 * PAGE);
	copy(node, read_only, 0, 0, 16 * PAGE, bytes);
	CHECK_EQ(pattern_mismatch(bytes, 16 * PAGE), 16 * PAGE);
	memset(bytes, 0, 16 * PAGE);
	copy_fails(node, read_only, BUFALLOC_COPY_IN, 0, 16 * PAGE, bytes, EACCES,
		   0);
	CHECK_EQ(pattern_mismatch(memory, 16 * PAGE), 16 * PAGE);
	close(read_only);
	close(fd);
	close(node);
	munmap(memory, 16 * PAGE);
	free(bytes);
}

/* Much address space over little memory: a file, mapped again and again. */
static void *
map_often(size_t length, size_t piece)
{
	int fd = (int)syscall(SYS_memfd_create, "piece", 0);
	uint8_t *all = mmap(NULL, length, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(fd >= 0 && all != MAP_FAILED);
	CHECK_EQ(ftruncate(fd, (off_t)piece), 0);
	for (size_t at = 0; at < length; at += piece) {
		CHECK(mmap(all + at, piece, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
	}
	close(fd);
	return all;
}

/* The longest copy that the guest has memory for is given up when killed. */
static void
fatal_signal(void)
{
	const size_t length = (size_t)1 << 30;
	struct bufalloc_copy *arg = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint8_t *bytes = map_often(length, 2 << 20);
	int node = ba_open();
	int fd = ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, length);
	pid_t child;
	int status;

	CHECK(arg != MAP_FAILED);
	if (fd < 0) {
		ktest_skip("no 1 GiB of memory is free");
	}
	*arg = copy_of(fd, 0, 0, length, bytes);
	child = fork();
	if (child == 0) {
		_exit(ioctl(node, BUFALLOC_IOCTL_COPY, arg) == 0 ? 0 : errno);
	}
	CHECK_WITHIN_1S(ba_buffer_info(node, fd).out_cpu_accesses == 1);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_WITHIN_1S(waitpid(child, &status, WNOHANG) == child);
	CHECK(WIFSIGNALED(status));
	/* It says how far it came. */
	ktest_note("killed after %llu of %zu bytes",
		   (unsigned long long)arg->out_copied, length);
	CHECK(arg->out_copied != 77);
	CHECK(arg->out_copied < length);
	munmap(bytes, length);
	munmap(arg, 4096);
	close(fd);
	close(node);
}

/* All that makes mappings of memory for the kernel, or of it for a user. */
static const char *const map_functions[] = {
	"vmap", "vm_map_ram", "dma_buf_vmap", "remap_pfn_range",
	"__get_vm_area_node", "memremap", "ioremap_prot",
};
#define MAP_FUNCTIONS (sizeof(map_functions) / sizeof(map_functions[0]))

static unsigned int own_calls;

/* "  copy-123   [000] ...": others of the guest may make mappings meanwhile. */
static void
count_own(const char *text, void *data)
{
	char task[32];

	(void)data;
	snprintf(task, sizeof(task), "-%d ", getpid());
	if (strstr(text, task) != NULL) {
		ktest_note("%.*s", (int)strcspn(text, "\n"), text);
		own_calls++;
	}
}

static void
maps_nothing(void)
{
	const size_t length = (size_t)128 << 20;
	uint8_t *bytes = map_often(length, 2 << 20);
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, length);
		struct bufalloc_buffer_info info;

		own_calls = 0;
		trace_begin_all(map_functions, MAP_FUNCTIONS, "");
		copy(node, fd, 0, 0, length, bytes);
		copy(node, fd, BUFALLOC_COPY_IN, 0, length, bytes);
		trace_end(count_own, NULL);
		CHECK_EQ(own_calls, 0);
		info = ba_buffer_info(node, fd);
		CHECK_EQ(info.out_kernel_va, 0);
		CHECK_EQ(info.out_kernel_maps_total, 0);
		CHECK_EQ(info.out_user_maps, 0);

		/*
		 * The control: the probes see the first mapping that there is,
		 * where large pages do not fit, so that it is made at once.
		 */
		trace_begin_all(map_functions, MAP_FUNCTIONS, "");
		munmap(ba_map_at(fd, length, 4096), length);
		own_calls = 0;
		trace_end(count_own, NULL);
		CHECK(own_calls > 0);
		close(fd);
	}
	munmap(bytes, length);
	close(node);
}

/* Kernel address space that is in use while it copies, looked at from outside. */
static void
address_space(void)
{
	const size_t length = (size_t)512 << 20;
	uint8_t *bytes = map_often(length, 2 << 20);
	unsigned long long before, now, peak = 0;
	unsigned int looks = 0;
	int node = ba_open();
	int fd = ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, length);
	int start[2], status;
	pid_t child;

	if (fd < 0) {
		ktest_skip("no 512 MiB of memory are free");
	}
	CHECK_EQ(pipe(start), 0);
	child = fork();
	if (child == 0) {
		struct bufalloc_copy arg = copy_of(fd, 0, 0, length, bytes);
		char c;

		close(start[1]);
		(void)!read(start[0], &c, 1);
		for (int i = 0; i < 3; i++) {
			if (ioctl(node, BUFALLOC_IOCTL_COPY, &arg) != 0) {
				_exit(1);
			}
		}
		_exit(0);
	}
	close(start[0]);
	before = pages_vmalloc_bytes();
	close(start[1]);
	while (waitpid(child, &status, WNOHANG) == 0) {
		now = pages_vmalloc_bytes();
		peak = now > peak ? now : peak;
		looks++;
	}
	CHECK_EQ(status, 0);
	ktest_note("%u looks", looks);
	CHECK(looks > 2);
	ktest_figure("window_kva_peak_bytes",
		     peak > before ? (double)(peak - before) : 0);
	CHECK(peak <= before + 262144);
	munmap(bytes, length);
	close(fd);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "copies-in-what-was-asked-for", copies_in },
	{ "copies-out-what-was-asked-for", copies_out },
	{ "of-the-buffer-itself", of_the_buffer_itself },
	{ "memory-that-ends-efault-says-how-far", memory_that_ends },
	{ "bad-address-efault", bad_addresses },
	{ "never-cpu-eacces", never_cpu },
	{ "into-by-a-read-only-fd-eacces", read_only_fd },
	{ "imported-memory-read-only-eacces", imported_memory },
	{ "killed-while-it-copies", fatal_signal },
	{ "maps-nothing", maps_nothing },
	{ "takes-no-address-space", address_space },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
