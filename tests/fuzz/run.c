// SPDX-License-Identifier: MIT
/*
 * A run of a program; see run.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <drm.h>
#include <linux/bufalloc.h>

#include "run.h"

/* A call that waits for a fence or a frame is interrupted. */
#define TICK_US 30000

/* Places for mappings, whose addresses are multiples of the largest page. */
#define PLACE ((size_t)64 << 20)
#define PLACES (PLACE * MAX_CALLS)
#define PLACES_AT ((void *)0x100000000000)

struct times *run_times;

static sigjmp_buf fault;
static volatile sig_atomic_t in_touch;
static int fail_fd = -1;

static void
on_fault(int signal)
{
	if (in_touch) {
		siglongjmp(fault, signal);
	}
	_exit(100 + signal);
}

static void
on_tick(int signal)
{
	(void)signal;
}

void
run_prepare(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	struct itimerval tick = { { 0, TICK_US }, { 0, TICK_US } };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	action.sa_flags = 0;
	action.sa_handler = on_tick;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	if (fail_fd >= 0) {
		close(fail_fd);
	}
	/* Of the process that opens it, so once for each. */
	fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

bool
run_touch(volatile uint8_t *byte, bool write)
{
	bool there = false;

	if (sigsetjmp(fault, 1) == 0) {
		in_touch = 1;
		if (write) {
			*byte = 0xba;
		} else {
			(void)*byte;
		}
		there = true;
	}
	in_touch = 0;
	return there;
}

int
run_fd(struct run *run, uint64_t arg)
{
	if (arg == NO_RESULT || arg >= run->at) {
		return -1;
	}
	return run->slots[arg].fd;
}

struct slot *
run_device(struct run *run, uint64_t arg)
{
	if (arg == NO_RESULT || arg >= run->at || run->slots[arg].fd < 0 ||
	    run->slots[arg].result != RESULT_DEVICE) {
		return NULL;
	}
	return &run->slots[arg];
}

uint8_t *
run_memory(struct run *run, uint64_t arg, uint64_t offset)
{
	if (arg == NO_RESULT || arg >= run->at || run->slots[arg].map == NULL) {
		return (uint8_t *)(uintptr_t)(offset & 0xffff);
	}
	return (uint8_t *)((uintptr_t)run->slots[arg].map + offset);
}

long
run_made_fd(struct run *run, int fd)
{
	if (fd < 0) {
		return -1;
	}
	run->slots[run->at].result = ops[run->program->calls[run->at].op].result;
	run->slots[run->at].fd = fd;
	return 0;
}

void *
run_place(struct run *run, size_t length)
{
	if (length > PLACE) {
		return NULL;
	}
	return (uint8_t *)PLACES_AT + run->at * PLACE;
}

long
run_made_map(struct run *run, void *map, size_t length)
{
	struct slot *slot = &run->slots[run->at];

	if (map == MAP_FAILED) {
		return -1;
	}
	if (run_place(run, length) != map) {
		munmap(map, length);
		return -1;
	}
	slot->result = RESULT_MAP;
	slot->map = map;
	slot->length = length;
	return 0;
}

long
run_made_handle(struct run *run, const struct slot *device, uint32_t handle)
{
	struct slot *slot = &run->slots[run->at];

	slot->result = RESULT_HANDLE;
	slot->device = device->device;
	slot->owner = device->fd;
	slot->handle = handle;
	return 0;
}

bool
run_is_ours(struct run *run, int fd)
{
	struct bufalloc_buffer_info info = { .size = sizeof(info), .fd = fd };

	return ioctl(run->node, BUFALLOC_IOCTL_BUFFER_INFO, &info) == 0;
}

static void
set_fail(uint32_t nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	if (fail_fd >= 0) {
		(void)!pwrite(fail_fd, text, (size_t)n, 0);
	}
}

static uint64_t
now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void
do_call(struct run *run, const struct call *call)
{
	uint64_t from = run_times != NULL ? now_ns() : 0;

	ops[call->op].run(run, call->args);
	if (run_times != NULL) {
		__atomic_fetch_add(&run_times->count[call->op], 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&run_times->ns[call->op], now_ns() - from,
				   __ATOMIC_RELAXED);
	}
}

/*
 * videobuf2 forgets a reference of a dma-buf that cannot be attached
 * (__prepare_dmabuf() in videobuf2-core.c of 6.12): there nothing fails on purpose.
 */
static bool
is_spared(struct run *run, const struct call *call)
{
	const struct slot *device;

	if (ops[call->op].run == op_queue) {
		return true;
	}
	device = ops[call->op].run == op_import ? run_device(run, call->args[0]) : NULL;
	return device != NULL && device_class_of(device->device) == CLASS_V4L2;
}

void
run_calls(struct run *run, unsigned int end)
{
	for (; run->at < end; run->at++) {
		const struct call *call = &run->program->calls[run->at];
		struct slot *slot = &run->slots[run->at];
		uint32_t fail = run->fail;

		memset(slot, 0, sizeof(*slot));
		slot->fd = -1;
		if (run->skip > 0) {
			run->skip--;
			continue;
		}
		run->fail = 0;
		if (fail > 0 && is_spared(run, call)) {
			fail = 0;
		}
		if (fail > 0) {
			set_fail(fail);
		}
		do_call(run, call);
		if (fail > 0) {
			set_fail(0);
		}
	}
}

/* In the order that they were made: buffers go before what imported them. */
static void
give_back(struct run *run)
{
	bool mapped = false;

	for (unsigned int i = 0; i < run->program->count; i++) {
		mapped |= run->slots[i].map != NULL;
		if (run->slots[i].fd >= 0) {
			close(run->slots[i].fd);
		}
	}
	if (mapped) {
		munmap(PLACES_AT, PLACES);
	}
}

void
run_program(struct run *run, const struct program *program, int node)
{
	uint64_t from;

	memset(run, 0, offsetof(struct run, slots));
	run->program = program;
	run->node = node;
	run->at = 0;
	run->imported = run->imported_user = false;
	run->fail = 0;
	run->skip = 0;
	run->child = 0;
	run->limited = run->unbound = false;
	run_calls(run, program->count);
	from = run_times != NULL ? now_ns() : 0;
	if (run->child > 0) {
		kill(run->child, SIGKILL);
		while (waitpid(run->child, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	give_back(run);
	if (run->limited) {
		limits_undo();
	}
	if (run->unbound) {
		devices_rebind();
	}
	if (run_times != NULL) {
		__atomic_fetch_add(&run_times->end_ns, now_ns() - from, __ATOMIC_RELAXED);
	}
}
