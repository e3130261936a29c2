/* SPDX-License-Identifier: MIT */
/*
 * The mock of devices that do not see the CPU's caches (modules/ba_mock.h), as the
 * tests use it.
 */
#ifndef MOCK_H
#define MOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ktest.h"
#include "modules/ba_mock.h"

/* What the mock moves at least: its lines. */
#define MOCK_LINE ((size_t)64)

/**
 * struct mock_kind - devices of one kind, and where the memory comes from
 * @name: of both
 * @first: number of the first of the two devices
 * @user: the memory is the process's own, scattered page by page
 */
struct mock_kind {
	const char *name;
	uint32_t first;
	bool user;
};

/**
 * struct mock - one buffer and two devices
 * @kind: of both
 * @length: of the buffer
 * @node: /dev/bufalloc
 * @fd: the buffer
 * @devices: /dev/ba_mock, opened for each
 * @segments: of the buffer, for the device that imported it last
 * @line: of the caches
 * @data: a mapping of the buffer, or the memory that it was made of
 */
struct mock {
	const struct mock_kind *kind;
	size_t length;
	int node, fd;
	int devices[2];
	uint32_t segments, line;
	uint8_t *data;
};

/*
 * Run @body for each kind of devices and of memory that there is, with a buffer of
 * @length bytes that has seed 1 and that both devices have imported. Nothing
 * beside the buffer may be synced meanwhile. The row is skipped without the mock.
 */
void
mock_on_each_kind(void (*body)(struct mock *mock), size_t length);

/* Device 0 or 1 maps the buffer, and unmaps it. */
void
mock_import(struct mock *mock, unsigned int index);
void
mock_release(struct mock *mock, unsigned int index);

/* It writes and reads those bytes of it. */
void
mock_write(struct mock *mock, unsigned int index, const uint8_t *data,
	   size_t offset, size_t length);
void
mock_read(struct mock *mock, unsigned int index, uint8_t *data, size_t offset,
	  size_t length);

/* Work on the caches since the last call. */
struct ba_mock_counts
mock_counts(struct mock *mock);

/* SYNC_RANGE with enum bufalloc_sync flags. */
void
mock_sync(struct mock *mock, uint32_t flags, size_t offset, size_t length);

#define BEGIN_READ (BUFALLOC_SYNC_START | BUFALLOC_SYNC_READ)
#define END_READ (BUFALLOC_SYNC_END | BUFALLOC_SYNC_READ)
#define BEGIN_WRITE (BUFALLOC_SYNC_START | BUFALLOC_SYNC_WRITE)
#define END_WRITE (BUFALLOC_SYNC_END | BUFALLOC_SYNC_WRITE)

/* Different in every byte for each seed, and not the same in any two lines. */
uint8_t
mock_byte(size_t at, uint32_t seed);

void
mock_fill(uint8_t *data, size_t length, uint32_t seed);

/* How many bytes from the start on are of that seed? */
size_t
mock_match(const uint8_t *data, size_t length, uint32_t seed);

/* Does a device see all of the buffer with that seed? It writes all of it so. */
bool
mock_sees(struct mock *mock, unsigned int index, uint32_t seed);
void
mock_fills(struct mock *mock, unsigned int index, uint32_t seed);

/* A part of the buffer, and the lines that it is in. */
struct mock_range {
	size_t offset, length;
};

struct mock_range
mock_in_lines(struct mock_range range, size_t line);

#endif /* MOCK_H */
