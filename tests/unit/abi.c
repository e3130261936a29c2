/* SPDX-License-Identifier: MIT */
/*
 * The layout of the kernel ABI, written out: compiled, never run, for 64-bit
 * and 32-bit machines (abi.sh). A line here changes only when the ABI grows.
 */
#include <linux/bufalloc.h>
#include <stddef.h>

#define SIZE(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), "size of " #type)
#define FIELD(type, field, offset, bytes)                               \
	_Static_assert(offsetof(struct type, field) == (offset) &&      \
			       sizeof(((struct type *)0)->field) ==     \
				       (bytes),                         \
		       #type "." #field)

_Static_assert(BUFALLOC_IOCTL_INFO == 0xba00, "number of INFO");
_Static_assert(BUFALLOC_IOCTL_ALLOC == 0xba02, "number of ALLOC");
_Static_assert(BUFALLOC_IOCTL_IMPORT_USER == 0xba03, "number of IMPORT_USER");
_Static_assert(BUFALLOC_IOCTL_SYNC_RANGE == 0xba04, "number of SYNC_RANGE");
_Static_assert(BUFALLOC_IOCTL_COPY == 0xba05, "number of COPY");
_Static_assert(BUFALLOC_IOCTL_LOAD_FIRMWARE == 0xba06, "number of LOAD_FIRMWARE");
_Static_assert(BUFALLOC_IOCTL_BUFFER_INFO == 0xba07, "number of BUFFER_INFO");
_Static_assert(BUFALLOC_IOCTL_DEVICE_INFO == 0xba01, "number of DEVICE_INFO");
_Static_assert(BUFALLOC_HEAP_AUTO == 0, "number of heap auto");
_Static_assert(BUFALLOC_HEAP_SYSTEM == 1, "number of heap system");
_Static_assert(BUFALLOC_HEAP_CONTIG == 2, "number of heap contig");
_Static_assert(BUFALLOC_HEAP_RESERVED == 3, "number of heap reserved");
_Static_assert(BUFALLOC_HEAP_DEVICE == 4, "number of heap device");
_Static_assert(BUFALLOC_HEAP_USER == 5, "number of heap user");
_Static_assert(BUFALLOC_ATTRIBUTE_NEVER_CPU == 1, "bit of never-CPU");
_Static_assert(BUFALLOC_ATTRIBUTE_WRITE_COMBINE == 2, "bit of write-combined");
_Static_assert(BUFALLOC_ATTRIBUTE_UNCACHED == 4, "bit of uncached");
_Static_assert(BUFALLOC_ATTRIBUTE_CONTIGUOUS == 8, "bit of contiguous");
_Static_assert(BUFALLOC_ATTRIBUTE_PINNABLE == 16, "bit of pinnable");

SIZE(bufalloc_info, 56);
FIELD(bufalloc_info, size, 0, 4);
FIELD(bufalloc_info, flags, 4, 4);
FIELD(bufalloc_info, out_version, 8, 4);
FIELD(bufalloc_info, out_heaps, 12, 4);
FIELD(bufalloc_info, out_features, 16, 8);
FIELD(bufalloc_info, out_max_length, 24, 8);
FIELD(bufalloc_info, out_contig_limit, 32, 8);
FIELD(bufalloc_info, out_contig_used, 40, 8);
FIELD(bufalloc_info, out_attributes, 48, 8);

SIZE(bufalloc_device_info, 176);
FIELD(bufalloc_device_info, size, 0, 4);
FIELD(bufalloc_device_info, flags, 4, 4);
FIELD(bufalloc_device_info, fd, 8, 4);
FIELD(bufalloc_device_info, access, 12, 4);
FIELD(bufalloc_device_info, out_flags, 16, 4);
FIELD(bufalloc_device_info, out_found, 20, 4);
FIELD(bufalloc_device_info, out_dma_mask, 24, 8);
FIELD(bufalloc_device_info, out_coherent_mask, 32, 8);
FIELD(bufalloc_device_info, out_bus_limit, 40, 8);
FIELD(bufalloc_device_info, out_max_segment, 48, 8);
FIELD(bufalloc_device_info, out_segment_boundary, 56, 8);
FIELD(bufalloc_device_info, out_max_segments, 64, 4);
FIELD(bufalloc_device_info, out_iommu, 68, 4);
FIELD(bufalloc_device_info, out_iommu_granule, 72, 8);
FIELD(bufalloc_device_info, out_driver, 80, 32);
FIELD(bufalloc_device_info, out_name, 112, 64);

SIZE(bufalloc_alloc_device, 24);
FIELD(bufalloc_alloc_device, fd, 0, 4);
FIELD(bufalloc_alloc_device, access, 4, 4);
FIELD(bufalloc_alloc_device, out_proof, 8, 4);
FIELD(bufalloc_alloc_device, out_segments, 12, 4);
FIELD(bufalloc_alloc_device, out_error, 16, 4);
FIELD(bufalloc_alloc_device, out_reason, 20, 4);

SIZE(bufalloc_alloc_verdict, 64);
FIELD(bufalloc_alloc_verdict, size, 0, 4);
FIELD(bufalloc_alloc_verdict, out_error, 4, 4);
FIELD(bufalloc_alloc_verdict, out_heap, 8, 4);
FIELD(bufalloc_alloc_verdict, out_tried, 12, 4);
FIELD(bufalloc_alloc_verdict, out_reason, 16, 4);
FIELD(bufalloc_alloc_verdict, out_device, 20, 4);
FIELD(bufalloc_alloc_verdict, out_runs, 24, 4);
FIELD(bufalloc_alloc_verdict, __reserved, 28, 4);
FIELD(bufalloc_alloc_verdict, out_limit, 32, 8);
FIELD(bufalloc_alloc_verdict, out_limit_device, 40, 4);
FIELD(bufalloc_alloc_verdict, __reserved2, 44, 4);
FIELD(bufalloc_alloc_verdict, out_attributes, 48, 8);
FIELD(bufalloc_alloc_verdict, out_with_devices, 56, 4);
FIELD(bufalloc_alloc_verdict, __reserved3, 60, 4);

SIZE(bufalloc_alloc, 64);
FIELD(bufalloc_alloc, size, 0, 4);
FIELD(bufalloc_alloc, flags, 4, 4);
FIELD(bufalloc_alloc, length, 8, 8);
FIELD(bufalloc_alloc, heap, 16, 4);
FIELD(bufalloc_alloc, fd_flags, 20, 4);
FIELD(bufalloc_alloc, out_fd, 24, 4);
FIELD(bufalloc_alloc, device_count, 28, 4);
FIELD(bufalloc_alloc, devices, 32, 8);
FIELD(bufalloc_alloc, verdict, 40, 8);
FIELD(bufalloc_alloc, attributes, 48, 8);
FIELD(bufalloc_alloc, required, 56, 8);

SIZE(bufalloc_import_user, 72);
FIELD(bufalloc_import_user, size, 0, 4);
FIELD(bufalloc_import_user, flags, 4, 4);
FIELD(bufalloc_import_user, address, 8, 8);
FIELD(bufalloc_import_user, length, 16, 8);
FIELD(bufalloc_import_user, fd_flags, 24, 4);
FIELD(bufalloc_import_user, out_fd, 28, 4);
FIELD(bufalloc_import_user, device_count, 32, 4);
FIELD(bufalloc_import_user, out_flags, 36, 4);
FIELD(bufalloc_import_user, devices, 40, 8);
FIELD(bufalloc_import_user, verdict, 48, 8);
FIELD(bufalloc_import_user, out_offset, 56, 8);
FIELD(bufalloc_import_user, __reserved, 64, 8);

SIZE(bufalloc_sync_range, 32);
FIELD(bufalloc_sync_range, size, 0, 4);
FIELD(bufalloc_sync_range, flags, 4, 4);
FIELD(bufalloc_sync_range, fd, 8, 4);
FIELD(bufalloc_sync_range, __reserved, 12, 4);
FIELD(bufalloc_sync_range, offset, 16, 8);
FIELD(bufalloc_sync_range, length, 24, 8);

SIZE(bufalloc_copy, 48);
FIELD(bufalloc_copy, size, 0, 4);
FIELD(bufalloc_copy, flags, 4, 4);
FIELD(bufalloc_copy, fd, 8, 4);
FIELD(bufalloc_copy, __reserved, 12, 4);
FIELD(bufalloc_copy, offset, 16, 8);
FIELD(bufalloc_copy, length, 24, 8);
FIELD(bufalloc_copy, address, 32, 8);
FIELD(bufalloc_copy, out_copied, 40, 8);

SIZE(bufalloc_load_firmware, 40);
FIELD(bufalloc_load_firmware, size, 0, 4);
FIELD(bufalloc_load_firmware, flags, 4, 4);
FIELD(bufalloc_load_firmware, fd, 8, 4);
FIELD(bufalloc_load_firmware, __reserved, 12, 4);
FIELD(bufalloc_load_firmware, offset, 16, 8);
FIELD(bufalloc_load_firmware, name, 24, 8);
FIELD(bufalloc_load_firmware, out_length, 32, 8);

SIZE(bufalloc_buffer_info, 112);
FIELD(bufalloc_buffer_info, size, 0, 4);
FIELD(bufalloc_buffer_info, flags, 4, 4);
FIELD(bufalloc_buffer_info, fd, 8, 4);
FIELD(bufalloc_buffer_info, out_heap, 12, 4);
FIELD(bufalloc_buffer_info, out_length, 16, 8);
FIELD(bufalloc_buffer_info, out_runs, 24, 4);
FIELD(bufalloc_buffer_info, out_attachments, 28, 4);
FIELD(bufalloc_buffer_info, out_mappings, 32, 4);
FIELD(bufalloc_buffer_info, out_kernel_maps, 36, 4);
FIELD(bufalloc_buffer_info, out_kernel_va, 40, 8);
FIELD(bufalloc_buffer_info, out_user_maps, 48, 8);
FIELD(bufalloc_buffer_info, out_kernel_maps_total, 56, 8);
FIELD(bufalloc_buffer_info, out_cpu_accesses, 64, 8);
FIELD(bufalloc_buffer_info, out_syncs, 72, 8);
FIELD(bufalloc_buffer_info, out_alloc_ns, 80, 8);
FIELD(bufalloc_buffer_info, out_bounced, 88, 8);
FIELD(bufalloc_buffer_info, out_attributes, 96, 8);
FIELD(bufalloc_buffer_info, out_syncs_skipped, 104, 8);
