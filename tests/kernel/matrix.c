// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "fwfile.h"
#include "matrix.h"

#define ANSWERS "/tmp/ba-abi-answers"
#define BITS (sizeof(void *) * 8)

struct matrix matrix;

static FILE *answers;

void
matrix_set(union matrix_arg *arg, size_t offset, size_t size, uint64_t value)
{
	/* Little endian, as all guests are. */
	memcpy(arg->bytes + offset, &value, size);
}

static uint64_t
get(const union matrix_arg *arg, size_t offset, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, arg->bytes + offset, size);
	return value;
}

/* The fd that a call made, if it makes one. */
static int
made_by(const struct matrix_call *call, const union matrix_arg *arg)
{
	if (call->request == BUFALLOC_IOCTL_ALLOC) {
		return arg->alloc.out_fd;
	}
	if (call->request == BUFALLOC_IOCTL_IMPORT_USER) {
		return arg->import.out_fd;
	}
	return -1;
}

static int
next_fd(void)
{
	int next = dup(matrix.node);

	close(next);
	return next;
}

/* A failed call writes nothing, but for what COPY says of how far it came. */
static bool
is_unchanged(const struct matrix_call *call, const union matrix_arg *before,
	     union matrix_arg *after)
{
	if (call->request == BUFALLOC_IOCTL_COPY &&
	    after->size >= sizeof(after->copy)) {
		after->copy.out_copied = before->copy.out_copied;
	}
	return memcmp(before, after, sizeof(*before)) == 0;
}

static const char *
name_of(int error)
{
	return error == 0 ? "0" : strerrorname_np(error);
}

/* One row of the matrix. */
static void
expect_one_of(const struct matrix_call *call, const char *field, uint64_t value,
	      const union matrix_arg *arg, int expected, int or)
{
	static union matrix_arg after;
	int next = next_fd(), error;

	after = *arg;
	error = ioctl(matrix.node, call->request, &after) == 0 ? 0 : errno;
	matrix.rows++;
	/* Where two are right, either is the same answer. */
	fprintf(answers, "%s %s %llx %s\n", call->name, field,
		(unsigned long long)value,
		error == or ? name_of(expected) : name_of(error));
	if (error == 0 && made_by(call, &after) >= 0) {
		close(made_by(call, &after));
	}
	if (error != expected && error != or) {
		ktest_note("%s, %s %#llx: %s, expected %s", call->name, field,
			   (unsigned long long)value, name_of(error),
			   name_of(expected));
		matrix.wrong++;
	} else if (error != 0 && !is_unchanged(call, arg, &after)) {
		ktest_note("%s, %s %#llx: %s, but the structure was written",
			   call->name, field, (unsigned long long)value,
			   name_of(error));
		matrix.wrong++;
	}
	if (next_fd() != next) {
		ktest_note("%s, %s %#llx: the fd table has changed", call->name,
			   field, (unsigned long long)value);
		matrix.wrong++;
	}
}

void
matrix_expect(const struct matrix_call *call, const char *field, uint64_t value,
       const union matrix_arg *arg, int expected)
{
	expect_one_of(call, field, value, arg, expected, expected);
}

void
matrix_fill_base(const struct matrix_call *call, union matrix_arg *arg)
{
	memset(arg, 0, sizeof(*arg));
	arg->size = (uint32_t)call->size;
	call->base(arg);
}

/* The base with one field changed. */
static void
expect_value(const struct matrix_call *call, const char *name, size_t offset,
	     size_t size, uint64_t value, int expected)
{
	static union matrix_arg arg;

	matrix_fill_base(call, &arg);
	matrix_set(&arg, offset, size, value);
	matrix_expect(call, name, value, &arg, expected);
}

static void
expect_field(const struct matrix_call *call, const struct matrix_field *field, uint64_t value,
	     int expected)
{
	expect_value(call, field->name, field->offset, field->size, value,
		     expected);
}

/* Each bit that is unknown, beside those that the base has. */
static void
try_flags(const struct matrix_call *call, const struct matrix_field *field)
{
	static union matrix_arg arg;

	for (size_t bit = 0; bit < field->size * 8; bit++) {
		if ((field->known >> bit & 1) == 0) {
			matrix_fill_base(call, &arg);
			expect_field(call, field,
				     get(&arg, field->offset, field->size) |
					     (uint64_t)1 << bit,
				     EINVAL);
		}
	}
	expect_field(call, field, MAX, EINVAL);
	expect_field(call, field, MAX & ~field->known, EINVAL);
}

static void
try_reserved(const struct matrix_call *call, const struct matrix_field *field)
{
	for (size_t bit = 0; bit < field->size * 8; bit++) {
		expect_field(call, field, (uint64_t)1 << bit, EINVAL);
	}
	expect_field(call, field, MAX, EINVAL);
}

static void
try_out(const struct matrix_call *call, const struct matrix_field *field)
{
	static const uint64_t values[] = { 1, PAGE, HALF, MAX };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		expect_field(call, field, values[i], 0);
	}
}

static void
try_pointer(const struct matrix_call *call, const struct matrix_field *field)
{
	static const uint64_t values[] = {
		1, PAGE - 1, PAGE, PAGE + 1, KERNEL_ADDRESS, HALF, HALF - 1,
		MAX - PAGE, MAX - PAGE + 1, MAX,
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		expect_field(call, field, values[i], EFAULT);
	}
	/* The upper half of an address counts with 32 bits, too. */
	if (BITS == 32) {
		expect_field(call, field,
			     (uintptr_t)matrix.memory + ((uint64_t)1 << 32), EFAULT);
	} else {
		/* For as many rows: an address of nobody's. */
		expect_field(call, field, (uint64_t)1 << 60, EFAULT);
	}
}

static void
try_closed_fds(const struct matrix_call *call, const struct matrix_field *field)
{
	static const int32_t values[] = { -1, -2, INT32_MIN, INT32_MAX, 1023,
					  1 << 20 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		expect_field(call, field, (uint32_t)values[i], EBADF);
	}
}

/* A dma-buf of another exporter's: the camera's. */
static int
foreign_dmabuf(void)
{
	struct v4l2_requestbuffers request = {
		.count = 1,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.flags = O_RDWR | O_CLOEXEC,
	};

	CHECK_EQ(ioctl(matrix.camera, VIDIOC_REQBUFS, &request), 0);
	CHECK_EQ(ioctl(matrix.camera, VIDIOC_EXPBUF, &export), 0);
	return export.fd;
}

static void
try_dmabuf(const struct matrix_call *call, const struct matrix_field *field)
{
	int foreign = foreign_dmabuf();

	try_closed_fds(call, field);
	expect_field(call, field, (uint32_t)matrix.node, EINVAL);
	expect_field(call, field, (uint32_t)matrix.not_dmabuf, EINVAL);
	expect_field(call, field, (uint32_t)matrix.camera, EINVAL);
	expect_field(call, field, (uint32_t)foreign, EOPNOTSUPP);
	close(foreign);
}

static void
try_device(const struct matrix_call *call, const struct matrix_field *field)
{
	try_closed_fds(call, field);
	expect_field(call, field, (uint32_t)matrix.node, ENODEV);
	expect_field(call, field, (uint32_t)matrix.not_dmabuf, ENODEV);
	expect_field(call, field, (uint32_t)matrix.fd, ENODEV);
}

/* 0 to 64 bytes more than the structure has, with a tail of 0 and without. */
static void
try_sizes(const struct matrix_call *call)
{
	static union matrix_arg arg;

	for (size_t size = 0; size <= call->size + 64; size++) {
		matrix_fill_base(call, &arg);
		arg.size = (uint32_t)size;
		/* What the kernel does not read is not there. */
		if (size > 4) {
			memset(arg.bytes + size, 0, sizeof(arg) - size);
		}
		matrix_expect(call, "size", size, &arg, size < call->first ? EINVAL : 0);
		if (size > call->size) {
			arg.bytes[size - 1] = 1;
			matrix_expect(call, "size and tail", size, &arg, E2BIG);
			arg.bytes[size - 1] = 0;
			arg.bytes[call->size] = 0x80;
			matrix_expect(call, "size and first byte", size, &arg, E2BIG);
		}
	}
	for (size_t size = PAGE - 1; size <= PAGE + 1; size++) {
		matrix_fill_base(call, &arg);
		arg.size = (uint32_t)size;
		matrix_expect(call, "size", size, &arg, size > PAGE ? E2BIG : 0);
	}
	expect_value(call, "size", 0, 4, INT32_MAX, E2BIG);
	expect_value(call, "size", 0, 4, (uint64_t)1 << 31, E2BIG);
	expect_value(call, "size", 0, 4, UINT32_MAX, E2BIG);
}

/* Where there is no structure, or a part of one. */
static void
try_addresses(const struct matrix_call *call)
{
	static const uintptr_t addresses[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1,
					       (uintptr_t)-1, (uintptr_t)-PAGE };
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static union matrix_arg arg;

	CHECK(pages != MAP_FAILED);
	CHECK_EQ(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		CHECK_ERRNO(EFAULT, ioctl(matrix.node, call->request,
					  (void *)addresses[i]));
		matrix.rows++;
	}
	matrix_fill_base(call, &arg);
	for (size_t part = 0; part < call->size; part++) {
		memcpy(pages + PAGE - part, &arg, part);
		CHECK_ERRNO(EFAULT, ioctl(matrix.node, call->request,
					  pages + PAGE - part));
		matrix.rows++;
	}
	munmap(pages, 2 * PAGE);
}

void
matrix_try_call(const struct matrix_call *call)
{
	static union matrix_arg arg;

	matrix_fill_base(call, &arg);
	matrix_expect(call, "base", 0, &arg, 0);
	for (const struct matrix_field *field = call->fields; field->kind != KIND_END;
	     field++) {
		switch (field->kind) {
		case KIND_FLAGS:
			try_flags(call, field);
			break;
		case KIND_RESERVED:
			try_reserved(call, field);
			break;
		case KIND_OUT:
			try_out(call, field);
			break;
		case KIND_POINTER:
			try_pointer(call, field);
			break;
		case KIND_DMABUF:
			try_dmabuf(call, field);
			break;
		case KIND_DEVICE:
			try_device(call, field);
			break;
		case KIND_END:
			break;
		}
	}
	try_sizes(call);
	try_addresses(call);
}

void
matrix_try_values(const struct matrix_call *call, const struct matrix_value *values, size_t count)
{
	static union matrix_arg arg;

	for (size_t i = 0; i < count; i++) {
		matrix_fill_base(call, &arg);
		matrix_set(&arg, values[i].offset, values[i].size, values[i].value);
		expect_one_of(call, values[i].name, values[i].value, &arg,
			      values[i].expected, values[i].or);
	}
}

/* Ranges of a buffer, some of which only look right when their end wraps. */
static const struct {
	uint64_t offset, length;
	int expected;
} ranges[] = {
	{ 0, 0, EINVAL },
	{ 0, 1, 0 },
	{ 0, PAGE - 1, 0 },
	{ 0, PAGE, 0 },
	{ 0, PAGE + 1, 0 },
	{ PAGE - 1, 2, 0 },
	{ PAGE + 1, PAGE - 1, 0 },
	{ 0, LENGTH, 0 },
	{ 0, LENGTH + 1, EINVAL },
	{ 1, LENGTH, EINVAL },
	{ LENGTH - 1, 1, 0 },
	{ LENGTH - 1, 2, EINVAL },
	{ LENGTH, 0, EINVAL },
	{ LENGTH, 1, EINVAL },
	{ LENGTH + 1, 1, EINVAL },
	{ PAGE, MAX, EINVAL },
	{ PAGE, MAX - PAGE + 1, EINVAL },
	{ PAGE, MAX - PAGE + 2, EINVAL },
	{ 1, MAX, EINVAL },
	{ 0, MAX, EINVAL },
	{ MAX, 1, EINVAL },
	{ MAX, 2, EINVAL },
	{ MAX, MAX, EINVAL },
	{ MAX - PAGE + 1, PAGE, EINVAL },
	{ MAX - PAGE + 1, PAGE + 1, EINVAL },
	{ HALF, HALF, EINVAL },
	{ HALF, HALF + 1, EINVAL },
	{ HALF - 1, HALF + 1, EINVAL },
	{ (uint64_t)1 << 32, 1, EINVAL },
	{ ((uint64_t)1 << 32) - 1, 2, EINVAL },
	{ 0, (uint64_t)1 << 32, EINVAL },
	{ 1, ((uint64_t)1 << 32) - 1, EINVAL },
	{ 0, ((uint64_t)1 << 32) + 1, EINVAL },
};

void
matrix_try_ranges(const struct matrix_call *call, size_t offset, size_t length)
{
	static union matrix_arg arg;

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		matrix_fill_base(call, &arg);
		matrix_set(&arg, offset, 8, ranges[i].offset);
		matrix_set(&arg, length, 8, ranges[i].length);
		matrix_expect(call, "range", i, &arg, ranges[i].expected);
	}
}

static void
finish_answers(void)
{
	char path[64];

	CHECK_EQ(fclose(answers), 0);
	answers = NULL;
	snprintf(path, sizeof(path), "%s-%zu", ANSWERS, BITS);
	CHECK_EQ(rename(ANSWERS, path), 0);
}

/* What was answered with 64 bits, which ran before, is what is answered here. */
static void
same_with_64_bits(void)
{
	char line[128], other[128];
	FILE *here, *there;

	finish_answers();
	if (BITS == 64) {
		return;
	}
	here = fopen(ANSWERS "-32", "re");
	there = fopen(ANSWERS "-64", "re");
	CHECK(here != NULL && there != NULL);
	while (fgets(line, sizeof(line), here) != NULL) {
		CHECK(fgets(other, sizeof(other), there) != NULL);
		/* Addresses and fds differ; what was asked and answered not. */
		if (strcmp(strrchr(line, ' '), strrchr(other, ' ')) != 0 ||
		    strncmp(line, other, strcspn(line, "0123456789")) != 0) {
			ktest_note("64 bits: %s", other);
			ktest_fail(__FILE__, __LINE__, "32 bits: %s", line);
		}
	}
	CHECK(fgets(other, sizeof(other), there) == NULL);
	fclose(here);
	fclose(there);
}

/* The first camera that bufalloc knows. */
static int
open_camera(void)
{
	for (int i = 0; i < 64; i++) {
		struct bufalloc_device_info arg = {
			.size = sizeof(arg),
			.access = BUFALLOC_ACCESS_WRITE,
		};
		struct v4l2_capability caps;
		char path[32];

		snprintf(path, sizeof(path), "/dev/video%d", i);
		arg.fd = open(path, O_RDWR | O_CLOEXEC);
		if (arg.fd < 0) {
			continue;
		}
		if (ioctl(arg.fd, VIDIOC_QUERYCAP, &caps) == 0 &&
		    (caps.device_caps & V4L2_CAP_VIDEO_CAPTURE) != 0 &&
		    (caps.device_caps & V4L2_CAP_STREAMING) != 0 &&
		    ioctl(matrix.node, BUFALLOC_IOCTL_DEVICE_INFO, &arg) == 0) {
			return arg.fd;
		}
		close(arg.fd);
	}
	return -1;
}

void
matrix_begin(void)
{
	matrix.node = ba_open();
	matrix.camera = open_camera();
	if (matrix.camera < 0) {
		ktest_skip("no camera");
	}
	fwfile_set_up();
	fwfile_make(MATRIX_FIRMWARE, 1, 1);
	matrix.fd = ba_alloc(matrix.node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	matrix.not_dmabuf = open("/dev/null", O_RDWR | O_CLOEXEC);
	matrix.memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CHECK(matrix.memory != MAP_FAILED);
	answers = fopen(ANSWERS, "we");
	CHECK(answers != NULL);
}

void
matrix_end(void)
{
	munmap(matrix.memory, LENGTH);
	close(matrix.not_dmabuf);
	close(matrix.fd);
	close(matrix.camera);
	close(matrix.node);
	same_with_64_bits();
}
