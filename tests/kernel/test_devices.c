// SPDX-License-Identifier: MIT
/*
 * Devices: what DEVICE_INFO says of a node, and ALLOC for several of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ktest.h"

static const uint64_t FRAME = 1920 * 1080 * 4;

static struct bufalloc_device_info
device_info(int node, int fd, uint32_t access)
{
	struct bufalloc_device_info info = {
		.size = sizeof(info), .fd = fd, .access = access,
	};

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info), 0);
	return info;
}

static void
info_errno(int expected, int node, int fd, uint32_t access)
{
	struct bufalloc_device_info info = {
		.size = sizeof(info), .fd = fd, .access = access,
	};

	CHECK_ERRNO(expected, ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info));
}

static void
info_of_vivid(void)
{
	bool contig = vivid_is_dma_contig();
	int node = ba_open();
	int camera = vivid_open();
	struct bufalloc_device_info info =
		device_info(node, camera, BUFALLOC_ACCESS_WRITE);

	CHECK_EQ(strcmp((char *)info.out_driver, "vivid"), 0);
	CHECK_EQ(strncmp((char *)info.out_name, "video", 5), 0);
	CHECK_EQ(info.out_found, BUFALLOC_FOUND_V4L2_QUEUE);
	if (contig) {
		CHECK_EQ(info.out_max_segments, 1);
		CHECK_EQ(info.out_dma_mask, UINT32_MAX);
		CHECK_EQ(info.out_flags & BUFALLOC_DEVICE_NO_DMA, 0);
		CHECK(info.out_flags & BUFALLOC_DEVICE_COHERENT);
		/* Of 4 GiB, some lies above what it reaches; of 2 none does. */
		CHECK_EQ((info.out_flags & BUFALLOC_DEVICE_COULD_BOUNCE) != 0,
			 sysconf(_SC_PHYS_PAGES) > 3l << (30 - 12));
	} else {
		CHECK_EQ(info.out_flags, BUFALLOC_DEVICE_NO_DMA |
						 BUFALLOC_DEVICE_NEEDS_VMAP);
		CHECK_EQ(info.out_dma_mask, 0);
	}
	CHECK_EQ(info.out_iommu, BUFALLOC_IOMMU_NONE);
	close(camera);
	close(node);
}

static void
info_of_drm(void)
{
	int node = ba_open();
	int vgem = drm_open_driver("vgem");
	int vkms = drm_open_driver("vkms");
	struct bufalloc_device_info info;

	info = device_info(node, vgem, BUFALLOC_ACCESS_READ);
	CHECK_EQ(strcmp((char *)info.out_driver, "vgem"), 0);
	CHECK_EQ(info.out_found, BUFALLOC_FOUND_DRM);
	CHECK_EQ(info.out_max_segments, BUFALLOC_ANY_SEGMENTS);
	CHECK_EQ(info.out_dma_mask, UINT64_MAX);
	CHECK_EQ(info.out_flags & BUFALLOC_DEVICE_NEEDS_VMAP, 0);

	info = device_info(node, vkms, BUFALLOC_ACCESS_READ);
	CHECK_EQ(strcmp((char *)info.out_driver, "vkms"), 0);
	CHECK(info.out_flags & BUFALLOC_DEVICE_NEEDS_VMAP);
	close(vgem);
	close(vkms);
	close(node);
}

static void
not_a_device(void)
{
	int node = ba_open();
	int camera = vivid_open();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int buffer = ba_alloc(node, BUFALLOC_HEAP_AUTO, 4096);

	info_errno(EBADF, node, -1, BUFALLOC_ACCESS_READ);
	info_errno(EBADF, node, 200, BUFALLOC_ACCESS_READ);
	info_errno(ENODEV, node, null, BUFALLOC_ACCESS_READ);
	info_errno(ENODEV, node, node, BUFALLOC_ACCESS_READ);
	info_errno(ENODEV, node, buffer, BUFALLOC_ACCESS_READ);
	info_errno(EINVAL, node, camera, 0);
	info_errno(EINVAL, node, camera, 4);
	close(buffer);
	close(null);
	close(camera);
	close(node);
}

static void
auto_for_camera_and_display(void)
{
	bool contig = vivid_is_dma_contig();
	int node = ba_open();
	int fds[] = { vivid_open(), drm_open_driver("vkms") };
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, fds, 2, 0);

	CHECK(outcome.fd >= 0);
	if (contig) {
		CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_CONTIG);
		CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ONE_SEGMENT);
		CHECK_EQ(outcome.verdict.out_device, 0);
		CHECK_EQ(outcome.verdict.out_limit, UINT32_MAX);
		CHECK_EQ(outcome.verdict.out_limit_device, 0);
		CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
		CHECK_EQ(outcome.devices[0].out_segments, 1);
	} else {
		CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_SYSTEM);
		CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_NONE);
		CHECK_EQ(outcome.verdict.out_device, BUFALLOC_NO_DEVICE);
		CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_VMAPPED);
	}
	CHECK_EQ(outcome.devices[1].out_proof, BUFALLOC_PROOF_MAPPED);
	/* The trial leaves nothing. */
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_mappings, 0);
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	close(outcome.fd);
	close(fds[0]);
	close(fds[1]);
	close(node);
}

/*
 * A heap that the caller insists on, and that the camera cannot use. Now and
 * then scattered memory happens to be one range, so several are tried.
 */
static void
system_for_one_segment(void)
{
	struct ba_outcome outcomes[32];
	int node = ba_open();
	int camera = vivid_open();
	int refused = 0;

	for (int i = 0; i < 32; i++) {
		outcomes[i] = ba_alloc_for(node, BUFALLOC_HEAP_SYSTEM, FRAME,
					&camera, 1, 0);
		if (outcomes[i].fd >= 0) {
			CHECK_EQ(outcomes[i].devices[0].out_segments, 1);
			continue;
		}
		refused++;
		CHECK_EQ(outcomes[i].verdict.out_error, -ENOSPC);
		CHECK_EQ(outcomes[i].verdict.out_device, 0);
		CHECK_EQ(outcomes[i].verdict.out_reason,
			 BUFALLOC_REASON_ONE_SEGMENT);
		CHECK_EQ(outcomes[i].verdict.out_tried,
			 1 << BUFALLOC_HEAP_SYSTEM);
		CHECK(outcomes[i].devices[0].out_segments > 1);
		CHECK_EQ(outcomes[i].devices[0].out_proof, BUFALLOC_PROOF_NONE);
	}
	for (int i = 0; i < 32; i++) {
		if (outcomes[i].fd >= 0) {
			close(outcomes[i].fd);
		}
	}
	CHECK(refused > 0);
	close(camera);
	close(node);
}

static void
dry_run(void)
{
	int node = ba_open();
	int camera = vivid_open();
	struct ba_outcome outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME,
					   &camera, 1, BUFALLOC_ALLOC_DRY_RUN);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, 0);
	CHECK(outcome.devices[0].out_proof != BUFALLOC_PROOF_NONE);
	CHECK_EQ(ba_live("buffers"), 0);
	close(camera);
	close(node);
}

static void
same_device_twice(void)
{
	int node = ba_open();
	int fds[] = { drm_open_driver("vgem"), 0 };
	struct ba_outcome outcome;

	fds[1] = fds[0];
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, fds, 2, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
	CHECK_EQ(outcome.devices[1].out_proof, BUFALLOC_PROOF_MAPPED);
	close(outcome.fd);
	close(fds[0]);
	close(node);
}

static void
too_many_devices(void)
{
	struct bufalloc_alloc_device devices[BUFALLOC_MAX_DEVICES + 1] = { 0 };
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = 4096,
		.fd_flags = O_RDWR,
		.device_count = BUFALLOC_MAX_DEVICES + 1,
		.devices = (uintptr_t)devices,
	};
	int node = ba_open();

	CHECK_ERRNO(E2BIG, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	alloc.device_count = UINT32_MAX;
	CHECK_ERRNO(E2BIG, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	alloc.device_count = 1;
	alloc.devices = 0;
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	close(node);
}

/* The verdict says which of the fds it was. */
static void
bad_device_among_good_ones(void)
{
	int node = ba_open();
	int fds[] = { drm_open_driver("vgem"), node, drm_open_driver("vkms") };
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, fds, 3, 0);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENODEV);
	CHECK_EQ(outcome.verdict.out_device, 1);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_NOT_A_DEVICE);
	CHECK_EQ(outcome.devices[1].out_error, -ENODEV);
	CHECK_EQ(outcome.devices[0].out_error, 0);
	close(fds[0]);
	close(fds[2]);
	close(node);
}

/* No free memory makes it fit below 4 GiB: ENOSPC, not ENOMEM. */
static void
longer_than_the_device_reaches(void)
{
	int node = ba_open();
	int camera = vivid_open();
	struct ba_outcome outcome;

	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, (4ull << 30) + 1, &camera,
			    1, 0);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ADDRESS);
	CHECK_EQ(outcome.verdict.out_device, 0);
	close(camera);
	close(node);
}

static void
verdict_sizes(void)
{
	struct {
		struct bufalloc_alloc_verdict verdict;
		uint8_t tail[8];
	} longer = { .verdict.size = sizeof(longer) };
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.flags = BUFALLOC_ALLOC_DRY_RUN,
		.length = 4096,
		.fd_flags = O_RDWR,
		.verdict = (uintptr_t)&longer,
	};
	int node = ba_open();

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	CHECK_EQ(longer.verdict.out_heap, BUFALLOC_HEAP_SYSTEM);
	longer.tail[7] = 1;
	longer.verdict = (struct bufalloc_alloc_verdict){ .size = sizeof(longer) };
	CHECK_ERRNO(E2BIG, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	longer.tail[7] = 0;
	/* The first version ended before out_attributes. */
	longer.verdict.size =
		offsetof(struct bufalloc_alloc_verdict, out_attributes);
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	CHECK_EQ(longer.verdict.out_heap, BUFALLOC_HEAP_SYSTEM);
	longer.verdict.size--;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	longer.verdict = (struct bufalloc_alloc_verdict){
		.size = sizeof(longer.verdict), .__reserved = 1 };
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	longer.verdict.__reserved = 0;
	longer.verdict.__reserved2 = 1;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	longer.verdict.__reserved2 = 0;
	longer.verdict.__reserved3 = 1;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	alloc.verdict = 8;
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	close(node);
}

#define ROWS \
	{ "device-info-of-vivid", info_of_vivid }, \
	{ "device-info-of-vgem-and-vkms", info_of_drm }, \
	{ "not-a-device-ebadf-enodev-einval", not_a_device }, \
	{ "auto-heap-for-camera-and-display", auto_for_camera_and_display }, \
	{ "dry-run-leaves-nothing", dry_run }, \
	{ "same-device-twice", same_device_twice }, \
	{ "too-many-devices-e2big", too_many_devices }, \
	{ "bad-device-among-good-ones-enodev", bad_device_among_good_ones }, \
	{ "verdict-sizes", verdict_sizes }

static const struct ktest_row vmalloc_rows[] = { ROWS };

/* A camera with limits: one segment, 32 bits. */
static const struct ktest_row dma_contig_rows[] = {
	ROWS,
	{ "system-for-a-one-segment-device-enospc", system_for_one_segment },
	{ "longer-than-the-device-reaches-enospc",
	  longer_than_the_device_reaches },
};

int
main(void)
{
	if (vivid_is_dma_contig()) {
		return ktest_main(dma_contig_rows, sizeof(dma_contig_rows) /
							   sizeof(dma_contig_rows[0]));
	}
	return ktest_main(vmalloc_rows,
			  sizeof(vmalloc_rows) / sizeof(vmalloc_rows[0]));
}
