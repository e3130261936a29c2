/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for the kernel, so that the library's own code is tested on any
 * machine: it shows what the library asks for, byte for byte, and answers what
 * a test chose, also what no real kernel can be made to answer on demand. It
 * proves nothing about the module: the tests in guests do that.
 *
 * The library's objects are linked with --wrap for each function below. File
 * descriptors are real ones (of memory files), so that a leak is a leak.
 *
 * A test says in advance which calls come, in which order; any other call, and
 * one that did not come by mock_finish(), fails the test.
 */
#ifndef MOCK_H
#define MOCK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bufalloc/bufalloc.h>
#include <errno.h>
#include <linux/bufalloc.h>
#include <linux/dma-buf.h>
#include <stdbool.h>
#include <sys/types.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/** Length of the memory file behind the buffer of a test: two pages. */
#define MOCK_LENGTH UINT64_C(8192)

/** Which file an ioctl is expected on. */
enum mock_file {
	MOCK_NODE,
	MOCK_BUFFER,
};

/** Forget everything; to be called first in each test (cmocka's setup). */
int
mock_setup(void **state);

/** Fail if an expected call did not come, or a descriptor or mapping leaked. */
int
mock_teardown(void **state);

/** open(2) of path with the library's flags; err is 0 or a positive errno. */
void
mock_expect_open(const char *path, int err);

/**
 * ioctl(2) with exactly these bytes. On success (err 0) the bytes at out, if
 * not NULL, are what the caller finds afterwards.
 */
void
mock_expect_ioctl(enum mock_file file, unsigned long request, const void *in,
		  size_t size, const void *out, int err);

/** ALLOC that answers with a file descriptor of a new memory file. */
void
mock_expect_alloc(uint64_t length, uint32_t heap, int err);

/** What ALLOC for devices is asked for. */
struct mock_alloc_for {
	uint64_t length;
	uint32_t heap;
	uint32_t flags;
	uint64_t attributes;
	uint64_t required;
	uint32_t count;
	struct bufalloc_use uses[BUFALLOC_MAX_DEVICES];
};

/**
 * ALLOC for devices, with a verdict. results: count of them, or NULL; verdict:
 * NULL if the kernel does not get that far. Both are answered with an error,
 * too.
 */
void
mock_expect_alloc_for(const struct mock_alloc_for *want,
		      const struct bufalloc_alloc_device *results,
		      const struct bufalloc_alloc_verdict *verdict, int err);

/** What IMPORT_USER is asked for, and its own answer. */
struct mock_import_user {
	const void *address;
	uint64_t length;
	uint32_t flags;
	uint32_t count;
	struct bufalloc_use uses[BUFALLOC_MAX_DEVICES];
	uint32_t out_flags;
	uint64_t out_offset;
};

/** IMPORT_USER, with a verdict; the rest as mock_expect_alloc_for(). */
void
mock_expect_import_user(const struct mock_import_user *want,
			const struct bufalloc_alloc_device *results,
			const struct bufalloc_alloc_verdict *verdict, int err);

/** DEVICE_INFO of a descriptor. */
void
mock_expect_device_info(int fd, uint32_t access,
			const struct bufalloc_device_info *out, int err);

/** BUFFER_INFO of the buffer, answered with these fields. */
void
mock_expect_buffer_info(const struct bufalloc_buffer_info *out, int err);

/** DMA_BUF_SET_NAME with this name. */
void
mock_expect_set_name(const char *name, int err);

/** DMA_BUF_IOCTL_SYNC with these flags. */
void
mock_expect_sync(uint64_t flags, int err);

/** mmap(2) of the whole buffer: real memory, or err. */
void
mock_expect_mmap(uint64_t length, int err);

/** munmap(2) of what the last mmap gave. */
void
mock_expect_munmap(void);

/** Are all the expected calls made? */
void
mock_expect_nothing_left(void);

/** The nth calloc or realloc of the library from now on fails (1: the next). */
void
mock_fail_memory(unsigned int nth);

/** Answers of stat(2), access(2), getgrgid_r(3) and getrlimit(2). */
struct mock_system {
	int stat_err;
	mode_t mode;
	gid_t gid;
	bool module_loaded;
	const char *group;	/* NULL: the group has no name */
	size_t group_size;	/* smaller buffers get ERANGE */
	int rlimit_err;
	uint64_t rlimit;
};

extern struct mock_system mock_system;

/** How often getgrgid_r was called. */
extern unsigned int mock_group_calls;

/** An INFO answer that makes a node bufalloc's. */
extern const struct bufalloc_info mock_info;

/** A context on the stand-in's node. */
struct bufalloc_ctx *
mock_open(void);

/** A buffer of MOCK_LENGTH bytes of heap system. */
struct bufalloc_buf *
mock_alloc(struct bufalloc_ctx *ctx);

#endif /* MOCK_H */
