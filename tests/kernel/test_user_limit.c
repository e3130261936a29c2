// SPDX-License-Identifier: MIT
/*
 * Pinned memory counts against RLIMIT_MEMLOCK, for each user, until it is let go.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user.h"

#define LENGTH (PAGE * 64)
#define SOMEBODY 4321
#define SOMEBODY_ELSE 4322

/* A process of that user, without capabilities, with that limit. */
static pid_t
start_as(unsigned int uid, size_t limit)
{
	const struct rlimit memlock = { limit, limit };
	pid_t child = fork();

	if (child == 0) {
		CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &memlock), 0);
		CHECK_EQ(syscall(SYS_setresuid, uid, uid, uid), 0);
	}
	return child;
}

static void
wait_for(pid_t child)
{
	int status;

	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

static void
check_refused(int node, const void *memory, size_t length)
{
	struct ba_outcome outcome =
		user_import_for(node, memory, length, 0, NULL, 0, 0);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOMEM);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_MEMLOCK);
}

static void
limit(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	long long pins = user_pins();
	int node = ba_open();
	pid_t child = start_as(SOMEBODY, LENGTH);

	if (child == 0) {
		int fd, other;

		/* One page more than allowed: nothing; exactly that much: yes. */
		check_refused(node, memory - PAGE, LENGTH + PAGE);
		fd = user_import(node, memory, LENGTH, 0);
		check_refused(node, memory, PAGE);
		close(fd);
		CHECK_WITHIN_1S((fd = user_try_import(node, memory,
						      LENGTH - PAGE, 0)) >= 0);
		other = user_import(node, memory, PAGE, 0);
		check_refused(node, memory, PAGE);
		close(fd);
		close(other);
		_exit(0);
	}
	wait_for(child);
	CHECK_WITHIN_1S(user_pins() == pins);
	munmap(memory, LENGTH);
	close(node);
}

/* Nothing was pinned in between, either. */
static void
nothing_is_pinned(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	static const char *const functions[] = { "pin_user_pages" };
	int node = ba_open();
	pid_t child;

	trace_begin_all(functions, 1, "");
	child = start_as(SOMEBODY, LENGTH - PAGE);
	if (child == 0) {
		check_refused(node, memory, LENGTH);
		_exit(0);
	}
	wait_for(child);
	CHECK_EQ(trace_end(NULL, NULL), 0);
	/* The control: the probe sees a call. */
	trace_begin_all(functions, 1, "");
	close(user_import(node, memory, LENGTH, 0));
	CHECK(trace_end(NULL, NULL) > 0);
	munmap(memory, LENGTH);
	close(node);
}

static void
capability(void)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	pid_t child = fork();

	if (child == 0) {
		CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);
		close(user_import(node, memory, LENGTH, 0));
		_exit(0);
	}
	wait_for(child);
	munmap(memory, LENGTH);
	close(node);
}

/* One limit for all processes of a user, none for another user. */
static void
each_user(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	int ready[2], go[2];
	pid_t first, second, other;
	char byte;

	CHECK_EQ(pipe(ready), 0);
	CHECK_EQ(pipe(go), 0);
	first = start_as(SOMEBODY, LENGTH);
	if (first == 0) {
		user_import(node, memory, LENGTH, 0);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		CHECK_EQ(read(go[0], &byte, 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	second = start_as(SOMEBODY, LENGTH);
	if (second == 0) {
		check_refused(node, memory, PAGE);
		_exit(0);
	}
	other = start_as(SOMEBODY_ELSE, LENGTH);
	if (other == 0) {
		close(user_import(node, memory, LENGTH, 0));
		_exit(0);
	}
	wait_for(second);
	wait_for(other);
	CHECK_EQ(write(go[1], "x", 1), 1);
	wait_for(first);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
	munmap(memory, LENGTH);
	close(node);
}

/*
 * The owner is gone, its buffer is not: the charge stays until the last holder,
 * who is another user, lets go.
 */
static void
charge_outlives_the_owner(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	int hold[2], taken[2];
	pid_t owner, holder, next;
	char byte;

	CHECK_EQ(pipe(hold), 0);
	CHECK_EQ(pipe(taken), 0);
	owner = start_as(SOMEBODY, LENGTH);
	if (owner == 0) {
		user_import(node, memory, LENGTH, 0);
		holder = fork();
		if (holder == 0) {
			/* It keeps the fd that it was born with. */
			close(hold[1]);
			CHECK_EQ(write(taken[1], "x", 1), 1);
			_exit((int)read(hold[0], &byte, 1));
		}
		_exit(0);
	}
	wait_for(owner);
	CHECK_EQ(read(taken[0], &byte, 1), 1);

	next = start_as(SOMEBODY, LENGTH);
	if (next == 0) {
		check_refused(node, memory, PAGE);
		_exit(0);
	}
	wait_for(next);
	close(hold[1]);
	CHECK_WITHIN_1S(ba_live("pinned_pages") == 0);
	next = start_as(SOMEBODY, LENGTH);
	if (next == 0) {
		close(user_import(node, memory, LENGTH, 0));
		_exit(0);
	}
	wait_for(next);
	close(hold[0]);
	close(taken[0]);
	close(taken[1]);
	munmap(memory, LENGTH);
	close(node);
}

static void
shown_by_proc(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	long before = user_vm_pin();
	int fd = user_import(node, memory, LENGTH, 0);

	CHECK_EQ(user_vm_pin(), before + (long)(LENGTH >> 10));
	close(fd);
	CHECK_WITHIN_1S(user_vm_pin() == before);
	munmap(memory, LENGTH);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "limit-enomem", limit },
	{ "limit-enomem-pins-nothing", nothing_is_pinned },
	{ "capability-lifts-the-limit", capability },
	{ "limit-is-each-users", each_user },
	{ "charge-outlives-the-owner", charge_outlives_the_owner },
	{ "proc-shows-it", shown_by_proc },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
