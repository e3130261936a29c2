// SPDX-License-Identifier: MIT
/*
 * Programs out of nothing, and out of others. Most arguments are such that the call
 * can succeed, as nothing is behind one that fails at once; each call has a chance of
 * being wild instead.
 */
#include <string.h>

#include "generate.h"
#include "run.h"

#define WILD_PERCENT 12

static const uint64_t usual_lengths[] = {
	0x1000, 0x1000, 0x1000, 0x2000, 0x2000, 0x2000, 0x3000, 0x4000, 0x8000,
	0x10000, 0x11000, 0x1000, 0x2000, 0x4000, 0x20000, 0x40000, 0x200000,
	0x210000, 1, 0xfff, 0x1001,
};
static const uint64_t wild_lengths[] = {
	0, 1, 63, 0xfff, 0x1001, 0x1fff, 0x400000, 0x7e9000, 0x1ff000, 0x7fffffff,
	0x80000000, 0xffffffff, 0x100000000, 1ull << 40, 1ull << 63, UINT64_MAX,
	UINT64_MAX - 0xfff, 0x40000000,
};
static const uint64_t wild_offsets[] = {
	1, 2, 63, 64, 128, 0x7ff, 0xfff, 0x1000, 0x1001, 0x1fff, 0x2000, 0x3000,
	0x10000, 0x1ff000, 0x200000, 0x7fffffff, 0x80000000, 0xfffff000,
	1ull << 32, 1ull << 63, UINT64_MAX, UINT64_MAX - 0xfff,
};
static const uint64_t wild_sizes[] = {
	1, 3, 4, 8, 16, 24, 32, 40, 48, 64, 80, 96, 104, 112, 120, 200, 4088, 4095,
	4096, 4097, 0x80000000, 0xffffffff,
};
static const uint32_t usual_widths[] = { 64, 64, 32, 640, 16, 320, 1, 256 };

/* The calls that are drawn in a way of their own. */
static unsigned int alloc_op, import_user_op, device_op, memory_op, map_op, copy_op,
	import_op, touch_op, queue_op, request_op, export_video_op, dumb_op,
	export_handle_op, map_handle_op, show_op, protect_op, child_op;
static unsigned int weights;

void
generate_prepare(void)
{
	const struct {
		unsigned int *op;
		const char *name;
	} named[] = {
		{ &alloc_op, "alloc" }, { &import_user_op, "import_user" },
		{ &device_op, "device" }, { &memory_op, "memory" },
		{ &map_op, "map" }, { &copy_op, "copy" }, { &import_op, "import" },
		{ &touch_op, "touch" }, { &queue_op, "queue" },
		{ &request_op, "request" }, { &export_video_op, "export_video" },
		{ &dumb_op, "dumb" }, { &export_handle_op, "export_handle" },
		{ &map_handle_op, "map_handle" }, { &show_op, "show" },
		{ &protect_op, "protect" }, { &child_op, "child" },
	};

	for (unsigned int i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		*named[i].op = op_find(named[i].name);
	}
	weights = 0;
	for (unsigned int i = 0; i < op_count; i++) {
		weights += ops[i].weight;
	}
}

static unsigned int
draw_op(struct random *random)
{
	uint32_t at = random_below(random, weights);
	unsigned int op = 0;

	while (at >= ops[op].weight) {
		at -= ops[op++].weight;
	}
	return op;
}

static uint64_t
draw_device(struct random *random)
{
	static const enum device often[] = {
		DEVICE_VGEM, DEVICE_VGEM, DEVICE_VGEM, DEVICE_VKMS, DEVICE_VKMS,
		DEVICE_GEM, DEVICE_GEM, DEVICE_GEM_ONE, DEVICE_GEM_ONE,
		DEVICE_EDU0, DEVICE_EDU0, DEVICE_EDU1, DEVICE_EDU1, DEVICE_EDU2,
		DEVICE_EDU2, DEVICE_IMPORTER, DEVICE_IMPORTER, DEVICE_IMPORTER,
		DEVICE_IMPORTER, DEVICE_DISPLAY, DEVICE_DISPLAY, DEVICE_CAMERA,
		DEVICE_CAMERA, DEVICE_CAMERA, DEVICE_VIVID, DEVICE_VIVID_OUTPUT,
		DEVICE_VIM2M,
	};

	for (int i = 0; i < 8; i++) {
		enum device device = PICK(random, often);

		if (device_exists(device)) {
			return device;
		}
	}
	return DEVICE_NODE;
}

/* A call before @end that made such a thing: the last, or any; NO_RESULT. */
static uint64_t
draw_result(const struct program *program, unsigned int end, uint64_t result,
	    struct random *random)
{
	uint64_t found = NO_RESULT;
	unsigned int count = 0;

	for (unsigned int i = 0; i < end; i++) {
		enum result made = ops[program->calls[i].op].result;

		if (made != result && !(result == RESULT_FD && made != RESULT_NONE)) {
			continue;
		}
		count++;
		if (found == NO_RESULT || !random_percent(random, 40)) {
			found = i;
		}
	}
	(void)count;
	return found;
}

static uint64_t
draw_arg(const struct program *program, unsigned int end, const struct arg *arg,
	 bool wild, struct random *random)
{
	switch (arg->kind) {
	case ARG_RESULT:
		if (wild && random_percent(random, 20)) {
			return end > 0 && random_percent(random, 70) ?
				       random_below(random, end) :
				       NO_RESULT;
		}
		return draw_result(program, end, arg->max, random);
	case ARG_FLAGS:
		if (wild && random_percent(random, 30)) {
			return 1ull << random_below(random, 34);
		}
		return random_next(random) & random_next(random) & arg->max;
	case ARG_ENUM:
		if (wild && random_percent(random, 20)) {
			return random_percent(random, 50) ? arg->max + 1 :
							    PICK(random, wild_offsets);
		}
		if (arg->max >= 256) {
			return PICK(random, usual_widths);
		}
		return random_below(random, (uint32_t)arg->max + 1);
	case ARG_LENGTH:
		if (wild && random_percent(random, 50)) {
			return PICK(random, wild_lengths);
		}
		return PICK(random, usual_lengths);
	case ARG_OFFSET:
		if (random_percent(random, wild ? 50 : 20)) {
			return PICK(random, wild_offsets);
		}
		return 0;
	case ARG_SIZE:
		return wild && random_percent(random, 25) ? PICK(random, wild_sizes) : 0;
	default:
		return 0;
	}
}

/* What can succeed. */
static void
tame(struct call *call, struct random *random)
{
	static const uint32_t heaps[] = { 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4 };
	static const uint32_t attributes[] = { 0, 0, 0, 0, 0, 1, 2, 4, 8, 8, 16, 16 };
	uint64_t *args = call->args;

	if (call->op == alloc_op) {
		args[1] = PICK(random, heaps);
		args[2] = PICK(random, attributes);
		args[3] = random_percent(random, 10) ? args[2] : 0;
		args[4] = random_percent(random, 5);
		args[5] = random_percent(random, 85) ? 2 : args[5];
		args[6] = random_percent(random, 50) ? args[6] : NO_RESULT;
		args[7] = 1 + random_below(random, 3);
		args[8] = random_percent(random, 25) ? args[8] : NO_RESULT;
		args[9] = 1 + random_below(random, 3);
		args[10] &= 1;
	} else if (call->op == import_user_op) {
		args[1] = random_percent(random, 15) ? PAGE : 0;
		args[2] = (args[2] + PAGE - 1) / PAGE * PAGE;
		args[3] = random_percent(random, 15) ? 2 : random_percent(random, 5);
		args[4] = random_percent(random, 85) ? 2 : args[4];
		args[5] = random_percent(random, 40) ? args[5] : NO_RESULT;
		args[6] = 1 + random_below(random, 3);
		args[7] = random_percent(random, 15) ? args[7] : NO_RESULT;
		args[8] = 1 + random_below(random, 3);
		args[9] &= 1;
	} else if (call->op == memory_op || call->op == protect_op) {
		uint64_t *protection = &args[call->op == memory_op ? 2 : 3];

		*protection = random_percent(random, 80) ? 3 : 1;
	} else if (call->op == map_op) {
		args[2] = random_percent(random, 80) ? 3 : 1;
		args[3] = random_percent(random, 4);
		args[4] = random_percent(random, 85) ? 0 : PAGE;
	} else if (call->op == map_handle_op) {
		args[2] = random_percent(random, 80) ? 3 : 1;
	} else if (call->op == dumb_op) {
		args[3] = 32;
	} else if (call->op == request_op) {
		args[2] = random_percent(random, 60) ? 4 : 1 + args[2] % 2;
		args[3] = 1 + args[3] % 3;
		args[4] = random_percent(random, 20);
	} else if (call->op == queue_op) {
		args[2] = random_percent(random, 60) ? 4 : 1 + args[2] % 2;
		args[3] &= 1;
		args[7] = random_percent(random, 85);
	} else if (call->op == export_video_op) {
		args[2] = 0;
	}
}

static void
draw_call(const struct program *program, unsigned int end, unsigned int op,
	  struct call *call, struct random *random)
{
	bool wild = random_percent(random, WILD_PERCENT);

	memset(call, 0, sizeof(*call));
	call->op = op;
	for (int a = 0; ops[op].args[a].name != NULL; a++) {
		call->args[a] = draw_arg(program, end, &ops[op].args[a], wild, random);
	}
	if (!wild) {
		tame(call, random);
	}
	if (op == device_op && (!wild || call->args[0] < DEVICE_COUNT)) {
		call->args[0] = draw_device(random);
	}
}

/* Append a call of @op; its number. */
static unsigned int
add(struct program *program, unsigned int op, struct random *random)
{
	if (program->count == MAX_CALLS) {
		program->count--;
	}
	draw_call(program, program->count, op, &program->calls[program->count], random);
	return program->count++;
}

static void
add_import(struct program *program, struct random *random)
{
	unsigned int device = add(program, device_op, random);
	unsigned int import = add(program, import_op, random);

	program->calls[import].args[0] = device;
}

static void
add_random(struct program *program, uint32_t most, struct random *random)
{
	for (uint32_t n = random_below(random, most + 1); n > 0; n--) {
		add(program, draw_op(random), random);
	}
}

/* Buffers of a V4L2 device or a DRM device's, which others import. */
static void
add_exporter(struct program *program, struct random *random)
{
	unsigned int device = add(program, device_op, random), call;
	uint64_t *args = program->calls[device].args;

	args[0] = random_percent(random, 50) ? DEVICE_CAMERA : DEVICE_GEM;
	if (args[0] == DEVICE_CAMERA) {
		call = add(program, request_op, random);
		program->calls[call].args[0] = device;
		program->calls[call].args[2] = 1;
		call = add(program, export_video_op, random);
		program->calls[call].args[0] = device;
		return;
	}
	args[0] = random_percent(random, 50) ? DEVICE_GEM :
		  random_percent(random, 50) ? DEVICE_GEM_ONE : DEVICE_DISPLAY;
	call = add(program, dumb_op, random);
	program->calls[call].args[0] = device;
	call = add(program, export_handle_op, random);
}

void
generate(struct program *program, struct random *random)
{
	uint32_t shape = random_below(random, 100);

	program->count = 0;
	if (shape < 45) {
		if (random_percent(random, 40)) {
			add(program, device_op, random);
		}
		add(program, alloc_op, random);
		add_random(program, 2, random);
		add_import(program, random);
		add_random(program, 6, random);
	} else if (shape < 60) {
		add(program, memory_op, random);
		add(program, import_user_op, random);
		add_import(program, random);
		add_random(program, 6, random);
	} else if (shape < 70) {
		add_exporter(program, random);
		add_import(program, random);
		add_random(program, 6, random);
	} else if (shape < 80) {
		add(program, alloc_op, random);
		add(program, map_op, random);
		add(program, touch_op, random);
		add_random(program, 8, random);
	} else {
		add(program, draw_op(random), random);
		add_random(program, 12, random);
	}
}

static void
change_arg(struct program *program, unsigned int at, struct random *random)
{
	struct call *call = &program->calls[at];
	const struct arg *arg = ops[call->op].args;
	unsigned int count = 0, a;

	while (arg[count].name != NULL) {
		count++;
	}
	if (count == 0) {
		return;
	}
	a = random_below(random, count);
	if (arg[a].kind != ARG_RESULT && random_percent(random, 25)) {
		/* A neighbour. */
		call->args[a] += random_percent(random, 50) ? 1 : UINT64_MAX;
		return;
	}
	call->args[a] = draw_arg(program, at, &arg[a], random_percent(random, 40),
				 random);
}

void
mutate(struct program *program, const struct program *other, struct random *random)
{
	uint32_t changes = 1 + random_below(random, 4);

	for (uint32_t i = 0; i < changes; i++) {
		uint32_t what = random_below(random, 100);
		unsigned int at = random_below(random, program->count + 1);
		struct call call;

		if (what < 35 && program->count > 0) {
			change_arg(program, random_below(random, program->count),
				   random);
		} else if (what < 65) {
			draw_call(program, at, draw_op(random), &call, random);
			program_insert(program, at, &call);
		} else if (what < 78 && program->count > 1) {
			program_remove(program,
				       random_below(random, program->count));
		} else if (what < 88) {
			program_append(program, other);
		} else if (program->count + 2 < MAX_CALLS) {
			add_import(program, random);
		}
	}
	if (program->count == 0) {
		generate(program, random);
	}
}
