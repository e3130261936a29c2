// SPDX-License-Identifier: MIT
/*
 * The general rules of the ioctls: sizes, tails, unknown bits, bad pointers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktest.h"

static const struct bufalloc_alloc valid = {
	.size = sizeof(struct bufalloc_alloc),
	.length = 4096,
	.heap = BUFALLOC_HEAP_SYSTEM,
	.fd_flags = O_RDWR | O_CLOEXEC,
};

/* A page and more, so that structures longer than the kernel's fit. */
static union {
	struct bufalloc_alloc alloc;
	struct bufalloc_info info;
	struct bufalloc_buffer_info buffer_info;
	uint8_t bytes[8192];
} arg;

static void
set_arg(const void *data, size_t length)
{
	memset(&arg, 0, sizeof(arg));
	memcpy(&arg, data, length);
}

/* ALLOC with one thing changed; must fail with that errno. */
static void
refused(int expected, struct bufalloc_alloc alloc)
{
	int node = ba_open();

	set_arg(&alloc, sizeof(alloc));
	CHECK_ERRNO(expected, ioctl(node, BUFALLOC_IOCTL_ALLOC, &arg));
	/* A failed call writes nothing. */
	CHECK(memcmp(&arg, &alloc, sizeof(alloc)) == 0);
	close(node);
}

static void
info_answers(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };
	uint32_t heaps = 1 << BUFALLOC_HEAP_SYSTEM | 1 << BUFALLOC_HEAP_CONTIG;
	int node = ba_open();

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	/* Devices have memory of their own by a devicetree. */
	if (access("/sys/firmware/devicetree/base", F_OK) == 0) {
		heaps |= 1 << BUFALLOC_HEAP_DEVICE;
	}
	CHECK_EQ(info.out_heaps, heaps);
	CHECK(info.out_version > 0);
	CHECK(info.out_max_length > 100 << 20);
	CHECK_EQ(info.out_contig_limit, ba_get_parameter("contig_limit_bytes"));
	CHECK_EQ(info.out_contig_used, 0);
	CHECK_EQ(info.out_features, 0);
	close(node);
}

static void
info_flags(void)
{
	struct bufalloc_info info = { .size = sizeof(info), .flags = 1 };
	int node = ba_open();

	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_INFO, &info));
	close(node);
}

static void
sizes_too_small(void)
{
	/* The first versions ended there. */
	const uint32_t alloc = offsetof(struct bufalloc_alloc, attributes);
	const uint32_t info = offsetof(struct bufalloc_info, out_attributes);
	int node = ba_open();

	for (uint32_t size = 0; size < alloc; size++) {
		set_arg(&valid, sizeof(valid));
		arg.alloc.size = size;
		CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &arg));
	}
	for (uint32_t size = 0; size < info; size++) {
		memset(&arg, 0, sizeof(arg));
		arg.info.size = size;
		CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_INFO, &arg));
	}
	close(node);
}

static void
sizes_longer_zero_tail(void)
{
	int node = ba_open();

	for (uint32_t more = 1; more <= 64; more++) {
		set_arg(&valid, sizeof(valid));
		arg.alloc.size = (uint32_t)sizeof(valid) + more;
		CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &arg), 0);
		CHECK_EQ(close(arg.alloc.out_fd), 0);
	}
	close(node);
}

static void
sizes_longer_nonzero_tail(void)
{
	int node = ba_open();

	for (uint32_t more = 1; more <= 64; more++) {
		set_arg(&valid, sizeof(valid));
		arg.alloc.size = (uint32_t)sizeof(valid) + more;
		arg.bytes[sizeof(valid) + more - 1] = 1;
		CHECK_ERRNO(E2BIG, ioctl(node, BUFALLOC_IOCTL_ALLOC, &arg));
	}
	close(node);
}

static void
size_over_a_page(void)
{
	int node = ba_open();

	set_arg(&valid, sizeof(valid));
	arg.alloc.size = 4097;
	CHECK_ERRNO(E2BIG, ioctl(node, BUFALLOC_IOCTL_ALLOC, &arg));
	arg.alloc.size = UINT32_MAX;
	CHECK_ERRNO(E2BIG, ioctl(node, BUFALLOC_IOCTL_ALLOC, &arg));
	close(node);
}

/* Only as many bytes as the caller has are written. */
static void
tail_is_not_written(void)
{
	int node = ba_open();

	memset(&arg, 0, sizeof(arg));
	arg.info.size = sizeof(arg.info);
	memset(arg.bytes + sizeof(arg.info), 0x5a, 64);
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &arg), 0);
	for (size_t i = 0; i < 64; i++) {
		CHECK_EQ(arg.bytes[sizeof(arg.info) + i], 0x5a);
	}
	close(node);
}

static void
unknown_flags(void)
{
	for (int bit = 0; bit < 32; bit++) {
		struct bufalloc_alloc alloc = valid;

		if ((1u << bit) & BUFALLOC_ALLOC_DRY_RUN) {
			continue;
		}
		alloc.flags = 1u << bit;
		refused(EINVAL, alloc);
	}
}

static void
unknown_fd_flags(void)
{
	for (int bit = 0; bit < 32; bit++) {
		struct bufalloc_alloc alloc = valid;

		if ((1u << bit) & (O_RDWR | O_CLOEXEC)) {
			continue;
		}
		alloc.fd_flags |= 1u << bit;
		refused(EINVAL, alloc);
	}
}

static void
devices_without_a_count(void)
{
	struct bufalloc_alloc alloc = valid;

	alloc.devices = 4096;
	refused(EINVAL, alloc);
}

static void
unknown_heaps(void)
{
	static const uint32_t heaps[] = { 6, 7, 31, 32, 255, INT32_MAX,
					  UINT32_MAX };

	for (size_t i = 0; i < sizeof(heaps) / sizeof(heaps[0]); i++) {
		struct bufalloc_alloc alloc = valid;

		alloc.heap = heaps[i];
		refused(EINVAL, alloc);
	}
}

static void
length_0(void)
{
	struct bufalloc_alloc alloc = valid;

	alloc.length = 0;
	refused(EINVAL, alloc);
}

static void
bad_pointers(void)
{
	int node = ba_open();

	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_ALLOC, NULL));
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_INFO, NULL));
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_BUFFER_INFO, NULL));
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_ALLOC, (void *)-4096L));
	close(node);
}

/* The structure ends on a page that is not there. */
static void
half_a_structure(void)
{
	uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int node = ba_open();
	uint8_t *at = pages + 4096 - 16;

	CHECK(pages != MAP_FAILED);
	CHECK_EQ(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	memcpy(at, &valid, 16);
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_ALLOC, at));
	munmap(pages, 8192);
	close(node);
}

/*
 * The answer cannot be written: no fd may be left (dma-heap leaves one), and
 * no memory.
 */
static void
answer_not_writable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int node = ba_open();
	int expected, next;

	CHECK(page != MAP_FAILED);
	memcpy(page, &valid, sizeof(valid));
	CHECK_EQ(mprotect(page, 4096, PROT_READ), 0);
	expected = dup(node);
	close(expected);
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_ALLOC, page));
	next = dup(node);
	CHECK_EQ(next, expected);
	close(next);
	munmap(page, 4096);
	close(node);
}

static void
unknown_calls(void)
{
	int node = ba_open();

	set_arg(&valid, sizeof(valid));
	/* Numbers without a call, the last number, one past the table. */
	CHECK_ERRNO(ENOTTY, ioctl(node, _IO(BUFALLOC_IOC_TYPE, 0x09), &arg));
	CHECK_ERRNO(ENOTTY, ioctl(node, _IO(BUFALLOC_IOC_TYPE, 0x08), &arg));
	CHECK_ERRNO(ENOTTY, ioctl(node, _IO(BUFALLOC_IOC_TYPE, 0xff), &arg));
	/* Ours, but another type or encoding. */
	CHECK_ERRNO(ENOTTY, ioctl(node, _IO('H', 0x02), &arg));
	CHECK_ERRNO(ENOTTY,
		    ioctl(node, _IOWR(BUFALLOC_IOC_TYPE, 0x02, valid), &arg));
	close(node);
}

static void
fd_flags_are_granted(void)
{
	struct bufalloc_alloc alloc = valid;
	int node = ba_open();

	alloc.fd_flags = O_RDONLY;
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	CHECK_EQ(fcntl(alloc.out_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_EQ(fcntl(alloc.out_fd, F_GETFD) & FD_CLOEXEC, 0);
	close(alloc.out_fd);

	alloc = valid;
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	CHECK_EQ(fcntl(alloc.out_fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_EQ(fcntl(alloc.out_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(alloc.out_fd);
	close(node);
}

static void
length_is_rounded_up(void)
{
	static const uint64_t lengths[][2] = {
		{ 1, 4096 },
		{ 4096, 4096 },
		{ 4097, 8192 },
		{ 8294400, 8294400 },
		{ 3110400, 3112960 },
	};
	int node = ba_open();

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
			int fd = ba_alloc(node, heap, lengths[i][0]);
			struct bufalloc_buffer_info info =
				ba_buffer_info(node, fd);

			CHECK_EQ(info.out_length, lengths[i][1]);
			CHECK_EQ(info.out_heap, heap);
			CHECK_EQ(lseek(fd, 0, SEEK_END), lengths[i][1]);
			close(fd);
		}
	}
	close(node);
}

static const struct ktest_row rows[] = {
	{ "info-answers", info_answers },
	{ "info-flags-einval", info_flags },
	{ "size-too-small-einval", sizes_too_small },
	{ "size-longer-zero-tail-works", sizes_longer_zero_tail },
	{ "size-longer-nonzero-tail-e2big", sizes_longer_nonzero_tail },
	{ "size-over-a-page-e2big", size_over_a_page },
	{ "bytes-past-the-callers-size-stay", tail_is_not_written },
	{ "each-unknown-flag-einval", unknown_flags },
	{ "each-unknown-fd-flag-einval", unknown_fd_flags },
	{ "devices-without-a-count-einval", devices_without_a_count },
	{ "unknown-heap-einval", unknown_heaps },
	{ "length-0-einval", length_0 },
	{ "bad-pointer-efault", bad_pointers },
	{ "half-a-structure-efault", half_a_structure },
	{ "answer-not-writable-efault-leaves-no-fd", answer_not_writable },
	{ "unknown-call-enotty", unknown_calls },
	{ "fd-flags-are-granted", fd_flags_are_granted },
	{ "length-is-rounded-up-to-pages", length_is_rounded_up },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
