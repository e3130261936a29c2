/* SPDX-License-Identifier: MIT */
/*
 * Calls of /dev/bufalloc with one field after the other at values that it may not
 * have: see test_abi_matrix.c.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "ktest.h"

#define PAGE 4096
#define LENGTH ((uint64_t)16 * PAGE)
#define MAX UINT64_MAX
#define HALF ((uint64_t)1 << 63)
/* In no process's part of the address space, with 32 bits or with 64. */
#define KERNEL_ADDRESS UINT64_C(0xffff888000001000)
#define MATRIX_FIRMWARE "matrix.bin"

/**
 * struct matrix - what the calls are about
 * @node: /dev/bufalloc
 * @fd: a buffer of LENGTH bytes
 * @camera: a V4L2 node
 * @not_dmabuf: a file of another kind
 * @memory: LENGTH bytes
 * @rows: calls that were made
 * @wrong: of those, that answered something else
 */
struct matrix {
	int node, fd, camera, not_dmabuf;
	uint8_t *memory;
	unsigned int rows, wrong;
};

extern struct matrix matrix;

/* The structure of a call, and room behind it. */
union matrix_arg {
	struct bufalloc_info info;
	struct bufalloc_device_info device_info;
	struct bufalloc_alloc alloc;
	struct bufalloc_import_user import;
	struct bufalloc_sync_range sync;
	struct bufalloc_copy copy;
	struct bufalloc_load_firmware load;
	struct bufalloc_buffer_info buffer_info;
	uint32_t size;
	uint8_t bytes[2 * PAGE];
};

enum matrix_kind {
	KIND_END,
	/* Bits: only @known ones may be set. */
	KIND_FLAGS,
	/* Must be 0. */
	KIND_RESERVED,
	/* Ignored. */
	KIND_OUT,
	/* Must point to memory of the caller's. */
	KIND_POINTER,
	KIND_DMABUF,
	KIND_DEVICE,
};

struct matrix_field {
	const char *name;
	enum matrix_kind kind;
	size_t offset, size;
	uint64_t known;
};

/* A value of a field, and the errno; @or: or that one. */
struct matrix_value {
	const char *name;
	size_t offset, size;
	uint64_t value;
	int expected, or;
};

/**
 * struct matrix_call - one ioctl
 * @name: of it
 * @request: its number
 * @size: of its structure
 * @first: size of the first version's
 * @base: a structure that it accepts
 * @fields: by kind
 */
struct matrix_call {
	const char *name;
	unsigned long request;
	size_t size, first;
	void (*base)(union matrix_arg *arg);
	const struct matrix_field *fields;
};

#define FIELD(type, field, kind, known) \
	{ #field, kind, offsetof(struct type, field), \
	  sizeof(((struct type *)0)->field), known }
#define VALUE(type, field, value, expected) \
	{ #field, offsetof(struct type, field), \
	  sizeof(((struct type *)0)->field), (uint64_t)(value), expected, \
	  expected }

/* Set it up, and end it: with 32 bits the answers must be the ones with 64. */
void
matrix_begin(void);
void
matrix_end(void);

/* Write a field; little endian, as the guests are. */
void
matrix_set(union matrix_arg *arg, size_t offset, size_t size, uint64_t value);

void
matrix_fill_base(const struct matrix_call *call, union matrix_arg *arg);

/* One row: what is called @field has @value in @arg. */
void
matrix_expect(const struct matrix_call *call, const char *field, uint64_t value,
	      const union matrix_arg *arg, int expected);

/* Its fields by their kinds, all sizes, and bad addresses. */
void
matrix_try_call(const struct matrix_call *call);

/* Those values. */
void
matrix_try_values(const struct matrix_call *call,
		  const struct matrix_value *values, size_t count);
#define TRY_VALUES(call, values) \
	matrix_try_values(call, values, sizeof(values) / sizeof(values[0]))

/* Ranges of the buffer, by the fields at these offsets. */
void
matrix_try_ranges(const struct matrix_call *call, size_t offset, size_t length);

#endif /* MATRIX_H */
