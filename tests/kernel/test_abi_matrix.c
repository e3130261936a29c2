// SPDX-License-Identifier: MIT
/*
 * Hostile calls: each field of each structure with values that it may not have, and
 * some that it may; each size; each bit of each word of flags. What is expected is
 * what <linux/bufalloc.h> says, row by row.
 *
 * The same program is built for 32 bits, too (abi_matrix_32), and its answers are
 * compared with the other's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "matrix.h"

static void
base_nothing(union matrix_arg *arg)
{
	(void)arg;
}

#define T bufalloc_info
static const struct matrix_field info_fields[] = {
	FIELD(T, flags, KIND_FLAGS, 0),
	FIELD(T, out_version, KIND_OUT, 0),
	FIELD(T, out_heaps, KIND_OUT, 0),
	FIELD(T, out_features, KIND_OUT, 0),
	FIELD(T, out_max_length, KIND_OUT, 0),
	FIELD(T, out_contig_limit, KIND_OUT, 0),
	FIELD(T, out_contig_used, KIND_OUT, 0),
	FIELD(T, out_attributes, KIND_OUT, 0),
	{ 0 },
};
static const struct matrix_call info_call = {
	"INFO", BUFALLOC_IOCTL_INFO, sizeof(struct T),
	offsetof(struct T, out_attributes), base_nothing, info_fields,
};
#undef T

static void
info(void)
{
	matrix_try_call(&info_call);
}

static void
base_device_info(union matrix_arg *arg)
{
	arg->device_info.fd = matrix.camera;
	arg->device_info.access = BUFALLOC_ACCESS_WRITE;
}

#define T bufalloc_device_info
static const struct matrix_field device_info_fields[] = {
	FIELD(T, flags, KIND_FLAGS, 0),
	FIELD(T, fd, KIND_DEVICE, 0),
	FIELD(T, access, KIND_FLAGS,
	      BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE),
	FIELD(T, out_flags, KIND_OUT, 0),
	FIELD(T, out_found, KIND_OUT, 0),
	FIELD(T, out_dma_mask, KIND_OUT, 0),
	FIELD(T, out_coherent_mask, KIND_OUT, 0),
	FIELD(T, out_bus_limit, KIND_OUT, 0),
	FIELD(T, out_max_segment, KIND_OUT, 0),
	FIELD(T, out_segment_boundary, KIND_OUT, 0),
	FIELD(T, out_max_segments, KIND_OUT, 0),
	FIELD(T, out_iommu, KIND_OUT, 0),
	FIELD(T, out_iommu_granule, KIND_OUT, 0),
	{ 0 },
};
static const struct matrix_call device_info_call = {
	"DEVICE_INFO", BUFALLOC_IOCTL_DEVICE_INFO, sizeof(struct T),
	sizeof(struct T), base_device_info, device_info_fields,
};

static void
device_info(void)
{
	static const struct matrix_value values[] = {
		VALUE(T, access, 0, EINVAL),
		VALUE(T, access, BUFALLOC_ACCESS_READ, 0),
		VALUE(T, access, BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE, 0),
	};

	matrix_try_call(&device_info_call);
	TRY_VALUES(&device_info_call, values);
}
#undef T

static void
base_alloc(union matrix_arg *arg)
{
	arg->alloc.length = LENGTH;
	arg->alloc.fd_flags = O_RDWR | O_CLOEXEC;
}

#define KNOWN_ATTRIBUTES                                                    \
	(BUFALLOC_ATTRIBUTE_NEVER_CPU | BUFALLOC_ATTRIBUTE_WRITE_COMBINE |  \
	 BUFALLOC_ATTRIBUTE_UNCACHED | BUFALLOC_ATTRIBUTE_CONTIGUOUS |      \
	 BUFALLOC_ATTRIBUTE_PINNABLE)

#define T bufalloc_alloc
static const struct matrix_field alloc_fields[] = {
	FIELD(T, flags, KIND_FLAGS, BUFALLOC_ALLOC_DRY_RUN),
	FIELD(T, fd_flags, KIND_FLAGS, O_RDWR | O_CLOEXEC),
	FIELD(T, out_fd, KIND_OUT, 0),
	FIELD(T, verdict, KIND_POINTER, 0),
	FIELD(T, attributes, KIND_FLAGS, KNOWN_ATTRIBUTES),
	/* All of its bits are ones that @attributes does not have. */
	FIELD(T, required, KIND_RESERVED, 0),
	{ 0 },
};
static const struct matrix_call alloc_call = {
	"ALLOC", BUFALLOC_IOCTL_ALLOC, sizeof(struct T),
	offsetof(struct T, attributes), base_alloc, alloc_fields,
};

/* The first error that the header names of a length that no machine has. */
static const struct matrix_value alloc_values[] = {
	VALUE(T, flags, BUFALLOC_ALLOC_DRY_RUN, 0),
	VALUE(T, length, 0, EINVAL),
	VALUE(T, length, 1, 0),
	VALUE(T, length, PAGE - 1, 0),
	VALUE(T, length, PAGE, 0),
	VALUE(T, length, PAGE + 1, 0),
	VALUE(T, length, (uint64_t)1 << 40, ENOMEM),
	VALUE(T, length, HALF - 1, ENOMEM),
	VALUE(T, length, HALF, ENOMEM),
	VALUE(T, length, MAX - PAGE, ENOMEM),
	VALUE(T, length, MAX - PAGE + 1, ENOMEM),
	VALUE(T, length, MAX - PAGE + 2, ENOMEM),
	VALUE(T, length, MAX, ENOMEM),
	VALUE(T, heap, BUFALLOC_HEAP_SYSTEM, 0),
	VALUE(T, heap, BUFALLOC_HEAP_CONTIG, 0),
	/* None is set aside, and there is no devicetree. */
	VALUE(T, heap, BUFALLOC_HEAP_RESERVED, EOPNOTSUPP),
	VALUE(T, heap, BUFALLOC_HEAP_DEVICE, EOPNOTSUPP),
	VALUE(T, heap, BUFALLOC_HEAP_USER, EINVAL),
	VALUE(T, heap, 6, EINVAL),
	VALUE(T, heap, 31, EINVAL),
	VALUE(T, heap, 32, EINVAL),
	VALUE(T, heap, PAGE, EINVAL),
	VALUE(T, heap, INT32_MAX, EINVAL),
	VALUE(T, heap, (uint64_t)1 << 31, EINVAL),
	VALUE(T, heap, UINT32_MAX, EINVAL),
	VALUE(T, fd_flags, O_RDONLY, 0),
	VALUE(T, fd_flags, O_WRONLY, EINVAL),
	VALUE(T, fd_flags, O_RDWR, 0),
	VALUE(T, fd_flags, O_CLOEXEC, 0),
	/* At an address of 0. */
	VALUE(T, device_count, 1, EFAULT),
	VALUE(T, device_count, BUFALLOC_MAX_DEVICES, EFAULT),
	VALUE(T, device_count, BUFALLOC_MAX_DEVICES + 1, E2BIG),
	VALUE(T, device_count, INT32_MAX, E2BIG),
	VALUE(T, device_count, (uint64_t)1 << 31, E2BIG),
	VALUE(T, device_count, UINT32_MAX, E2BIG),
	/* No devices at an address. */
	VALUE(T, devices, 1, EINVAL),
	VALUE(T, devices, PAGE, EINVAL),
	VALUE(T, devices, HALF, EINVAL),
	VALUE(T, devices, MAX, EINVAL),
	VALUE(T, attributes, BUFALLOC_ATTRIBUTE_NEVER_CPU, 0),
	VALUE(T, attributes, BUFALLOC_ATTRIBUTE_WRITE_COMBINE, 0),
	VALUE(T, attributes, BUFALLOC_ATTRIBUTE_UNCACHED, 0),
	VALUE(T, attributes, BUFALLOC_ATTRIBUTE_CONTIGUOUS, 0),
	VALUE(T, attributes, BUFALLOC_ATTRIBUTE_PINNABLE, 0),
	VALUE(T, attributes,
	      BUFALLOC_ATTRIBUTE_WRITE_COMBINE | BUFALLOC_ATTRIBUTE_UNCACHED,
	      EINVAL),
	VALUE(T, attributes,
	      BUFALLOC_ATTRIBUTE_PINNABLE | BUFALLOC_ATTRIBUTE_NEVER_CPU,
	      EINVAL),
	VALUE(T, attributes,
	      BUFALLOC_ATTRIBUTE_PINNABLE | BUFALLOC_ATTRIBUTE_WRITE_COMBINE,
	      EINVAL),
	VALUE(T, attributes,
	      BUFALLOC_ATTRIBUTE_PINNABLE | BUFALLOC_ATTRIBUTE_UNCACHED,
	      EINVAL),
	VALUE(T, attributes, KNOWN_ATTRIBUTES, EINVAL),
};

static void
alloc(void)
{
	matrix_try_call(&alloc_call);
	TRY_VALUES(&alloc_call, alloc_values);
}
#undef T

static void
base_import(union matrix_arg *arg)
{
	arg->import.address = (uintptr_t)matrix.memory;
	arg->import.length = LENGTH;
	arg->import.fd_flags = O_RDWR | O_CLOEXEC;
}

#define T bufalloc_import_user
static const struct matrix_field import_fields[] = {
	FIELD(T, flags, KIND_FLAGS,
	      BUFALLOC_IMPORT_DRY_RUN | BUFALLOC_IMPORT_READ_ONLY),
	FIELD(T, fd_flags, KIND_FLAGS, O_RDWR | O_CLOEXEC),
	FIELD(T, out_fd, KIND_OUT, 0),
	FIELD(T, out_flags, KIND_OUT, 0),
	FIELD(T, out_offset, KIND_OUT, 0),
	FIELD(T, verdict, KIND_POINTER, 0),
	FIELD(T, __reserved, KIND_RESERVED, 0),
	{ 0 },
};
static const struct matrix_call import_call = {
	"IMPORT_USER", BUFALLOC_IOCTL_IMPORT_USER, sizeof(struct T),
	sizeof(struct T), base_import, import_fields,
};

/* More than the machine's memory and not all mapped: both errors are right. */
#define TOO_MUCH(field, value) \
	{ #field, offsetof(struct T, field), 8, value, EFAULT, ENOMEM }

static const struct matrix_value import_values[] = {
	VALUE(T, flags, BUFALLOC_IMPORT_DRY_RUN, 0),
	VALUE(T, flags, BUFALLOC_IMPORT_READ_ONLY, 0),
	VALUE(T, address, 0, EFAULT),
	VALUE(T, address, 1, EINVAL),
	VALUE(T, address, PAGE - 1, EINVAL),
	VALUE(T, address, PAGE, EFAULT),
	VALUE(T, address, PAGE + 1, EINVAL),
	VALUE(T, address, KERNEL_ADDRESS, EFAULT),
	VALUE(T, address, HALF - PAGE, EFAULT),
	VALUE(T, address, HALF, EFAULT),
	VALUE(T, address, MAX - LENGTH + 1, EFAULT),
	VALUE(T, address, MAX - PAGE + 1, EFAULT),
	VALUE(T, address, MAX, EINVAL),
	VALUE(T, length, 0, EINVAL),
	VALUE(T, length, 1, EINVAL),
	VALUE(T, length, PAGE - 1, EINVAL),
	VALUE(T, length, PAGE, 0),
	VALUE(T, length, PAGE + 1, EINVAL),
	TOO_MUCH(length, HALF),
	TOO_MUCH(length, HALF - PAGE),
	TOO_MUCH(length, MAX - PAGE + 1),
	TOO_MUCH(length, (uint64_t)1 << 40),
	VALUE(T, length, MAX, EINVAL),
	VALUE(T, fd_flags, O_RDONLY, 0),
	VALUE(T, fd_flags, O_WRONLY, EINVAL),
	VALUE(T, device_count, 1, EFAULT),
	VALUE(T, device_count, BUFALLOC_MAX_DEVICES, EFAULT),
	VALUE(T, device_count, BUFALLOC_MAX_DEVICES + 1, E2BIG),
	VALUE(T, device_count, INT32_MAX, E2BIG),
	VALUE(T, device_count, UINT32_MAX, E2BIG),
	VALUE(T, devices, 1, EINVAL),
	VALUE(T, devices, PAGE, EINVAL),
	VALUE(T, devices, HALF, EINVAL),
	VALUE(T, devices, MAX, EINVAL),
};

static void
import_user(void)
{
	matrix_try_call(&import_call);
	TRY_VALUES(&import_call, import_values);
}
#undef T

static void
base_sync(union matrix_arg *arg)
{
	arg->sync.flags = BUFALLOC_SYNC_READ;
	arg->sync.fd = matrix.fd;
	arg->sync.length = LENGTH;
}

#define T bufalloc_sync_range
static const struct matrix_field sync_fields[] = {
	FIELD(T, flags, KIND_FLAGS,
	      BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE | BUFALLOC_SYNC_END),
	FIELD(T, fd, KIND_DMABUF, 0),
	FIELD(T, __reserved, KIND_RESERVED, 0),
	{ 0 },
};
static const struct matrix_call sync_call = {
	"SYNC_RANGE", BUFALLOC_IOCTL_SYNC_RANGE, sizeof(struct T),
	sizeof(struct T), base_sync, sync_fields,
};

static void
sync_range(void)
{
	static const struct matrix_value values[] = {
		VALUE(T, flags, 0, EINVAL),
		VALUE(T, flags, BUFALLOC_SYNC_END, EINVAL),
		VALUE(T, flags, BUFALLOC_SYNC_WRITE, 0),
		VALUE(T, flags, BUFALLOC_SYNC_WRITE | BUFALLOC_SYNC_END, 0),
		VALUE(T, flags, BUFALLOC_SYNC_READ | BUFALLOC_SYNC_END, 0),
		VALUE(T, flags, BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE, 0),
		VALUE(T, flags, BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE |
				BUFALLOC_SYNC_END, 0),
	};

	matrix_try_call(&sync_call);
	TRY_VALUES(&sync_call, values);
	matrix_try_ranges(&sync_call, offsetof(struct T, offset),
		   offsetof(struct T, length));
}
#undef T

static void
base_copy(union matrix_arg *arg)
{
	arg->copy.fd = matrix.fd;
	arg->copy.length = LENGTH;
	arg->copy.address = (uintptr_t)matrix.memory;
}

#define T bufalloc_copy
static const struct matrix_field copy_fields[] = {
	FIELD(T, flags, KIND_FLAGS, BUFALLOC_COPY_IN),
	FIELD(T, fd, KIND_DMABUF, 0),
	FIELD(T, __reserved, KIND_RESERVED, 0),
	FIELD(T, address, KIND_POINTER, 0),
	FIELD(T, out_copied, KIND_OUT, 0),
	{ 0 },
};
static const struct matrix_call copy_call = {
	"COPY", BUFALLOC_IOCTL_COPY, sizeof(struct T), sizeof(struct T),
	base_copy, copy_fields,
};

static void
copy(void)
{
	static const struct matrix_value values[] = {
		VALUE(T, flags, BUFALLOC_COPY_IN, 0),
		VALUE(T, address, 0, EFAULT),
	};

	matrix_try_call(&copy_call);
	TRY_VALUES(&copy_call, values);
	matrix_try_ranges(&copy_call, offsetof(struct T, offset),
		   offsetof(struct T, length));
}
#undef T

static void
base_load(union matrix_arg *arg)
{
	static const char name[] = MATRIX_FIRMWARE;

	arg->load.fd = matrix.fd;
	arg->load.name = (uintptr_t)name;
}

#define T bufalloc_load_firmware
static const struct matrix_field load_fields[] = {
	FIELD(T, flags, KIND_FLAGS, 0),
	FIELD(T, fd, KIND_DMABUF, 0),
	FIELD(T, __reserved, KIND_RESERVED, 0),
	FIELD(T, name, KIND_POINTER, 0),
	FIELD(T, out_length, KIND_OUT, 0),
	{ 0 },
};
static const struct matrix_call load_call = {
	"LOAD_FIRMWARE", BUFALLOC_IOCTL_LOAD_FIRMWARE, sizeof(struct T),
	sizeof(struct T), base_load, load_fields,
};

static void
try_name(const char *name, int expected)
{
	static union matrix_arg arg;

	matrix_fill_base(&load_call, &arg);
	arg.load.name = (uintptr_t)name;
	matrix_expect(&load_call, "name of so many bytes", strlen(name), &arg,
	       expected);
}

static void
load_firmware(void)
{
	static const struct matrix_value values[] = {
		VALUE(T, name, 0, EFAULT),
		VALUE(T, offset, 1, 0),
		VALUE(T, offset, PAGE - 1, 0),
		VALUE(T, offset, PAGE, 0),
		VALUE(T, offset, PAGE + 1, 0),
		VALUE(T, offset, LENGTH - 1, 0),
		VALUE(T, offset, LENGTH, EINVAL),
		VALUE(T, offset, LENGTH + 1, EINVAL),
		VALUE(T, offset, (uint64_t)1 << 32, EINVAL),
		VALUE(T, offset, HALF, EINVAL),
		VALUE(T, offset, MAX, EINVAL),
	};
	char longest[BUFALLOC_MAX_NAME + 2];

	matrix_try_call(&load_call);
	TRY_VALUES(&load_call, values);
	try_name("", EINVAL);
	try_name("/", EINVAL);
	try_name("/tmp/x", EINVAL);
	try_name("..", EINVAL);
	try_name("../x", EINVAL);
	try_name("a/../x", EINVAL);
	try_name("a/..", EINVAL);
	try_name("no-such-file", ENOENT);
	try_name("a..b", ENOENT);
	memset(longest, 'a', sizeof(longest));
	longest[BUFALLOC_MAX_NAME - 1] = '\0';
	try_name(longest, ENOENT);
	longest[BUFALLOC_MAX_NAME - 1] = 'a';
	longest[BUFALLOC_MAX_NAME] = '\0';
	try_name(longest, EINVAL);
}
#undef T

static void
base_buffer_info(union matrix_arg *arg)
{
	arg->buffer_info.fd = matrix.fd;
}

#define T bufalloc_buffer_info
static const struct matrix_field buffer_info_fields[] = {
	FIELD(T, flags, KIND_FLAGS, 0),
	FIELD(T, fd, KIND_DMABUF, 0),
	FIELD(T, out_heap, KIND_OUT, 0),
	FIELD(T, out_length, KIND_OUT, 0),
	FIELD(T, out_runs, KIND_OUT, 0),
	FIELD(T, out_attachments, KIND_OUT, 0),
	FIELD(T, out_mappings, KIND_OUT, 0),
	FIELD(T, out_kernel_maps, KIND_OUT, 0),
	FIELD(T, out_kernel_va, KIND_OUT, 0),
	FIELD(T, out_user_maps, KIND_OUT, 0),
	FIELD(T, out_kernel_maps_total, KIND_OUT, 0),
	FIELD(T, out_cpu_accesses, KIND_OUT, 0),
	FIELD(T, out_syncs, KIND_OUT, 0),
	FIELD(T, out_alloc_ns, KIND_OUT, 0),
	FIELD(T, out_bounced, KIND_OUT, 0),
	FIELD(T, out_attributes, KIND_OUT, 0),
	FIELD(T, out_syncs_skipped, KIND_OUT, 0),
	{ 0 },
};
static const struct matrix_call buffer_info_call = {
	"BUFFER_INFO", BUFALLOC_IOCTL_BUFFER_INFO, sizeof(struct T),
	offsetof(struct T, out_attributes), base_buffer_info,
	buffer_info_fields,
};
#undef T

static void
buffer_info(void)
{
	matrix_try_call(&buffer_info_call);
}

/* The verdict has a size of its own, and reserved fields. */
static union {
	struct bufalloc_alloc_verdict verdict;
	uint32_t size;
	uint8_t bytes[2 * PAGE];
} verdict;

static void
expect_verdict(const char *what, uint64_t value, int expected)
{
	static union matrix_arg arg;

	matrix_fill_base(&alloc_call, &arg);
	arg.alloc.verdict = (uintptr_t)&verdict;
	matrix_expect(&alloc_call, what, value, &arg, expected);
}

static void
verdict_sizes(void)
{
	const size_t first =
		offsetof(struct bufalloc_alloc_verdict, out_attributes);
	const size_t full = sizeof(verdict.verdict);

	for (size_t size = 0; size <= full + 64; size++) {
		memset(&verdict, 0, sizeof(verdict));
		verdict.size = (uint32_t)size;
		expect_verdict("verdict size", size, size < first ? EINVAL : 0);
		if (size > full) {
			memset(&verdict, 0, sizeof(verdict));
			verdict.size = (uint32_t)size;
			verdict.bytes[size - 1] = 1;
			expect_verdict("verdict tail", size, E2BIG);
		}
	}
	for (size_t size = PAGE; size <= PAGE + 1; size++) {
		memset(&verdict, 0, sizeof(verdict));
		verdict.size = (uint32_t)size;
		expect_verdict("verdict size", size, size > PAGE ? E2BIG : 0);
	}
	verdict.size = UINT32_MAX;
	expect_verdict("verdict size", UINT32_MAX, E2BIG);
}

static void
verdict_reserved(void)
{
	static const size_t offsets[] = {
		offsetof(struct bufalloc_alloc_verdict, __reserved),
		offsetof(struct bufalloc_alloc_verdict, __reserved2),
		offsetof(struct bufalloc_alloc_verdict, __reserved3),
	};

	for (size_t i = 0; i < 3; i++) {
		for (unsigned int bit = 0; bit < 32; bit++) {
			uint32_t value = (uint32_t)1 << bit;

			memset(&verdict, 0, sizeof(verdict));
			verdict.size = sizeof(verdict.verdict);
			memcpy(verdict.bytes + offsets[i], &value, 4);
			expect_verdict("verdict reserved", value, EINVAL);
		}
	}
}

/* One device of a request, whose out fields are ignored. */
static void
expect_device(const struct matrix_call *call, size_t count_at, size_t devices_at,
	      struct bufalloc_alloc_device device, const char *what,
	      uint64_t value, int expected)
{
	static union matrix_arg arg;

	matrix_fill_base(call, &arg);
	matrix_set(&arg, count_at, 4, 1);
	matrix_set(&arg, devices_at, 8, (uintptr_t)&device);
	matrix_expect(call, what, value, &arg, expected);
}

static void
try_devices(const struct matrix_call *call, size_t count_at, size_t devices_at)
{
	static const int32_t closed[] = { -1, -2, INT32_MIN, INT32_MAX };
	struct bufalloc_alloc_device device = {
		.fd = matrix.camera,
		.access = BUFALLOC_ACCESS_WRITE,
		.out_proof = UINT32_MAX,
		.out_segments = UINT32_MAX,
		.out_error = -1,
		.out_reason = UINT32_MAX,
	};

	expect_device(call, count_at, devices_at, device, "device", 0, 0);
	for (uint32_t bit = 0; bit < 32; bit++) {
		uint32_t known = BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE;

		device.access = BUFALLOC_ACCESS_WRITE | (uint32_t)1 << bit;
		expect_device(call, count_at, devices_at, device,
			      "device's access", device.access,
			      (known >> bit & 1) != 0 ? 0 : EINVAL);
	}
	device.access = 0;
	expect_device(call, count_at, devices_at, device, "device's access", 0,
		      EINVAL);
	device.access = BUFALLOC_ACCESS_WRITE;
	for (size_t i = 0; i < 4; i++) {
		device.fd = closed[i];
		expect_device(call, count_at, devices_at, device, "device's fd",
			      (uint32_t)closed[i], EBADF);
	}
	device.fd = matrix.not_dmabuf;
	expect_device(call, count_at, devices_at, device, "device's fd", 0,
		      ENODEV);
}

static void
devices(void)
{
	try_devices(&alloc_call, offsetof(struct bufalloc_alloc, device_count),
		    offsetof(struct bufalloc_alloc, devices));
	try_devices(&import_call,
		    offsetof(struct bufalloc_import_user, device_count),
		    offsetof(struct bufalloc_import_user, devices));
}

/* Each number of our type that is none of ours, and ours with a size in it. */
static void
numbers(void)
{
	static union matrix_arg arg;

	for (unsigned int nr = 0; nr < 256; nr++) {
		if (nr > BUFALLOC_CMD_BUFFER_INFO) {
			CHECK_ERRNO(ENOTTY,
				    ioctl(matrix.node, _IO(BUFALLOC_IOC_TYPE, nr), &arg));
			matrix.rows++;
		}
		CHECK_ERRNO(ENOTTY, ioctl(matrix.node, _IOWR(BUFALLOC_IOC_TYPE, nr,
						      struct bufalloc_alloc),
					  &arg));
		CHECK_ERRNO(ENOTTY, ioctl(matrix.node, _IO('b', nr), &arg));
		matrix.rows += 2;
	}
}

/* All in one row: what the file descriptors are is the same in each. */
static void
all_calls(void)
{
	static void (*const parts[])(void) = {
		info, device_info, alloc, import_user, sync_range, copy,
		load_firmware, buffer_info, verdict_sizes, verdict_reserved,
		devices, numbers,
	};

	matrix_begin();
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		parts[i]();
	}
	matrix_end();
	ktest_note("%u rows", matrix.rows);
	ktest_figure("abi_rows", matrix.rows);
	CHECK_EQ(matrix.wrong, 0);
}

static const struct ktest_row rows[] = {
	{ "every-field-every-value", all_calls },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
