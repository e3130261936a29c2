// SPDX-License-Identifier: MIT
/*
 * Everything that the core module does for user space and for importers, with each
 * of its allocations and copies failing once, and with all failing from there on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <xf86drm.h>

#include "edu.h"
#include "faults.h"
#include "fwfile.h"
#include "ktest.h"
#include "modules/ba_importer.h"
#include "user.h"

#define LENGTH ((size_t)256 << 10)
/* Longer than the page allocator's largest block. */
#define RANGE ((size_t)5 << 20)

/* What an operation works on. */
static int node, fd = -1, made = -1, other = -1;
static void *data;

static void
prepare_node(void)
{
	node = ba_open();
}

static void
prepare_buffer(void)
{
	prepare_node();
	fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
}

static void
prepare_uncached(void)
{
	prepare_node();
	fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, LENGTH,
			   BUFALLOC_ATTRIBUTE_WRITE_COMBINE);
}

static void
prepare_pinnable(void)
{
	prepare_node();
	fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, LENGTH,
			   BUFALLOC_ATTRIBUTE_PINNABLE);
}

static void
undo(void)
{
	if (data != NULL) {
		munmap(data, LENGTH);
		data = NULL;
	}
	faults_close(&made);
	faults_close(&other);
	faults_close(&fd);
	close(node);
}

static int
run_open(void)
{
	int again = open("/dev/bufalloc", O_RDWR | O_CLOEXEC);

	if (again < 0) {
		return errno;
	}
	return faults_errno(close(again));
}

static int
run_info(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };

	return faults_errno(ioctl(node, BUFALLOC_IOCTL_INFO, &info));
}

static int
run_buffer_info(void)
{
	struct bufalloc_buffer_info info = { .size = sizeof(info), .fd = fd };

	return faults_errno(ioctl(node, BUFALLOC_IOCTL_BUFFER_INFO, &info));
}

/* ALLOC, also for devices. The fd is undo()'s. */
static int
alloc_for(uint32_t heap, size_t length, uint64_t attributes, uint32_t flags,
	  const int *fds, uint32_t count)
{
	struct bufalloc_alloc_device devices[BUFALLOC_MAX_DEVICES] = { 0 };
	struct bufalloc_alloc_verdict verdict = { .size = sizeof(verdict) };
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.flags = flags,
		.length = length,
		.heap = heap,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.device_count = count,
		.devices = count != 0 ? (uintptr_t)devices : 0,
		.verdict = (uintptr_t)&verdict,
		.attributes = attributes,
	};

	for (uint32_t i = 0; i < count; i++) {
		devices[i].fd = fds[i];
		devices[i].access = BUFALLOC_ACCESS_READ |
				    BUFALLOC_ACCESS_WRITE;
	}
	if (ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc) != 0) {
		return errno;
	}
	made = alloc.out_fd;
	return 0;
}

static int
run_alloc_system(void)
{
	return alloc_for(BUFALLOC_HEAP_SYSTEM, LENGTH, 0, 0, NULL, 0);
}

static int
run_alloc_block(void)
{
	return alloc_for(BUFALLOC_HEAP_CONTIG, LENGTH - 4096, 0, 0, NULL, 0);
}

static int
run_alloc_range(void)
{
	return alloc_for(BUFALLOC_HEAP_CONTIG, RANGE, 0, 0, NULL, 0);
}

static int
run_alloc_write_combine(void)
{
	return alloc_for(BUFALLOC_HEAP_SYSTEM, LENGTH,
			 BUFALLOC_ATTRIBUTE_WRITE_COMBINE, 0, NULL, 0);
}

static int
run_alloc_pinnable(void)
{
	return alloc_for(BUFALLOC_HEAP_SYSTEM, LENGTH,
			 BUFALLOC_ATTRIBUTE_PINNABLE, 0, NULL, 0);
}

/* Behind the IOMMU, and by the CPU. */
static int device_fds[2];

static void
prepare_devices(void)
{
	prepare_node();
	device_fds[0] = edu_open(1, EDU_ANY_SEGMENTS);
	device_fds[1] = vivid_open();
}

static void
undo_devices(void)
{
	close(device_fds[0]);
	close(device_fds[1]);
	undo();
}

static int
run_alloc_devices(void)
{
	return alloc_for(BUFALLOC_HEAP_AUTO, LENGTH, 0, 0, device_fds, 2);
}

static int
run_alloc_dry(void)
{
	return alloc_for(BUFALLOC_HEAP_AUTO, LENGTH, 0, BUFALLOC_ALLOC_DRY_RUN,
			 device_fds, 2);
}

static int
run_device_info(void)
{
	struct bufalloc_device_info info = {
		.size = sizeof(info),
		.access = BUFALLOC_ACCESS_READ,
	};

	for (int i = 0; i < 2; i++) {
		info.fd = device_fds[i];
		if (ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info) != 0) {
			return errno;
		}
	}
	return 0;
}

static void
prepare_memory(void)
{
	prepare_node();
	data = user_anonymous(LENGTH, MAP_PRIVATE);
}

static void
prepare_memory_and_devices(void)
{
	prepare_devices();
	data = user_anonymous(LENGTH, MAP_PRIVATE);
}

static int
import_for(uint32_t flags, const int *fds, uint32_t count)
{
	struct bufalloc_alloc_device devices[BUFALLOC_MAX_DEVICES] = { 0 };
	struct bufalloc_alloc_verdict verdict = { .size = sizeof(verdict) };
	struct bufalloc_import_user import = user_request(data, LENGTH, flags);

	import.devices = count != 0 ? (uintptr_t)devices : 0;
	import.device_count = count;
	import.verdict = (uintptr_t)&verdict;
	for (uint32_t i = 0; i < count; i++) {
		devices[i].fd = fds[i];
		devices[i].access = BUFALLOC_ACCESS_READ;
	}
	if (ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import) != 0) {
		return errno;
	}
	made = import.out_fd;
	return 0;
}

static int
run_import(void)
{
	return import_for(0, NULL, 0);
}

static int
run_import_read_only(void)
{
	return import_for(BUFALLOC_IMPORT_READ_ONLY, NULL, 0);
}

static int
run_import_devices(void)
{
	return import_for(0, device_fds, 2);
}

static void
prepare_mapped(void)
{
	prepare_buffer();
	data = ba_map(fd, LENGTH);
}

static int
run_sync_range(void)
{
	struct bufalloc_sync_range sync = {
		.size = sizeof(sync),
		.fd = fd,
		.flags = BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE,
		.length = 100,
	};
	int error = faults_errno(ioctl(node, BUFALLOC_IOCTL_SYNC_RANGE, &sync));

	if (error == 0) {
		sync.flags |= BUFALLOC_SYNC_END;
		error = faults_errno(
			ioctl(node, BUFALLOC_IOCTL_SYNC_RANGE, &sync));
	}
	return error;
}

static int
copy(uint32_t flags)
{
	static uint8_t bytes[3 * 4096];
	struct bufalloc_copy copy = {
		.size = sizeof(copy),
		.flags = flags,
		.fd = fd,
		.offset = 10,
		.length = sizeof(bytes),
		.address = (uintptr_t)bytes,
	};

	return faults_errno(ioctl(node, BUFALLOC_IOCTL_COPY, &copy));
}

static int
run_copy_out(void)
{
	return copy(0);
}

static int
run_copy_in(void)
{
	return copy(BUFALLOC_COPY_IN);
}

#define FIRMWARE "faults.bin"
#define FIRMWARE_LENGTH ((size_t)100000)

static void
prepare_firmware(void)
{
	fwfile_set_up();
	fwfile_make(FIRMWARE, FIRMWARE_LENGTH, 1);
	prepare_buffer();
}

/* Runs of a page, which are read by way of other memory. */
static void
prepare_scattered(void)
{
	fwfile_set_up();
	fwfile_make(FIRMWARE, FIRMWARE_LENGTH, 1);
	prepare_node();
	data = user_scattered(LENGTH);
	fd = user_import(node, data, LENGTH, 0);
}

static int
run_firmware(void)
{
	struct bufalloc_load_firmware load = {
		.size = sizeof(load),
		.fd = fd,
		.offset = 4097,
		.name = (uintptr_t)FIRMWARE,
	};

	if (ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &load) != 0) {
		return errno;
	}
	/* Half a file would be a lie. */
	return load.out_length == FIRMWARE_LENGTH ? 0 : EPROTO;
}

static int
run_mmap(void)
{
	void *map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 0);

	if (map == MAP_FAILED) {
		return errno;
	}
	data = map;
	return 0;
}

/*
 * The kernel touches the mapping: a process that does would try again for ever. What
 * it does with the byte is its own business.
 */
static int pipe_ends[2];

static void
prepare_page_fault(void)
{
	prepare_buffer();
	data = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(data != MAP_FAILED);
	CHECK_EQ(pipe(pipe_ends), 0);
}

static void
prepare_pinnable_fault(void)
{
	prepare_pinnable();
	data = ba_map(fd, LENGTH);
	CHECK_EQ(madvise(data, LENGTH, MADV_DONTNEED), 0);
	CHECK_EQ(pipe(pipe_ends), 0);
}

static void
undo_page_fault(void)
{
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	undo();
}

static int
run_page_fault(void)
{
	return write(pipe_ends[1], data, 1) == 1 ? 0 : errno;
}

static int
run_dmabuf_sync(void)
{
	struct dma_buf_sync sync = {
		.flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,
	};
	int error = faults_errno(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync));

	if (error == 0) {
		sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
		error = faults_errno(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync));
	}
	return error;
}

static int
run_dmabuf_name(void)
{
	return faults_errno(ioctl(fd, DMA_BUF_SET_NAME, "faults"));
}

static int
run_dmabuf_fences(void)
{
	struct dma_buf_export_sync_file out = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf_import_sync_file in = { .flags = DMA_BUF_SYNC_WRITE };

	if (ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &out) != 0) {
		return errno;
	}
	made = in.fd = out.fd;
	return faults_errno(ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &in));
}

/* A stand-in for importers: by a device, for reading only, by the CPU. */
static void
prepare_importer(void)
{
	prepare_buffer();
	other = open("/dev/ba_importer", O_RDWR | O_CLOEXEC);
	CHECK(other >= 0);
}

static int
import_as(uint32_t how, uint32_t device)
{
	struct ba_importer_import import = { .fd = fd, .how = how, .device = device };

	if (ioctl(other, BA_IMPORTER_IMPORT, &import) != 0) {
		return errno;
	}
	return faults_errno(ioctl(other, BA_IMPORTER_RELEASE));
}

static int
run_import_both(void)
{
	return import_as(BA_IMPORTER_BOTH, 0);
}

static int
run_import_reads(void)
{
	return import_as(BA_IMPORTER_READS, 2);
}

static int
run_vmap(void)
{
	return import_as(BA_IMPORTER_VMAP, 0);
}

/* Behind the IOMMU. */
static void
prepare_edu(void)
{
	prepare_buffer();
	other = edu_open(1, EDU_ANY_SEGMENTS);
}

static int
run_edu(void)
{
	struct ba_edu_import import;

	if (edu_try_import(other, fd, &import) != 0) {
		return errno;
	}
	return faults_errno(ioctl(other, BA_EDU_RELEASE));
}

static void
prepare_vgem(void)
{
	prepare_buffer();
	other = drm_open_driver("vgem");
}

static int
run_vgem(void)
{
	uint32_t handle;

	if (drmPrimeFDToHandle(other, fd, &handle) != 0) {
		return errno;
	}
	return faults_errno(drmCloseBufferHandle(other, handle));
}

/* From the open to the last close, in one go. */
static void
undo_nothing(void)
{
	faults_close(&made);
	faults_close(&other);
	faults_close(&node);
	if (data != NULL) {
		munmap(data, LENGTH);
		data = NULL;
	}
}

static int
run_life(void)
{
	int error;

	node = open("/dev/bufalloc", O_RDWR | O_CLOEXEC);
	if (node < 0) {
		return errno;
	}
	error = run_alloc_system();
	if (error != 0) {
		return error;
	}
	fd = made;
	other = open("/dev/ba_importer", O_RDWR | O_CLOEXEC);
	error = other < 0 ? errno : run_mmap();
	if (error == 0) {
		error = import_as(BA_IMPORTER_BOTH, 0);
	}
	if (error == 0) {
		error = run_dmabuf_sync();
	}
	fd = -1;
	/* That can fail, too. */
	if (data != NULL && munmap(data, LENGTH) == 0) {
		data = NULL;
	}
	faults_close(&made);
	faults_close(&other);
	return error;
}

FAULTS_ROW(sweep_open, "open", prepare_node, run_open, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_info, "INFO", prepare_node, run_info, undo, { EFAULT })
FAULTS_ROW(sweep_buffer_info, "BUFFER_INFO", prepare_buffer, run_buffer_info, undo,
	   { EFAULT })
FAULTS_ROW(sweep_device_info, "DEVICE_INFO", prepare_devices, run_device_info,
	   undo_devices, { EFAULT })
FAULTS_ROW(sweep_alloc_system, "ALLOC from system", prepare_node, run_alloc_system,
	   undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_alloc_block, "ALLOC from contig, a block", prepare_node,
	   run_alloc_block, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_alloc_range, "ALLOC from contig, a range", prepare_node,
	   run_alloc_range, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_alloc_write_combine, "ALLOC, write-combined", prepare_node,
	   run_alloc_write_combine, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_alloc_pinnable, "ALLOC, pinnable", prepare_node, run_alloc_pinnable,
	   undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_alloc_devices, "ALLOC for devices", prepare_devices,
	   run_alloc_devices, undo_devices, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_alloc_dry, "ALLOC for devices, dry", prepare_devices, run_alloc_dry,
	   undo_devices, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_import, "IMPORT_USER", prepare_memory, run_import, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_import_read_only, "IMPORT_USER, read-only", prepare_memory,
	   run_import_read_only, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_import_devices, "IMPORT_USER for devices", prepare_memory_and_devices,
	   run_import_devices, undo_devices, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_import_dmabuf, "IMPORT_USER of a dma-buf", prepare_mapped, run_import,
	   undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_sync_range, "SYNC_RANGE", prepare_buffer, run_sync_range, undo,
	   { EFAULT })
FAULTS_ROW(sweep_copy_out, "COPY out", prepare_buffer, run_copy_out, undo, { EFAULT })
FAULTS_ROW(sweep_copy_in, "COPY in", prepare_buffer, run_copy_in, undo, { EFAULT })
FAULTS_ROW(sweep_copy_uncached, "COPY in, write-combined", prepare_uncached,
	   run_copy_in, undo, FAULTS_NOTHING_LEFT)
/*
 * The kernel's firmware loader looks in its next folder when it has no memory to
 * look in one, and says ENOENT. In the middle of a file that is its end, and the
 * second reading finds another one: ESTALE.
 */
FAULTS_ROW(sweep_firmware, "LOAD_FIRMWARE", prepare_firmware, run_firmware, undo,
	   { ENOMEM, EFAULT, ENOENT, ESTALE })
FAULTS_ROW(sweep_firmware_scattered, "LOAD_FIRMWARE, scattered", prepare_scattered,
	   run_firmware, undo, { ENOMEM, EFAULT, ENOENT, ESTALE })
FAULTS_ROW(sweep_mmap, "mmap", prepare_buffer, run_mmap, undo, { ENOMEM })
FAULTS_ROW(sweep_mmap_pinnable, "mmap, pinnable", prepare_pinnable, run_mmap, undo,
	   { ENOMEM })
FAULTS_ROW(sweep_page_fault, "page fault", prepare_page_fault, run_page_fault,
	   undo_page_fault, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_pinnable_fault, "page fault, pinnable", prepare_pinnable_fault,
	   run_page_fault, undo_page_fault, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_dmabuf_sync, "DMA_BUF_IOCTL_SYNC", prepare_buffer, run_dmabuf_sync,
	   undo, { EFAULT })
FAULTS_ROW(sweep_dmabuf_name, "DMA_BUF_SET_NAME", prepare_buffer, run_dmabuf_name,
	   undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_dmabuf_fences, "sync files", prepare_buffer, run_dmabuf_fences, undo,
	   FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_import_both, "attach and map", prepare_importer, run_import_both,
	   undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_import_reads, "attach and map to read", prepare_importer,
	   run_import_reads, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_vmap, "vmap", prepare_importer, run_vmap, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_edu, "map behind the IOMMU", prepare_edu, run_edu, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_vgem, "import to vgem", prepare_vgem, run_vgem, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_life, "from open to close", NULL, run_life, undo_nothing,
	   FAULTS_NOTHING_LEFT)

static const struct ktest_row rows[] = {
	{ "open-and-close", sweep_open },
	{ "info", sweep_info },
	{ "buffer-info", sweep_buffer_info },
	{ "device-info", sweep_device_info },
	{ "alloc-from-system", sweep_alloc_system },
	{ "alloc-from-contig-a-block", sweep_alloc_block },
	{ "alloc-from-contig-a-range", sweep_alloc_range },
	{ "alloc-write-combined", sweep_alloc_write_combine },
	{ "alloc-pinnable", sweep_alloc_pinnable },
	{ "alloc-for-devices", sweep_alloc_devices },
	{ "alloc-dry-run", sweep_alloc_dry },
	{ "import-user", sweep_import },
	{ "import-user-read-only", sweep_import_read_only },
	{ "import-user-for-devices", sweep_import_devices },
	{ "import-user-of-a-dmabuf", sweep_import_dmabuf },
	{ "sync-range", sweep_sync_range },
	{ "copy-out", sweep_copy_out },
	{ "copy-in", sweep_copy_in },
	{ "copy-in-write-combined", sweep_copy_uncached },
	{ "load-firmware", sweep_firmware },
	{ "load-firmware-scattered", sweep_firmware_scattered },
	{ "mmap", sweep_mmap },
	{ "mmap-pinnable", sweep_mmap_pinnable },
	{ "page-fault", sweep_page_fault },
	{ "page-fault-pinnable", sweep_pinnable_fault },
	{ "dmabuf-sync", sweep_dmabuf_sync },
	{ "dmabuf-name", sweep_dmabuf_name },
	{ "dmabuf-sync-files", sweep_dmabuf_fences },
	{ "attach-and-map", sweep_import_both },
	{ "attach-and-map-to-read", sweep_import_reads },
	{ "vmap", sweep_vmap },
	{ "map-behind-the-iommu", sweep_edu },
	{ "import-to-vgem", sweep_vgem },
	{ "from-open-to-close", sweep_life },
	{ "nothing-is-leaked", faults_check_leaks },
	{ "totals", faults_keep },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
