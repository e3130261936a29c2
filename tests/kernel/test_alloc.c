// SPDX-License-Identifier: MIT
/*
 * Allocations that must fail: memory, limits, file descriptors, killed callers.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xf86drm.h>

#include "cgroup.h"
#include "ktest.h"

static const uint64_t MIB = 1 << 20;

static void
larger_than_memory(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };
	int node = ba_open();

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		CHECK_ERRNO(ENOMEM, ba_try_alloc(node, heap,
						 info.out_max_length + 1));
		CHECK_ERRNO(ENOMEM, ba_try_alloc(node, heap, INT64_MAX));
		CHECK_ERRNO(ENOMEM, ba_try_alloc(node, heap, UINT64_MAX));
		CHECK_ERRNO(ENOMEM, ba_try_alloc(node, heap, UINT64_MAX - 4095));
	}
	close(node);
}

/* All of the memory cannot be had; nobody may be killed for trying. */
static void
all_of_memory(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };
	int node = ba_open();

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	CHECK_ERRNO(ENOMEM, ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM,
					 info.out_max_length));
	close(node);
}

static void
contig_limit(void)
{
	unsigned long long limit = ba_get_parameter("contig_limit_bytes");
	struct bufalloc_info info = { .size = sizeof(info) };
	int node = ba_open();
	int fd, other;

	ba_set_parameter("contig_limit_bytes", 16 * MIB);
	fd = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, 12 * MIB);
	errno = 0;
	other = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, 5 * MIB);
	ba_set_parameter("contig_limit_bytes", limit);

	CHECK(fd >= 0);
	CHECK_EQ(other, -1);
	CHECK_EQ(errno, EDQUOT);
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	CHECK_EQ(info.out_contig_used, 12 * MIB);
	close(fd);

	/* Exactly the limit is allowed, one page more is not. */
	ba_set_parameter("contig_limit_bytes", 16 * MIB);
	CHECK_WITHIN_1S(ba_live("accounts") == 0);
	fd = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, 16 * MIB);
	other = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, 1);
	ba_set_parameter("contig_limit_bytes", limit);
	CHECK(fd >= 0);
	CHECK_EQ(other, -1);
	close(fd);
	close(node);
}

/* Two users do not share a limit, and one user has one over all processes. */
static void
contig_limit_is_per_user(void)
{
	unsigned long long limit = ba_get_parameter("contig_limit_bytes");
	int node = ba_open();
	int fd, status;
	pid_t child;

	ba_set_parameter("contig_limit_bytes", 16 * MIB);
	fd = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, 12 * MIB);
	child = fork();
	if (child == 0) {
		int own;

		if (ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, 12 * MIB) != -1 ||
		    errno != EDQUOT) {
			_exit(1);
		}
		if (syscall(SYS_setresuid, 1234, 1234, 1234) != 0) {
			_exit(2);
		}
		own = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, 12 * MIB);
		_exit(own >= 0 ? 0 : 3);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	ba_set_parameter("contig_limit_bytes", limit);
	CHECK(fd >= 0);
	close(fd);
	close(node);
	CHECK_EQ(status, 0);
}

static void
no_fd_left(void)
{
	struct rlimit old, limit;
	int node = ba_open();
	int ret, error;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	limit.rlim_cur = (rlim_t)node + 1;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ret = ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, 4096);
	error = errno;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK_EQ(ret, -1);
	CHECK_EQ(error, EMFILE);
	close(node);
}

static void
info_errno(int expected, int node, int fd)
{
	struct bufalloc_buffer_info info = { .size = sizeof(info), .fd = fd };

	CHECK_ERRNO(expected, ioctl(node, BUFALLOC_IOCTL_BUFFER_INFO, &info));
}

static void
buffer_info_of_others(void)
{
	struct drm_mode_create_dumb {
		uint32_t height, width, bpp, flags, handle, pitch;
		uint64_t size;
	} dumb = { .height = 16, .width = 16, .bpp = 32 };
	int node = ba_open();
	int card, fd;

	info_errno(EBADF, node, -1);
	info_errno(EBADF, node, 1000);
	info_errno(EINVAL, node, node);
	info_errno(EINVAL, node, 0);

	fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 4096);
	close(fd);
	info_errno(EBADF, node, fd);

	card = drm_open_driver("vgem");
	CHECK_EQ(drmIoctl(card, _IOWR('d', 0xB2, struct drm_mode_create_dumb),
			  &dumb),
		 0);
	CHECK_EQ(drmPrimeHandleToFD(card, dumb.handle, O_CLOEXEC, &fd), 0);
	info_errno(EOPNOTSUPP, node, fd);
	close(fd);
	close(card);
	close(node);
}

static void
in_cgroup(int (*run)(int node))
{
	int node = ba_open();
	int status;
	pid_t child = fork();

	if (child == 0) {
		cgroup_enter();
		_exit(run(node));
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	close(node);
	cgroup_remove();
	CHECK_EQ(status, 0);
}

static int
charged(int node)
{
	unsigned long long before = cgroup_read("memory.current");
	unsigned long long during;
	int fd = ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, 64 * MIB);

	if (fd < 0) {
		return 1;
	}
	during = cgroup_read("memory.current");
	ktest_note("memory.current %llu before, %llu during", before, during);
	return during < before + 64 * MIB;
}

static void
system_is_charged_to_the_cgroup(void)
{
	cgroup_make("512M");
	in_cgroup(charged);
}

/*
 * A block of 4 MiB may be cut for it (heap_system.c). Per-CPU reserves of the
 * cgroup are below 2 MiB.
 */
static int
charged_as_cut(int node)
{
	const unsigned long long length = 7 * MIB / 2;
	unsigned long long before = cgroup_read("memory.current");
	unsigned long long during;

	for (int i = 0; i < 64; i++) {
		close(ba_alloc(node, BUFALLOC_HEAP_SYSTEM, length));
	}
	for (int i = 0; i < 16; i++) {
		ba_alloc(node, BUFALLOC_HEAP_SYSTEM, length);
	}
	during = cgroup_read("memory.current");
	ktest_note("memory.current %llu before, %llu during", before, during);
	return during > before + 16 * length + 2 * MIB;
}

static void
cut_off_is_given_back(void)
{
	cgroup_make("512M");
	in_cgroup(charged_as_cut);
}

/*
 * Page by page, as they are given back; and what somebody has pinned stays charged
 * until that one lets it go.
 */
static int
charged_as_pinnable(int node)
{
	const unsigned long long length = 16 * MIB;
	unsigned long long before = cgroup_read("memory.current");
	unsigned long long during, pinned;
	int buffers = ba_live("buffers");
	int fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, length,
			       BUFALLOC_ATTRIBUTE_PINNABLE);
	struct iovec memory = { .iov_base = ba_map(fd, length),
				.iov_len = 4 * MIB };
	int ends[2];

	during = cgroup_read("memory.current");
	if (during < before + length || pipe(ends) != 0 ||
	    fcntl(ends[1], F_SETPIPE_SZ, 4 * MIB) < 0 ||
	    vmsplice(ends[1], &memory, 1, 0) != (ssize_t)memory.iov_len) {
		return 1;
	}
	munmap(memory.iov_base, length);
	close(fd);
	CHECK_WITHIN_1S(ba_live("buffers") == buffers);
	pinned = cgroup_read("memory.current");
	close(ends[0]);
	close(ends[1]);
	ktest_note("memory.current %llu before, %llu during, %llu pinned", before,
		   during, pinned);
	/* Per-CPU reserves of the cgroup are below 2 MiB. */
	if (pinned < before + memory.iov_len ||
	    pinned > before + memory.iov_len + 4 * MIB) {
		return 2;
	}
	CHECK_WITHIN_1S(cgroup_read("memory.current") <=
			before + 4 * MIB);
	return 0;
}

static void
pinnable_is_charged(void)
{
	cgroup_make("512M");
	in_cgroup(charged_as_pinnable);
}

static int
refused_by_cgroup(int node)
{
	int fd = ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, 64 * MIB);

	return fd != -1 || errno != ENOMEM;
}

/* ENOMEM, and the caller is still alive to see it. */
static void
cgroup_limit(void)
{
	cgroup_make("32M");
	in_cgroup(refused_by_cgroup);
}

/* A caller that is killed while it allocates, and one that holds buffers. */
static void
killed_callers(void)
{
	for (int i = 0; i < 20; i++) {
		int ready[2];
		char byte;
		pid_t child;
		double start;

		CHECK_EQ(pipe(ready), 0);
		child = fork();
		if (child == 0) {
			int node = ba_open();
			int fd;

			fd = ba_alloc(node, 1 + i % 2, 8294400);
			pattern_fill(ba_map(fd, 8294400), 8294400);
			CHECK_EQ(write(ready[1], "x", 1), 1);
			for (;;) {
				ba_try_alloc(node, 1 + i % 2, 200 * MIB);
				usleep(0);
			}
		}
		close(ready[1]);
		CHECK_EQ(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		/* At another place of the loop each time. */
		for (int wait = 0; wait < i; wait++) {
			ktest_pause_1ms();
		}
		start = ktest_now();
		kill(child, SIGKILL);
		CHECK_EQ(waitpid(child, NULL, 0), child);
		if (ktest_now() - start > 1) {
			ktest_note("killed caller took %.2f s to end",
				   ktest_now() - start);
		}
		CHECK_WITHIN_1S(ba_live("buffers") == 0);
	}
}

static const struct ktest_row rows[] = {
	{ "larger-than-memory-enomem", larger_than_memory },
	{ "all-of-memory-enomem-and-nobody-killed", all_of_memory },
	{ "contig-limit-edquot", contig_limit },
	{ "contig-limit-is-per-user", contig_limit_is_per_user },
	{ "no-fd-left-emfile", no_fd_left },
	{ "buffer-info-ebadf-einval-eopnotsupp", buffer_info_of_others },
	{ "system-is-charged-to-the-cgroup", system_is_charged_to_the_cgroup },
	{ "system-gives-back-what-it-cuts-off", cut_off_is_given_back },
	{ "pinnable-is-charged-until-nobody-has-it-pinned", pinnable_is_charged },
	{ "cgroup-limit-enomem", cgroup_limit },
	{ "killed-callers-leave-nothing", killed_callers },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
