// SPDX-License-Identifier: MIT
/*
 * Real DMA to memory of a process's own: two devices behind the IOMMU in domains
 * of their own, and one outside or for which the IOMMU does nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "user.h"

/* NV12, 1920x1080, in whole pages. */
#define FRAME ((size_t)1920 * 1080 * 3 / 2)
#define LENGTH ((FRAME + PAGE - 1) / PAGE * PAGE)
#define BOTH (BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE)
/* Bytes of a spot of edu_spots_match(). */
#define SPOT ((size_t)4096)

struct devices {
	int node;
	int inside[2];
	int outside;
};

static struct devices
open_devices(void)
{
	struct devices devices = { ba_open(), { -1, -1 }, -1 };
	int count = 0;

	for (unsigned int i = 0; i < EDU_MAX; i++) {
		int edu = edu_try_open(i, EDU_ANY_SEGMENTS);
		uint32_t iommu;

		if (edu < 0) {
			continue;
		}
		iommu = edu_info(devices.node, edu).out_iommu;
		if (iommu == BUFALLOC_IOMMU_DMA && count < 2) {
			devices.inside[count++] = edu;
		} else if ((iommu == BUFALLOC_IOMMU_NONE ||
			    iommu == BUFALLOC_IOMMU_IDENTITY) &&
			   devices.outside < 0) {
			devices.outside = edu;
		} else {
			close(edu);
		}
	}
	CHECK_EQ(count, 2);
	CHECK(devices.outside >= 0);
	return devices;
}

static void
close_devices(struct devices *devices)
{
	close(devices->inside[0]);
	close(devices->inside[1]);
	close(devices->outside);
	close(devices->node);
}

/*
 * A frame in anonymous memory, scattered: one segment for each device behind the
 * IOMMU. One reads all of it, the other writes into it, and nothing is copied.
 */
static void
whole_frame(void)
{
	struct devices devices = open_devices();
	uint8_t *memory = user_scattered(LENGTH);
	uint8_t *seen = calloc(1, LENGTH);
	struct ba_outcome outcome;
	struct ba_edu_import import;

	CHECK(seen != NULL);
	pattern_fill(memory, LENGTH);
	outcome = user_import_for(devices.node, memory, LENGTH, 0,
				  devices.inside, 2, BOTH);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_USER);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_CALLER);
	CHECK(outcome.verdict.out_runs > 1);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(outcome.devices[i].out_proof, BUFALLOC_PROOF_MAPPED);
		CHECK_EQ(outcome.devices[i].out_segments, 1);
		import = edu_import(devices.inside[i], outcome.fd);
		CHECK_EQ(import.segments, 1);
		CHECK_EQ(import.length, LENGTH);
		CHECK(import.domain != BA_EDU_NO_DOMAIN);
	}
	ktest_note("%u runs", outcome.verdict.out_runs);
	ktest_figure("userptr_segments_iommu", import.segments);

	edu_read(devices.inside[0], seen, 0, LENGTH);
	CHECK_EQ(memcmp(seen, memory, LENGTH), 0);
	for (size_t at = 0; at < LENGTH; at += 97 * PAGE) {
		memset(seen, (int)(at >> 12) + 1, SPOT / 2);
		edu_write(devices.inside[1], seen, at, SPOT / 2);
		CHECK_EQ(memcmp(memory + at, seen, SPOT / 2), 0);
	}
	munmap(memory, LENGTH);
	free(seen);
	close(outcome.fd);
	close_devices(&devices);
}

/* Without the IOMMU the verdict says how many segments. */
static void
outside(void)
{
	struct devices devices = open_devices();
	uint8_t *memory = user_scattered(LENGTH);
	const int all[] = { devices.outside, devices.inside[0] };
	struct ba_outcome outcome = user_import_for(devices.node, memory, LENGTH,
						    0, all, 2, BOTH);

	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.devices[0].out_segments, outcome.verdict.out_runs);
	CHECK_EQ(outcome.devices[1].out_segments, 1);
	CHECK_EQ(edu_import(devices.outside, outcome.fd).segments,
		 outcome.verdict.out_runs);
	edu_import(devices.inside[0], outcome.fd);
	CHECK(edu_spots_match(devices.outside, devices.inside[0], LENGTH));
	CHECK(edu_spots_match(devices.inside[0], devices.outside, LENGTH));
	munmap(memory, LENGTH);
	close(outcome.fd);
	close_devices(&devices);
}

/* A device that takes one segment and has no IOMMU: refused by name. */
static void
one_segment_outside(void)
{
	struct devices devices = open_devices();
	uint8_t *memory = user_scattered(LENGTH);
	const int all[] = { devices.inside[0], devices.outside };
	struct ba_outcome outcome;
	long long pins = user_pins();

	CHECK_EQ(ioctl(devices.outside, BA_EDU_MAX_SEGMENTS, 1), 0);
	outcome = user_import_for(devices.node, memory, LENGTH, 0, all, 2, BOTH);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ONE_SEGMENT);
	CHECK_EQ(outcome.verdict.out_device, 1);
	CHECK_EQ(outcome.devices[0].out_error, 0);
	CHECK(outcome.devices[1].out_segments > 1);
	CHECK_EQ(user_pins(), pins);
	/* One page is one segment. */
	outcome = user_import_for(devices.node, memory, PAGE, 0, all, 2, BOTH);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.devices[1].out_segments, 1);
	close(outcome.fd);
	munmap(memory, LENGTH);
	close_devices(&devices);
}

/*
 * What may only be read is mapped so: the device's write faults in the IOMMU, and
 * changes nothing.
 */
static void
read_only(void)
{
	struct devices devices = open_devices();
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	uint8_t *memory = user_scattered(LENGTH);
	static uint8_t bytes[SPOT / 2], seen[SPOT / 2];
	struct ba_edu_import import;
	struct ba_outcome outcome;
	int edu = devices.inside[0];

	CHECK(log >= 0);
	pattern_fill(memory, LENGTH);
	CHECK_EQ(mprotect(memory, LENGTH, PROT_READ), 0);
	outcome = user_import_for(devices.node, memory, LENGTH,
				  BUFALLOC_IMPORT_READ_ONLY, devices.inside, 2,
				  BOTH);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -EACCES);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_READ_ONLY);
	CHECK_EQ(outcome.verdict.out_device, 0);
	outcome = user_import_for(devices.node, memory, LENGTH,
				  BUFALLOC_IMPORT_READ_ONLY, devices.inside, 2,
				  BUFALLOC_ACCESS_READ);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
	CHECK_EQ(outcome.devices[0].out_segments, 1);

	CHECK_ERRNO(EACCES, edu_try_import(edu, outcome.fd, &import));
	CHECK_EQ(edu_try_import_to_read(edu, outcome.fd, &import), 0);
	lseek(log, 0, SEEK_END);
	memset(bytes, 0xee, sizeof(bytes));
	/*
	 * Before it reads: QEMU reports no fault for what it has translated. A
	 * driver that has just logged many faults is silent for 5 s.
	 */
	for (int i = 0; !(edu_logged_faults(log) & BUFALLOC_ACCESS_WRITE); i++) {
		CHECK(i < 100);
		edu_write(edu, bytes, 0, sizeof(bytes));
	}
	CHECK_EQ(pattern_mismatch(memory, LENGTH), LENGTH);
	edu_read(edu, seen, 0, sizeof(seen));
	CHECK_EQ(memcmp(seen, memory, sizeof(seen)), 0);
	edu_write(edu, bytes, 0, sizeof(bytes));
	CHECK_EQ(pattern_mismatch(memory, LENGTH), LENGTH);

	edu_release(edu);
	munmap(memory, LENGTH);
	close(log);
	close(outcome.fd);
	close_devices(&devices);
}

/* The device writes to the parent's memory, whatever a child does with its own. */
static void
fork_while_imported(void)
{
	struct devices devices = open_devices();
	uint8_t *memory = user_scattered(LENGTH);
	int edu = devices.inside[0];
	static uint8_t bytes[SPOT];
	struct ba_outcome outcome;
	int status;
	pid_t child;

	outcome = user_import_for(devices.node, memory, LENGTH, 0, &edu, 1, BOTH);
	CHECK(outcome.fd >= 0);
	edu_import(edu, outcome.fd);
	child = fork();
	if (child == 0) {
		memset(memory, 0xcc, LENGTH);
		pause();
	}
	/* The parent writes first: where its pages not pinned, it would copy. */
	memset(memory, 0x11, LENGTH);
	edu_read(edu, bytes, 5 * PAGE, SPOT);
	CHECK_EQ(memcmp(bytes, memory + 5 * PAGE, SPOT), 0);
	memset(bytes, 0x77, SPOT);
	edu_write(edu, bytes, 9 * PAGE, SPOT);
	CHECK_EQ(memcmp(bytes, memory + 9 * PAGE, SPOT), 0);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	munmap(memory, LENGTH);
	close(outcome.fd);
	close_devices(&devices);
}

/* Nobody has the memory any more but the device. */
static void
munmap_before_dma(void)
{
	struct devices devices = open_devices();
	uint8_t *memory = user_scattered(LENGTH);
	const int length = 64 * 1024;
	uint8_t *seen = calloc(1, LENGTH), *filler;
	int edu = devices.inside[0];
	struct ba_outcome outcome;

	pattern_fill(memory, LENGTH);
	outcome = user_import_for(devices.node, memory, LENGTH, 0, &edu, 1, BOTH);
	CHECK(outcome.fd >= 0);
	edu_import(edu, outcome.fd);
	munmap(memory, LENGTH);
	/* Were its pages free, these would be among them. */
	filler = user_anonymous(4 * LENGTH, MAP_PRIVATE);
	memset(filler, 0x99, 4 * LENGTH);
	edu_read(edu, seen, 0, (uint64_t)length);
	CHECK_EQ(pattern_mismatch(seen, (size_t)length), length);
	CHECK(edu_spots_match(edu, edu, LENGTH));
	for (size_t i = 0; i < 4 * LENGTH; i += PAGE) {
		CHECK_EQ(filler[i], 0x99);
	}
	munmap(filler, 4 * LENGTH);
	free(seen);
	close(outcome.fd);
	close_devices(&devices);
}

/* The owner imports, tells the device, and is gone. */
static void
exit_before_dma(void)
{
	struct devices devices = open_devices();
	int edu = devices.inside[0];
	uint8_t *seen = calloc(1, LENGTH);
	const size_t length = 64 * 1024;
	int status;
	pid_t child = fork();

	if (child == 0) {
		uint8_t *memory = user_scattered(LENGTH);

		pattern_fill(memory, LENGTH);
		edu_import(edu, user_import(devices.node, memory, LENGTH, 0));
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	edu_read(edu, seen, 0, length);
	CHECK_EQ(pattern_mismatch(seen, length), length);
	CHECK(edu_spots_match(edu, edu, LENGTH));
	free(seen);
	edu_release(edu);
	close_devices(&devices);
}

static const struct ktest_row rows[] = {
	{ "scattered-memory-is-one-segment-behind-the-iommu", whole_frame },
	{ "outside-the-iommu-it-is-as-many-as-runs", outside },
	{ "one-segment-outside-the-iommu-enospc", one_segment_outside },
	{ "a-write-to-read-only-memory-faults", read_only },
	{ "fork-while-imported", fork_while_imported },
	{ "munmap-before-dma", munmap_before_dma },
	{ "exit-before-dma", exit_before_dma },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
