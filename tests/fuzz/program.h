/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzer runs: a program is a list of calls, each with numbers for
 * arguments. As text, one call a line:
 *
 *	r0 = alloc(length=0x1000, heap=1)
 *	r1 = device(which=1)
 *	r2 = import(device=r1, buffer=r0)
 *
 * What a call makes (a file descriptor, a mapping, a handle) has the number of the
 * call, and an argument that takes such a thing names the call. What is not there is
 * 0, or no such thing.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_CALLS 24
#define MAX_ARGS 12
#define NO_RESULT UINT64_MAX
/* A call as text is at most that long. */
#define MAX_LINE 512

/**
 * enum result - what a call makes
 * @RESULT_NONE: nothing
 * @RESULT_BUFFER: file descriptor of a dma-buf
 * @RESULT_DEVICE: an open device
 * @RESULT_MAP: memory of the process: its own, or a mapping of something
 * @RESULT_HANDLE: what a device calls something of its own
 * @RESULT_FD: any other file descriptor
 */
enum result {
	RESULT_NONE,
	RESULT_BUFFER,
	RESULT_DEVICE,
	RESULT_MAP,
	RESULT_HANDLE,
	RESULT_FD,
};

/**
 * enum kind - what an argument means
 * @ARG_NONE: there is none
 * @ARG_RESULT: the call that made it; @max: enum result that it should be
 * @ARG_FLAGS: bits; @max: those that are known
 * @ARG_ENUM: one of 0 to @max
 * @ARG_LENGTH: bytes
 * @ARG_OFFSET: bytes, 0 more often than not
 * @ARG_SIZE: of a structure; 0: as it should be
 */
enum kind {
	ARG_NONE,
	ARG_RESULT,
	ARG_FLAGS,
	ARG_ENUM,
	ARG_LENGTH,
	ARG_OFFSET,
	ARG_SIZE,
};

struct arg {
	const char *name;
	enum kind kind;
	uint64_t max;
};

struct run;

/**
 * struct op - a kind of call
 * @name: of it
 * @weight: how often it is drawn
 * @result: what it makes
 * @run: does it; negative: it failed
 * @args: its arguments, the last one followed by one without a name
 */
struct op {
	const char *name;
	unsigned int weight;
	enum result result;
	long (*run)(struct run *run, const uint64_t *args);
	struct arg args[MAX_ARGS + 1];
};

extern const struct op ops[];
extern const unsigned int op_count;

/* The op of that name; op_count if there is none. */
unsigned int
op_find(const char *name);

struct call {
	uint32_t op;
	uint64_t args[MAX_ARGS];
};

struct program {
	uint32_t count;
	struct call calls[MAX_CALLS];
};

/* Write it as text, terminated; the length without that, as far as it fits. */
size_t
program_print(const struct program *program, char *text, size_t size);

/* Append the call of one line; false: it is none. Lines that start with # and empty
 * ones are no calls either, but are taken. */
bool
program_parse_line(struct program *program, const char *line);

/* Take out a call, or make room for one; what names later calls still does. */
void
program_remove(struct program *program, unsigned int at);
bool
program_insert(struct program *program, unsigned int at, const struct call *call);

/* The calls of @other behind those of @program, as far as there is room. */
void
program_append(struct program *program, const struct program *other);

#endif /* FUZZ_PROGRAM_H */
