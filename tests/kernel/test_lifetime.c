// SPDX-License-Identifier: MIT
/*
 * The ladder: the module cannot be unloaded as long as anything of it is
 * alive, and can be as soon as that is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xf86drm.h>

#include "ktest.h"

#define LENGTH ((size_t)1 << 20)

static void
refused(void)
{
	/* EWOULDBLOCK is what O_NONBLOCK makes of a module in use. */
	CHECK_ERRNO(EWOULDBLOCK, ba_unload());
}

/* Within a second, because fput() is asynchronous; then it is loaded again. */
static void
allowed(void)
{
	CHECK_WITHIN_1S(ba_unload() == 0);
	CHECK_EQ(access("/dev/bufalloc", F_OK), -1);
	ba_load();
}

static void
node_open(void)
{
	int node = ba_open();

	refused();
	close(node);
	allowed();
}

static int
only_buffer(uint32_t heap)
{
	int node = ba_open();
	int fd = ba_alloc(node, heap, LENGTH);

	close(node);
	return fd;
}

static void
buffer_fd(void)
{
	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = only_buffer(heap);

		refused();
		close(fd);
		allowed();
	}
}

static void
buffer_dup(void)
{
	int fd = only_buffer(BUFALLOC_HEAP_SYSTEM);
	int other = dup(fd);

	close(fd);
	refused();
	close(other);
	allowed();
}

static void
fd_in_flight(void)
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
	int fd = only_buffer(BUFALLOC_HEAP_SYSTEM);
	int pair[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(pair[0], &message, 0), 1);
	close(fd);
	refused();
	/* Nobody ever receives it. */
	close(pair[0]);
	close(pair[1]);
	allowed();
}

static void
only_mmap(void)
{
	int fd = only_buffer(BUFALLOC_HEAP_CONTIG);
	void *data = ba_map(fd, LENGTH);

	close(fd);
	refused();
	munmap(data, LENGTH);
	allowed();
}

static void
in_epoll_set(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = only_buffer(BUFALLOC_HEAP_SYSTEM);
	int set = epoll_create1(EPOLL_CLOEXEC);

	CHECK(set >= 0);
	CHECK_EQ(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
	refused();
	close(fd);
	close(set);
	allowed();
}

static void
importer(void)
{
	int card = drm_open_driver("vgem");
	int fd = only_buffer(BUFALLOC_HEAP_SYSTEM);
	uint32_t handle;

	CHECK_EQ(drmPrimeFDToHandle(card, fd, &handle), 0);
	close(fd);
	refused();
	CHECK_EQ(drmCloseBufferHandle(card, handle), 0);
	allowed();
	close(card);
}

static void
held_by_another_process(void)
{
	int fd = only_buffer(BUFALLOC_HEAP_SYSTEM);
	int hold[2];
	pid_t child;

	CHECK_EQ(pipe(hold), 0);
	child = fork();
	if (child == 0) {
		char byte;

		close(hold[1]);
		_exit(read(hold[0], &byte, 1) != 0);
	}
	close(hold[0]);
	close(fd);
	refused();
	close(hold[1]);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	allowed();
}

static void
load_unload(void)
{
	for (int i = 0; i < 50; i++) {
		CHECK_WITHIN_1S(ba_unload() == 0);
		ba_load();
	}
}

static const struct ktest_row rows[] = {
	{ "node-open", node_open },
	{ "buffer-fd", buffer_fd },
	{ "dup-of-the-fd", buffer_dup },
	{ "fd-in-flight-over-a-socket", fd_in_flight },
	{ "only-an-mmap", only_mmap },
	{ "fd-in-an-epoll-set", in_epoll_set },
	{ "importer", importer },
	{ "held-by-another-process", held_by_another_process },
	{ "load-and-unload-50-times", load_unload },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
