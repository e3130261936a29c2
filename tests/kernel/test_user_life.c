// SPDX-License-Identifier: MIT
/*
 * How long imported memory stays, and whose it is: fork, munmap, exit,
 * truncation; that it is let go as written to, and all of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user.h"

#define LENGTH (PAGE * 64)

static void
wait_for(pid_t child)
{
	int status;

	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

/* Private memory stays the parent's; the child got copies. */
static void
fork_keeps_the_parents(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	uint8_t *data;
	pid_t child;
	int fd;

	pattern_fill(memory, LENGTH);
	fd = user_import(node, memory, LENGTH, 0);
	data = ba_map(fd, LENGTH);
	child = fork();
	if (child == 0) {
		/* Its own copies, with what was there. */
		CHECK_EQ(pattern_mismatch(memory, LENGTH), LENGTH);
		memset(memory, 0xcc, LENGTH);
		CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
		_exit(0);
	}
	wait_for(child);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	CHECK_EQ(pattern_mismatch(memory, LENGTH), LENGTH);
	/* And it is still the same memory, both ways. */
	memset(memory, 0x11, LENGTH / 2);
	CHECK_EQ(data[LENGTH / 2 - 1], 0x11);
	memset(data, 0x22, LENGTH);
	CHECK_EQ(memory[0], 0x22);
	CHECK_EQ(memory[LENGTH - 1], 0x22);
	munmap(data, LENGTH);
	munmap(memory, LENGTH);
	close(fd);
	close(node);
}

/* The parent forks and writes before it imports: each imports its own. */
static void
each_imports_its_own(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	uint8_t *data;
	pid_t child;
	int fd;

	memset(memory, 1, LENGTH);
	child = fork();
	if (child == 0) {
		fd = user_import(node, memory, LENGTH, 0);
		data = ba_map(fd, LENGTH);
		memset(memory, 2, LENGTH);
		CHECK_EQ(data[LENGTH - 1], 2);
		_exit(0);
	}
	fd = user_import(node, memory, LENGTH, 0);
	wait_for(child);
	data = ba_map(fd, LENGTH);
	for (size_t i = 0; i < LENGTH; i++) {
		CHECK_EQ(data[i], 1);
	}
	munmap(data, LENGTH);
	munmap(memory, LENGTH);
	close(fd);
	close(node);
}

static void
shared_memory_over_fork(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_SHARED);
	int node = ba_open();
	int fd = user_import(node, memory, LENGTH, 0);
	pid_t child = fork();

	if (child == 0) {
		pattern_fill(memory, LENGTH);
		_exit(0);
	}
	wait_for(child);
	CHECK_EQ(user_mismatch(fd, LENGTH), LENGTH);
	munmap(memory, LENGTH);
	close(fd);
	close(node);
}

static void
unmapped(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	int fd;

	pattern_fill(memory, LENGTH);
	fd = user_import(node, memory, LENGTH, 0);
	munmap(memory, LENGTH);
	CHECK_EQ(user_mismatch(fd, LENGTH), LENGTH);
	close(fd);
	close(node);
}

/* Thrown away by the owner: it gets new pages, the buffer keeps the old ones. */
static void
thrown_away(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	int fd;

	pattern_fill(memory, LENGTH);
	fd = user_import(node, memory, LENGTH, 0);
	CHECK_EQ(madvise(memory, LENGTH, MADV_DONTNEED), 0);
	CHECK_EQ(first_nonzero(memory, LENGTH), LENGTH);
	CHECK_EQ(user_mismatch(fd, LENGTH), LENGTH);
	munmap(memory, LENGTH);
	close(fd);
	close(node);
}

static void
truncated(void)
{
	int file = user_memfd(LENGTH, 0);
	uint8_t *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			       file, 0);
	int node = ba_open();
	int fd;

	CHECK(memory != MAP_FAILED);
	pattern_fill(memory, LENGTH);
	fd = user_import(node, memory, LENGTH, 0);
	CHECK_EQ(ftruncate(file, 0), 0);
	CHECK_EQ(user_mismatch(fd, LENGTH), LENGTH);
	CHECK_EQ(ftruncate(file, LENGTH), 0);
	CHECK_EQ(first_nonzero(memory, LENGTH), LENGTH);
	munmap(memory, LENGTH);
	close(file);
	close(fd);
	close(node);
}

/* Send a file descriptor to a process, or receive one. */
static void
send_fd(int to, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec data = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(to, &message, 0), 1);
}

static int
receive_fd(int from)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	int fd;

	CHECK_EQ(recvmsg(from, &message, 0), 1);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* The owner is gone, with all of its memory: the buffer still has the bytes. */
static void
owner_exited(void)
{
	long long pins = user_pins();
	int pair[2], fd;
	pid_t child;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	child = fork();
	if (child == 0) {
		uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);

		pattern_fill(memory, LENGTH);
		send_fd(pair[1], user_import(ba_open(), memory, LENGTH, 0));
		_exit(0);
	}
	fd = receive_fd(pair[0]);
	wait_for(child);
	CHECK_EQ(user_pins(), pins + (long long)(LENGTH / PAGE));
	CHECK_EQ(user_mismatch(fd, LENGTH), LENGTH);
	close(fd);
	CHECK_WITHIN_1S(user_pins() == pins);
	close(pair[0]);
	close(pair[1]);
}

struct unpinned {
	unsigned long long pages, dirty_pages;
};

static void
add_unpinned(const char *text, void *data)
{
	struct unpinned *unpinned = data;
	unsigned long long pages = trace_value(text, "pages");

	unpinned->pages += pages;
	if (trace_value(text, "dirty")) {
		unpinned->dirty_pages += pages;
	}
}

/* What a device may have written must not be forgotten by whoever has it next. */
static void
released_dirty(uint32_t flags, unsigned long long dirty)
{
	int file = user_memfd(LENGTH, 0);
	uint8_t *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			       file, 0);
	struct unpinned unpinned = { 0 };
	int node = ba_open();

	CHECK(memory != MAP_FAILED);
	trace_begin("unpin_user_page_range_dirty_lock",
		    "pages=$arg2:u64 dirty=$arg3:u8");
	close(user_import(node, memory, LENGTH, flags));
	CHECK_WITHIN_1S(ba_live("pinned_pages") == 0);
	trace_end(add_unpinned, &unpinned);
	CHECK_EQ(unpinned.pages, LENGTH / PAGE);
	CHECK_EQ(unpinned.dirty_pages, dirty);
	munmap(memory, LENGTH);
	close(file);
	close(node);
}

static void
dirty(void)
{
	released_dirty(0, LENGTH / PAGE);
}

static void
not_dirty(void)
{
	released_dirty(BUFALLOC_IMPORT_READ_ONLY, 0);
}

/* A caller that is killed amid a long range leaves nothing. */
static void
killed(void)
{
	const size_t length = (size_t)1 << 30;
	long long pins = user_pins();
	int node = ba_open();

	for (int i = 0; i < 5; i++) {
		int status, ready[2];
		double start;
		pid_t child;
		char byte;

		CHECK_EQ(pipe(ready), 0);
		child = fork();
		if (child == 0) {
			void *memory = user_anonymous(length, MAP_PRIVATE);

			CHECK_EQ(write(ready[1], "x", 1), 1);
			user_try_import(node, memory, length, 0);
			pause();
		}
		CHECK_EQ(read(ready[0], &byte, 1), 1);
		for (int n = 0; n <= i * 20; n++) {
			ktest_pause_1ms();
		}
		start = ktest_now();
		CHECK_EQ(kill(child, SIGKILL), 0);
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK(ktest_now() - start < 2);
		close(ready[0]);
		close(ready[1]);
		CHECK_WITHIN_1S(user_pins() == pins);
	}
	close(node);
}

static void
cycles(void)
{
	/* Where everything is watched, each takes a hundred times as long. */
	bool slow = access("/sys/kernel/debug/kmemleak", F_OK) == 0;
	const int cycles = slow ? 500 : 10000;
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	long long pins = user_pins();
	int node = ba_open();
	double start = ktest_now();

	for (int i = 0; i < cycles; i++) {
		size_t first = (size_t)i % 32;
		size_t pages = 1 + (size_t)(i * 7) % 32;

		close(user_import(node, memory + first * PAGE, pages * PAGE, 0));
	}
	ktest_note("%d imports in %.1f s", cycles, ktest_now() - start);
	CHECK_WITHIN_1S(ba_live("pinned_pages") == 0);
	ktest_figure("userptr_cycles_leaked_pins", (double)(user_pins() - pins));
	CHECK_EQ(user_pins(), pins);
	munmap(memory, LENGTH);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "fork-keeps-the-parents-pages", fork_keeps_the_parents },
	{ "after-fork-each-imports-its-own", each_imports_its_own },
	{ "shared-memory-over-fork", shared_memory_over_fork },
	{ "after-munmap", unmapped },
	{ "after-madvise-dontneed", thrown_away },
	{ "after-truncation", truncated },
	{ "after-exit-of-the-owner", owner_exited },
	{ "let-go-as-written-to", dirty },
	{ "read-only-let-go-as-it-was", not_dirty },
	{ "killed-amid-a-long-range", killed },
	{ "10000-imports-leave-no-pin", cycles },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
