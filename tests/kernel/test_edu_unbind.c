// SPDX-License-Identifier: MIT
/*
 * A device loses its driver at every moment that there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"

#define LENGTH ((uint64_t)1 << 20)

static void
check_gone(int node, int edu)
{
	struct ba_outcome outcome;
	struct ba_edu_import import;
	struct bufalloc_device_info info = {
		.size = sizeof(info), .fd = edu, .access = BUFALLOC_ACCESS_READ,
	};

	CHECK_ERRNO(ENODEV, ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info));
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, LENGTH, &edu, 1, 0);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENODEV);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_UNBOUND);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.devices[0].out_reason, BUFALLOC_REASON_UNBOUND);
	CHECK_ERRNO(ENODEV, edu_try_import(edu, -1, &import));
}

static void
check_works(void)
{
	int node = ba_open();
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, LENGTH, &edu, 1, 0);

	CHECK(outcome.fd >= 0);
	edu_import(edu, outcome.fd);
	CHECK(edu_spots_match(edu, edu, LENGTH));
	close(outcome.fd);
	close(edu);
	close(node);
}

static void
before_alloc(void)
{
	const char *name = edu_pci_name(0);
	int node = ba_open();
	int edu = edu_open(0, EDU_ANY_SEGMENTS);

	edu_unbind(name);
	check_gone(node, edu);
	edu_bind(name);
	/* The open node is of what was there before. */
	check_gone(node, edu);
	close(edu);
	close(node);
	check_works();
}

static void
between_info_and_alloc(void)
{
	const char *name = edu_pci_name(0);
	int node = ba_open();
	int edu = edu_open(0, EDU_ANY_SEGMENTS);

	CHECK(edu_info(node, edu).out_dma_mask != 0);
	edu_unbind(name);
	check_gone(node, edu);
	edu_bind(name);
	close(edu);
	close(node);
	check_works();
}

/* The others keep what they have, and the memory keeps its bytes. */
static void
while_attached(void)
{
	const char *name = edu_pci_name(0);
	int node = ba_open();
	int edus[] = { edu_open(0, EDU_ANY_SEGMENTS),
		       edu_open(1, EDU_ANY_SEGMENTS) };
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, LENGTH, edus, 2, 0);
	static uint8_t sent[2048], seen[2048];
	struct bufalloc_buffer_info info;
	uint8_t *data;

	CHECK(outcome.fd >= 0);
	data = ba_map(outcome.fd, LENGTH);
	edu_import(edus[0], outcome.fd);
	edu_import(edus[1], outcome.fd);
	pattern_fill(sent, sizeof(sent));
	edu_write(edus[0], sent, 0, sizeof(sent));
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_mappings, 2);

	edu_unbind(name);
	info = ba_buffer_info(node, outcome.fd);
	CHECK_EQ(info.out_mappings, 1);
	CHECK_EQ(info.out_attachments, 1);
	check_gone(node, edus[0]);
	edu_read(edus[1], seen, 0, sizeof(seen));
	CHECK_EQ(memcmp(sent, seen, sizeof(seen)), 0);
	CHECK_EQ(memcmp(sent, data, sizeof(seen)), 0);

	/* What is bound now is another: it can attach as well. */
	edu_bind(name);
	close(edus[0]);
	edus[0] = edu_open(0, EDU_ANY_SEGMENTS);
	edu_import(edus[0], outcome.fd);
	edu_read(edus[0], seen, 0, sizeof(seen));
	CHECK_EQ(memcmp(sent, seen, sizeof(seen)), 0);
	munmap(data, LENGTH);
	close(outcome.fd);
	close(edus[0]);
	close(edus[1]);
	close(node);
}

/* One of several: the verdict names it. */
static void
one_of_two(void)
{
	const char *name = edu_pci_name(0);
	int node = ba_open();
	int edus[] = { edu_open(1, EDU_ANY_SEGMENTS),
		       edu_open(0, EDU_ANY_SEGMENTS) };
	struct ba_outcome outcome;

	edu_unbind(name);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, LENGTH, edus, 2, 0);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENODEV);
	CHECK_EQ(outcome.verdict.out_device, 1);
	CHECK_EQ(outcome.devices[0].out_error, 0);
	edu_bind(name);
	close(edus[0]);
	close(edus[1]);
	close(node);
}

/* Allocates until the pipe is closed. Return: how often it could. */
static int
allocate_until_closed(int node, int pipe_fd)
{
	int done = 0;
	char byte;

	while (read(pipe_fd, &byte, 1) < 0) {
		struct ba_outcome outcome;
		int edu = edu_try_open(0, EDU_ANY_SEGMENTS);

		if (edu < 0) {
			continue;
		}
		outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, LENGTH, &edu, 1, 0);
		if (outcome.fd >= 0) {
			done++;
			close(outcome.fd);
		} else {
			CHECK_EQ(outcome.verdict.out_error, -ENODEV);
		}
		close(edu);
	}
	return done;
}

static void
during_alloc(void)
{
	const char *name = edu_pci_name(0);
	int node = ba_open();
	int pipe_fds[2], status;
	pid_t child;

	CHECK_EQ(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		close(pipe_fds[1]);
		_exit(allocate_until_closed(node, pipe_fds[0]) > 0 ? 0 : 1);
	}
	close(pipe_fds[0]);
	for (int i = 0; i < 50; i++) {
		edu_unbind(name);
		ktest_pause_1ms();
		edu_bind(name);
		ktest_pause_1ms();
	}
	close(pipe_fds[1]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(node);
	check_works();
}

static const struct ktest_row rows[] = {
	{ "before-alloc-enodev", before_alloc },
	{ "between-device-info-and-alloc-enodev", between_info_and_alloc },
	{ "one-of-two-is-named", one_of_two },
	{ "while-attached", while_attached },
	{ "during-alloc", during_alloc },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
