// SPDX-License-Identifier: MIT
/*
 * Real DMA through IOMMUs: two devices in two domains and one that bypasses the
 * IOMMU, or for which it does nothing, as guest.sh makes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"

/* NV12, 1920x1080. */
#define FRAME ((uint64_t)1920 * 1080 * 3 / 2)
/* The last page comes from elsewhere than the blocks of 4 MiB before it. */
#define SCATTERED (((uint64_t)8 << 20) + 4096)

/* What makes CPU mappings of a dma-buf, and announces a CPU access. */
static const char *const cpu_functions[] = {
	"remap_pfn_range", "dma_buf_vmap", "vmap", "dma_buf_begin_cpu_access",
};
#define CPU_FUNCTIONS (sizeof(cpu_functions) / sizeof(cpu_functions[0]))

struct devices {
	int node;
	int inside[2];
	int outside;
};

/* Opens all; by what DEVICE_INFO says of them. */
static struct devices
open_devices(unsigned int outside_segments)
{
	struct devices devices = { .node = ba_open(), .outside = -1 };
	int count = 0;

	for (unsigned int i = 0; i < EDU_MAX; i++) {
		int edu = edu_try_open(i, EDU_ANY_SEGMENTS);
		struct bufalloc_device_info info;

		if (edu < 0) {
			continue;
		}
		info = edu_info(devices.node, edu);
		if (info.out_iommu == BUFALLOC_IOMMU_DMA && count < 2) {
			CHECK(info.out_flags & BUFALLOC_DEVICE_TRANSLATED);
			CHECK_EQ(info.out_iommu_granule, 4096);
			devices.inside[count++] = edu;
		} else if ((info.out_iommu == BUFALLOC_IOMMU_NONE ||
			    info.out_iommu == BUFALLOC_IOMMU_IDENTITY) &&
			   devices.outside < 0) {
			CHECK_EQ(info.out_flags & BUFALLOC_DEVICE_TRANSLATED, 0);
			CHECK_EQ(info.out_iommu_granule, 0);
			CHECK_EQ(ioctl(edu, BA_EDU_MAX_SEGMENTS,
				       outside_segments), 0);
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

static void
print_line(const char *text, void *data)
{
	(void)data;
	ktest_note("%.*s", (int)strcspn(text, "\n"), text);
}

/*
 * One device writes a frame, a device in another domain reads it, and nothing
 * maps it for the CPU until what was read is compared.
 */
static void
whole_frame(void)
{
	struct devices devices = open_devices(EDU_ANY_SEGMENTS);
	struct ba_outcome outcome = ba_alloc_for(devices.node, BUFALLOC_HEAP_AUTO,
					       FRAME, devices.inside, 2, 0);
	uint8_t *sent = malloc(FRAME), *seen = malloc(FRAME);
	struct ba_edu_import imports[2];
	unsigned int cpu_maps;
	unsigned long long va;
	uint8_t *data;
	bool same;

	CHECK(outcome.fd >= 0);
	CHECK(sent != NULL && seen != NULL);
	pattern_fill(sent, FRAME);
	memset(seen, 0, FRAME);

	trace_begin_all(cpu_functions, CPU_FUNCTIONS, "");
	for (int i = 0; i < 2; i++) {
		imports[i] = edu_import(devices.inside[i], outcome.fd);
		CHECK(imports[i].domain != BA_EDU_NO_DOMAIN);
	}
	edu_write(devices.inside[0], sent, 0, FRAME);
	edu_read(devices.inside[1], seen, 0, FRAME);
	va = ba_vmalloc_bytes();
	cpu_maps = trace_end(print_line, NULL);

	same = memcmp(sent, seen, FRAME) == 0;
	ktest_figure("edu_frame_verified", same);
	ktest_figure("edu_frame_cpu_maps", cpu_maps);
	CHECK(same);
	CHECK_EQ(cpu_maps, 0);
	CHECK_EQ(va, 0);
	CHECK_EQ(ba_buffer_info(devices.node, outcome.fd).out_kernel_maps_total, 0);
	CHECK(imports[0].domain != imports[1].domain);

	/* The control: the probes see the first CPU mapping that there is. */
	trace_begin_all(cpu_functions, CPU_FUNCTIONS, "");
	data = ba_map(outcome.fd, imports[0].length);
	CHECK(trace_end(NULL, NULL) > 0);
	CHECK_EQ(memcmp(data, sent, FRAME), 0);
	/* What lies behind the frame is still 0. */
	CHECK_EQ(first_nonzero(data + FRAME, imports[0].length - FRAME),
		 imports[0].length - FRAME);
	munmap(data, imports[0].length);
	close(outcome.fd);
	close_devices(&devices);
	free(sent);
	free(seen);
}

/* Behind the IOMMU one segment, without it as many as there are runs. */
static void
scattered(void)
{
	struct devices devices = open_devices(EDU_ANY_SEGMENTS);
	const int all[] = { devices.inside[0], devices.inside[1],
			    devices.outside };
	struct ba_outcome outcomes[16];
	struct ba_edu_import import;
	int chosen = -1;

	/* Neighbours may happen to be free: until one is scattered. */
	for (int i = 0; i < 16; i++) {
		outcomes[i] = ba_alloc_for(devices.node, BUFALLOC_HEAP_AUTO,
					SCATTERED, all, 3, 0);
		CHECK(outcomes[i].fd >= 0);
		CHECK_EQ(outcomes[i].verdict.out_heap, BUFALLOC_HEAP_SYSTEM);
		CHECK_EQ(outcomes[i].verdict.out_reason, BUFALLOC_REASON_NONE);
		CHECK_EQ(outcomes[i].verdict.out_limit, UINT64_MAX);
		if (outcomes[i].verdict.out_runs > 1) {
			chosen = i;
		}
	}
	CHECK(chosen >= 0);
	for (int i = 0; i < 3; i++) {
		const struct bufalloc_alloc_device *device =
			&outcomes[chosen].devices[i];

		CHECK_EQ(device->out_proof, BUFALLOC_PROOF_MAPPED);
		CHECK_EQ(device->out_segments,
			 i < 2 ? 1 : outcomes[chosen].verdict.out_runs);
		import = edu_import(all[i], outcomes[chosen].fd);
		CHECK_EQ(import.segments, device->out_segments);
	}
	CHECK(edu_spots_match(devices.inside[0], devices.outside, SCATTERED));
	CHECK(edu_spots_match(devices.outside, devices.inside[1], SCATTERED));
	for (int i = 0; i < 16; i++) {
		close(outcomes[i].fd);
	}
	close_devices(&devices);
}

/* Only a device without IOMMU needs one range for one segment. */
static void
one_segment_inside(void)
{
	struct devices devices = open_devices(EDU_ANY_SEGMENTS);
	struct ba_outcome outcome;

	CHECK_EQ(ioctl(devices.inside[0], BA_EDU_MAX_SEGMENTS, 1), 0);
	CHECK_EQ(edu_info(devices.node, devices.inside[0]).out_max_segments, 1);
	outcome = ba_alloc_for(devices.node, BUFALLOC_HEAP_AUTO, FRAME,
			    devices.inside, 1, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_SYSTEM);
	CHECK_EQ(edu_import(devices.inside[0], outcome.fd).segments, 1);
	close(outcome.fd);
	close_devices(&devices);
}

/* One device behind the IOMMU, one in another domain, and one outside. */
static void
inside_and_outside(void)
{
	struct devices devices = open_devices(1);
	const int all[] = { devices.inside[0], devices.outside,
			    devices.inside[1] };
	struct ba_outcome outcome = ba_alloc_for(devices.node, BUFALLOC_HEAP_AUTO,
					       FRAME, all, 3, 0);
	uint32_t domains[3];
	int distinct = 0;

	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_CONTIG);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ONE_SEGMENT);
	CHECK_EQ(outcome.verdict.out_device, 1);
	CHECK_EQ(outcome.verdict.out_runs, 1);
	for (int i = 0; i < 3; i++) {
		struct ba_edu_import import = edu_import(all[i], outcome.fd);
		bool known = import.domain == BA_EDU_NO_DOMAIN;

		CHECK_EQ(outcome.devices[i].out_proof, BUFALLOC_PROOF_MAPPED);
		CHECK_EQ(import.segments, 1);
		domains[i] = import.domain;
		for (int n = 0; n < i; n++) {
			known = known || domains[n] == import.domain;
		}
		distinct += !known;
	}
	CHECK_EQ(domains[1], BA_EDU_NO_DOMAIN);
	CHECK_EQ(ba_buffer_info(devices.node, outcome.fd).out_mappings, 3);
	ktest_figure("iommu_domains_in_one_buffer", distinct);
	CHECK_EQ(distinct, 2);
	CHECK(edu_spots_match(devices.outside, devices.inside[0], FRAME));
	CHECK(edu_spots_match(devices.inside[0], devices.inside[1], FRAME));
	CHECK(edu_spots_match(devices.inside[1], devices.outside, FRAME));
	close(outcome.fd);
	close_devices(&devices);
}

/* Refused before anything is tried. */
static void
never(int node, int edu, uint64_t length, uint32_t reason)
{
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, length, &edu, 1, 0);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, reason);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.verdict.out_tried, 0);
}

/* What makes one segment of many does not make it longer than the device's. */
static void
limits_of_one_segment(void)
{
	int node = ba_open();
	static const struct {
		unsigned int index;
		uint64_t limit;
		uint32_t reason;
	} cases[] = {
		{ 1, 4 << 20, BUFALLOC_REASON_SEGMENT_SIZE },
		{ 2, 2 << 20, BUFALLOC_REASON_BOUNDARY },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int edu = edu_open(cases[i].index, 1);
		struct bufalloc_device_info info = edu_info(node, edu);
		struct ba_outcome outcome;

		if (info.out_max_segment != cases[i].limit &&
		    info.out_segment_boundary != cases[i].limit - 1) {
			ktest_skip("ba_edu%u has no such limit",
				   cases[i].index);
		}
		outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, cases[i].limit,
				       &edu, 1, 0);
		CHECK(outcome.fd >= 0);
		CHECK_EQ(outcome.devices[0].out_segments, 1);
		CHECK_EQ(edu_import(edu, outcome.fd).segments, 1);
		CHECK(edu_spots_match(edu, edu, cases[i].limit));
		close(outcome.fd);
		edu_release(edu);
		never(node, edu, cases[i].limit + 1, cases[i].reason);
		close(edu);
	}
	close(node);
}

/* 28 bits of addresses: too few for a buffer, or used up by another. */
static void
addresses(void)
{
	const uint64_t length = (uint64_t)100 << 20;
	int node = ba_open();
	int edus[] = { edu_open(1, EDU_ANY_SEGMENTS),
		       edu_open(1, EDU_ANY_SEGMENTS) };
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, length);
	struct ba_outcome outcome;

	if (edu_info(node, edus[0]).out_dma_mask != (256 << 20) - 1) {
		ktest_skip("ba_edu1 has more than 28 bits");
	}
	never(node, edus[0], (256 << 20) + 1, BUFALLOC_REASON_ADDRESS);
	edu_import(edus[0], fd);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, length, &edus[1], 1, 0);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOMEM);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_MAP);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.devices[0].out_reason, BUFALLOC_REASON_MAP);
	edu_release(edus[0]);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, length, &edus[1], 1, 0);
	CHECK(outcome.fd >= 0);
	close(outcome.fd);
	close(fd);
	close(edus[0]);
	close(edus[1]);
	close(node);
}

/* The driver has an IOMMU domain of its own: nothing is needed, nor proven. */
static void
self_managed(void)
{
	int node = ba_open();
	int edu = edu_open(3, 1);
	struct bufalloc_device_info info = edu_info(node, edu);
	struct ba_outcome outcome;
	char own[64] = "";
	FILE *file = fopen("/sys/module/ba_edu/parameters/own_domain", "re");

	CHECK(file != NULL);
	CHECK(fgets(own, sizeof(own), file) != NULL);
	fclose(file);
	if (strncmp(own, "N,N,N,Y", 7) != 0) {
		ktest_skip("no device has a domain of its own");
	}
	CHECK_EQ(info.out_iommu, BUFALLOC_IOMMU_OTHER);
	CHECK(info.out_flags & BUFALLOC_DEVICE_SELF_MANAGED);
	CHECK_EQ(info.out_flags & BUFALLOC_DEVICE_TRANSLATED, 0);
	CHECK(info.out_iommu_granule > 0);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &edu, 1, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_SYSTEM);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_NONE);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_UNPROVEN);
	close(outcome.fd);
	/* What it reaches is not known, so it is what most devices reach. */
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_CONTIG, FRAME, &edu,
			       1, 0);
	CHECK(outcome.fd >= 0);
	CHECK(ba_address_of(outcome.fd, FRAME) < 1ull << 32);
	close(outcome.fd);
	close(edu);
	close(node);
}

/* After the unmap the device reaches nothing, and the IOMMU says so. */
static void
dma_after_unmap(void)
{
	struct devices devices = open_devices(EDU_ANY_SEGMENTS);
	int edu = devices.inside[0];
	struct ba_outcome outcome = ba_alloc_for(devices.node, BUFALLOC_HEAP_AUTO,
					       FRAME, &edu, 1, 0);
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	static uint8_t good[2048], evil[2048], seen[2048];

	CHECK(log >= 0);
	lseek(log, 0, SEEK_END);
	CHECK(outcome.fd >= 0);
	pattern_fill(good, sizeof(good));
	memset(evil, 0xee, sizeof(evil));

	edu_import(edu, outcome.fd);
	edu_write(edu, good, 0, sizeof(good));
	/* The control: while it is mapped, these addresses are the buffer's. */
	edu_read(edu, seen, 0, sizeof(seen));
	CHECK_EQ(memcmp(seen, good, sizeof(seen)), 0);
	edu_release(edu);
	CHECK_EQ(ba_buffer_info(devices.node, outcome.fd).out_mappings, 0);
	CHECK_EQ(edu_logged_faults(log), 0);

	edu_write_stale(edu, evil, 0, sizeof(evil));
	CHECK_WITHIN_1S(edu_logged_faults(log) & BUFALLOC_ACCESS_WRITE);
	/*
	 * It reads nothing of the buffer: what it has is what it had. A driver
	 * that has just logged many faults is silent for 5 s; each of these
	 * takes 100 ms.
	 */
	edu_logged_faults(log);
	for (int i = 0; !(edu_logged_faults(log) & BUFALLOC_ACCESS_READ); i++) {
		CHECK(i < 100);
		edu_read_stale(edu, seen, 0, sizeof(seen));
	}
	CHECK(memcmp(seen, good, sizeof(seen)) != 0);

	edu_import(edu, outcome.fd);
	edu_read(edu, seen, 0, sizeof(seen));
	CHECK_EQ(memcmp(seen, good, sizeof(seen)), 0);
	ktest_figure("dma_after_unmap_faulted", 1);
	close(log);
	close(outcome.fd);
	close_devices(&devices);
}

/* A device that sleeps is mapped for without being woken. */
static void
suspended(void)
{
	struct devices devices = open_devices(EDU_ANY_SEGMENTS);
	char path[128], status[16] = "";
	struct ba_outcome outcome;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power/runtime_status",
		 edu_pci_name(0));
	if (access(path, F_OK) != 0) {
		ktest_skip("this kernel has no runtime power management");
	}
	outcome = ba_alloc_for(devices.node, BUFALLOC_HEAP_AUTO, FRAME,
			    devices.inside, 2, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
	edu_import(devices.inside[0], outcome.fd);
	file = fopen(path, "re");
	CHECK(file != NULL);
	CHECK(fgets(status, sizeof(status), file) != NULL);
	fclose(file);
	CHECK_EQ(strcmp(status, "suspended\n"), 0);
	edu_import(devices.inside[1], outcome.fd);
	CHECK(edu_spots_match(devices.inside[0], devices.inside[1], FRAME));
	close(outcome.fd);
	close_devices(&devices);
}

/*
 * What the CPU may never map is zeroed all the same. It is given memory that
 * was somebody else's, and only a device can look.
 */
static void
never_cpu_is_zero(void)
{
	struct devices devices = open_devices(EDU_ANY_SEGMENTS);
	uint8_t *seen = malloc(FRAME);
	size_t nonzero;
	int fds[32], fd;

	CHECK(seen != NULL);
	for (int i = 0; i < 32; i++) {
		uint64_t length = (FRAME + 4095) & ~4095ull;
		void *data;

		fds[i] = ba_alloc(devices.node, BUFALLOC_HEAP_SYSTEM, FRAME);
		data = ba_map(fds[i], length);
		memset(data, 0xa5, length);
		munmap(data, length);
	}
	for (int i = 0; i < 32; i++) {
		close(fds[i]);
	}
	CHECK_WITHIN_1S(ba_live("buffers") == 0);

	fd = ba_alloc_with(devices.node, BUFALLOC_HEAP_SYSTEM, FRAME,
			   BUFALLOC_ATTRIBUTE_NEVER_CPU);
	edu_import(devices.inside[0], fd);
	memset(seen, 0xee, FRAME);
	edu_read(devices.inside[0], seen, 0, FRAME);
	nonzero = first_nonzero(seen, FRAME);
	close(fd);
	close_devices(&devices);
	free(seen);
	CHECK_EQ(nonzero, FRAME);
}

static const struct ktest_row rows[] = {
	{ "a-scattered-buffer-is-one-segment-behind-the-iommu", scattered },
	{ "a-one-segment-device-behind-the-iommu-takes-any-memory",
	  one_segment_inside },
	{ "one-outside-the-iommu-decides-for-contig", inside_and_outside },
	{ "limits-of-one-segment-enospc", limits_of_one_segment },
	{ "addresses-too-few-enospc-used-up-enomem", addresses },
	{ "the-driver-s-own-domain-proves-nothing", self_managed },
	{ "dma-after-unmap-faults-and-changes-nothing", dma_after_unmap },
	{ "a-suspended-device-is-mapped-for", suspended },
	{ "whole-frame-between-two-domains", whole_frame },
	{ "never-cpu-memory-is-zero-for-a-device", never_cpu_is_zero },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
