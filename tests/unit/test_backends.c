/* SPDX-License-Identifier: MIT */
/* bufalloc_alloc(): which memory is taken, which is left and why. */
#include "scene.h"

#include <linux/bufalloc.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TRIES 6

struct attempt {
	const char *backend, *place;
	int error;
	int device;
	uint32_t reason;
};

struct row {
	const char *name;
	union {
		struct scene scene;
		struct {
			SCENE_FIELDS
		};
	};

	int ret;
	const char *backend, *place;
	bool is_contiguous;
	uint32_t memory_count; /* 0: 1 */
	uint32_t proofs[SCENE_MAX_DEVICES];
	int device;
	uint32_t reason;
	/* what was left, in order */
	struct attempt tries[MAX_TRIES];
	const char *text; /* a part of it */
	const char *without; /* not a part of it */
};

#define NO_MODULE { "bufalloc", "", -ENOENT, -1, BUFALLOC_WHY_OPEN }
#define NO_HEAPS { "dma-heap", "", -ENOENT, -1, BUFALLOC_WHY_OPEN }
#define NO_UDMABUF { "udmabuf", "", -ENOENT, -1, BUFALLOC_WHY_OPEN }
#define NO_DUMB { "dumb", "", -ENOENT, -1, BUFALLOC_WHY_OPEN }
#define NO_MEMFD { "memfd", "", -EOPNOTSUPP, -1, BUFALLOC_WHY_NO_DMABUF }

/* 63 bytes, and the end of a string */
#define LONGEST_NAME \
	"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddd"

#define ONLY_MODULE(name) { name, "", -EOPNOTSUPP, -1, BUFALLOC_WHY_ATTRIBUTE }

#define MAPPED BUFALLOC_PROOF_MAPPED
#define IMPORTED BUFALLOC_PROOF_IMPORTED
#define UNPROVEN BUFALLOC_PROOF_UNPROVEN

static const struct row rows[] = {
	/* no device: the first that is there */
	{ "the module", .machine = { MODULE, HEAPS(SYSTEM), .has_udmabuf = true },
	  .backend = "bufalloc", .place = "system", .device = -1,
	  .text = "bufalloc system was chosen" },
	{ "a heap", .machine = { HEAPS(CMA, SYSTEM), .has_udmabuf = true },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .tries = { NO_MODULE },
	  .text = "dma-heap system was chosen (left: bufalloc: not loaded" },
	{ "udmabuf", .machine = { .has_udmabuf = true },
	  .backend = "udmabuf", .place = "", .device = -1,
	  .tries = { NO_MODULE, NO_HEAPS } },
	{ "a memory file", .backend = "memfd", .place = "", .device = -1,
	  .tries = { NO_MODULE, NO_HEAPS, NO_UDMABUF, NO_DUMB },
	  .text = "memfd was chosen" },
	{ "a folder without heaps", .machine = { .has_heaps = true, .has_udmabuf = true },
	  .backend = "udmabuf", .place = "", .device = -1,
	  .tries = { NO_MODULE, NO_HEAPS } },

	/* the module */
	{ "the module for devices", .machine = { MODULE, HEAPS(SYSTEM) },
	  .devices = { VMALLOC, KMS },
	  .backend = "bufalloc", .place = "system", .device = -1,
	  .proofs = { IMPORTED, IMPORTED },
	  .text = "; video0 (simcam): imported, 1 segment; card0 (simkms): imported, 1 segment" },
	{ "the module finds contiguous memory", .machine = { MODULE, HEAPS(SYSTEM) },
	  .devices = { CONTIG, KMS },
	  .backend = "bufalloc", .place = "contig", .is_contiguous = true,
	  .proofs = { IMPORTED, IMPORTED }, .reason = BUFALLOC_REASON_ONE_SEGMENT,
	  .text = "contig was chosen because video0 (simcam) takes one segment and has no IOMMU" },
	{ "a device that manages its IOMMU itself", .machine = { MODULE },
	  .devices = { CAMERA(.formats = { NV12 }, .one_segment = true, .self_managed = true) },
	  .backend = "bufalloc", .place = "contig", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED },
	  .tries = { { "bufalloc", "auto", -EFAULT, 0, BUFALLOC_WHY_IMPORT } } },
	{ "the same in use: contiguous is safer", .machine = { MODULE },
	  .devices = { CAMERA(.formats = { NV12 }, .one_segment = true,
			      .self_managed = true, .in_use = true) },
	  .backend = "bufalloc", .place = "contig", .is_contiguous = true,
	  .device = -1, .proofs = { UNPROVEN },
	  .text = "but only an import proves that it works" },
	{ "the module's proof is enough", .machine = { MODULE, HEAPS(SYSTEM) },
	  .devices = { CAMERA(.formats = { NV12 }, .in_use = true) },
	  .backend = "bufalloc", .place = "system", .device = -1,
	  .proofs = { MAPPED } },
	{ "the module has no contiguous memory, CMA has",
	  .machine = { MODULE, .contig_left = 4096, HEAPS(SYSTEM, CMA) },
	  .devices = { CONTIG },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED },
	  .tries = { { "bufalloc", "auto", -ENOMEM, 0, BUFALLOC_REASON_MEMORY },
		     { "dma-heap", "system", -EFAULT, 0, BUFALLOC_WHY_IMPORT } },
	  .text = "dma-heap linux,cma was chosen (left: bufalloc auto: contig cannot be used: it has no memory left for 3110400 bytes that video0 (simcam) can use; " },
	{ "what the module proved of other memory is forgotten",
	  .machine = { MODULE, .contig_limited = true, HEAPS(SYSTEM, CMA) },
	  .devices = { CAMERA(.formats = { NV12 }, .in_use = true),
		       CAMERA(.name = "video1", .formats = { NV12 }, .one_segment = true,
			      .self_managed = true) },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .device = -1, .proofs = { 0, IMPORTED },
	  .tries = { { "bufalloc", "auto", -EFAULT, 1, BUFALLOC_WHY_IMPORT },
		     { "bufalloc", "contig", -EDQUOT, -1, BUFALLOC_REASON_LIMIT },
		     { "dma-heap", "system", -EFAULT, 1, BUFALLOC_WHY_IMPORT },
		     NO_UDMABUF, NO_DUMB, NO_MEMFD } },
	{ "the user's limit", .machine = { MODULE, .contig_limited = true },
	  .devices = { CONTIG }, .ret = -EDQUOT, .device = 0,
	  .reason = BUFALLOC_REASON_LIMIT,
	  .tries = { { "bufalloc", "auto", -EDQUOT, 0, BUFALLOC_REASON_LIMIT },
		     NO_HEAPS, NO_UDMABUF, NO_DUMB, NO_MEMFD },
	  .text = "contig_limit_bytes" },
	{ "the module does not know the device", .machine = { MODULE, HEAPS(SYSTEM) },
	  .length = 8192, .devices = { { BUFALLOC_READ } },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .tries = { { "bufalloc", "auto", -ENODEV, 0, BUFALLOC_REASON_NOT_A_DEVICE },
		     NO_UDMABUF, NO_DUMB, NO_MEMFD },
	  .text = "; /tmp/file: not tried" },
	{ "no permission on the module", .machine = { .module_errno = EACCES, HEAPS(SYSTEM) },
	  .devices = { VMALLOC },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .proofs = { IMPORTED },
	  .tries = { { "bufalloc", "", -EACCES, -1, BUFALLOC_WHY_OPEN } },
	  .text = "left: bufalloc: no permission on the device node" },
	{ "the module does not allocate", .machine = { MODULE, .module_alloc_errno = EINVAL,
	  HEAPS(SYSTEM) }, .devices = { VMALLOC },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .proofs = { IMPORTED },
	  .tries = { { "bufalloc", "auto", -EINVAL, -1, 0 } } },

	/* heaps */
	{ "system will do", .machine = { HEAPS(CMA, SYSTEM) },
	  .devices = { VMALLOC, KMS },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .proofs = { IMPORTED, IMPORTED }, .tries = { NO_MODULE } },
	{ "system is left, CMA is taken", .machine = { HEAPS(CMA, SYSTEM) },
	  .devices = { CONTIG, KMS },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED, IMPORTED },
	  .tries = { NO_MODULE, { "dma-heap", "system", -EFAULT, 0, BUFALLOC_WHY_IMPORT } },
	  .text = "dma-heap system: video0 (simcam) refuses it (EFAULT))" },
	{ "the display is the one that refuses", .machine = { HEAPS(SYSTEM, CMA) },
	  .devices = { VMALLOC, DISPLAY(.formats = { NV12 }, .one_segment = true) },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED, IMPORTED },
	  .tries = { NO_MODULE, { "dma-heap", "system", -EINVAL, 1, BUFALLOC_WHY_IMPORT } },
	  .text = "card0 (simkms) refuses it (EINVAL)" },
	{ "CMA is full", .machine = { HEAPS(SYSTEM, CMA_FULL) },
	  .devices = { CONTIG, KMS }, .ret = -ENOMEM, .device = 0,
	  .reason = BUFALLOC_REASON_MEMORY,
	  .tries = { NO_MODULE,
		     { "dma-heap", "system", -EFAULT, 0, BUFALLOC_WHY_IMPORT },
		     { "dma-heap", "linux,cma", -ENOMEM, -1, BUFALLOC_REASON_MEMORY },
		     NO_UDMABUF,
		     { "dumb", "card0 (simkms)", -EFAULT, 0, BUFALLOC_WHY_IMPORT },
		     NO_MEMFD },
	  .text = "no buffer for NV12 1920x1080 of 3110400 bytes: video0 (simcam) refuses scattered memory, and no other has so many bytes left (tried: " },
	{ "CMA is full: advice", .machine = { HEAPS(CMA_FULL) },
	  .devices = { CONTIG }, .ret = -ENOMEM, .device = -1,
	  .reason = BUFALLOC_REASON_MEMORY,
	  .text = "; ask for less, or free some, or enlarge CMA (cma= on the kernel's command line)" },
	{ "heaps by name", .machine = { HEAPS({ "zz", .is_contiguous = true },
	  { "reserved", .alloc_errno = EPERM }, { "system-uncached" }, { "aa", .open_errno = EACCES },
	  SYSTEM) },
	  .devices = { CONTIG },
	  .backend = "dma-heap", .place = "zz", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED },
	  .tries = { NO_MODULE,
		     { "dma-heap", "system", -EFAULT, 0, BUFALLOC_WHY_IMPORT },
		     { "dma-heap", "system-uncached", -EFAULT, 0, BUFALLOC_WHY_IMPORT },
		     { "dma-heap", "aa", -EACCES, -1, BUFALLOC_WHY_OPEN },
		     { "dma-heap", "reserved", -EPERM, -1, BUFALLOC_WHY_ALLOC } },
	  .text = "dma-heap aa: no permission on /dev/dma_heap/aa: join its group" },
	{ "a camera in use is not touched", .machine = { HEAPS(SYSTEM, CMA) },
	  .devices = { CAMERA(.formats = { NV12 }, .has_buffers = true) },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .device = -1, .tries = { NO_MODULE, NO_UDMABUF, NO_DUMB, NO_MEMFD },
	  .text = "; video0 (simcam): not tried" },
	{ "a camera in use by somebody else", .machine = { HEAPS(SYSTEM) },
	  .devices = { CAMERA(.formats = { NV12 }, .in_use = true) },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .tries = { NO_MODULE, NO_UDMABUF, NO_DUMB, NO_MEMFD } },
	{ "no trial: contiguous is safer", .machine = { HEAPS(SYSTEM, CMA) },
	  .flags = BUFALLOC_REQUEST_NO_TRIAL, .devices = { VMALLOC },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .device = -1, .tries = { NO_MODULE, NO_UDMABUF, NO_DUMB, NO_MEMFD } },
	{ "dry run", .machine = { HEAPS(SYSTEM) },
	  .flags = BUFALLOC_REQUEST_DRY_RUN, .devices = { VMALLOC },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .proofs = { IMPORTED }, .tries = { NO_MODULE } },
	{ "two dma-bufs", .machine = { HEAPS(SYSTEM, CMA) },
	  .devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE, .formats = { NM12 },
			      .one_segment = true, .extra = 100), KMS },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .memory_count = 2, .device = -1, .proofs = { IMPORTED, IMPORTED },
	  .tries = { NO_MODULE, { "dma-heap", "system", -EFAULT, 0, BUFALLOC_WHY_IMPORT } } },
	{ "two dma-bufs of the module", .machine = { MODULE },
	  .devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE, .formats = { NM12 }) },
	  .backend = "bufalloc", .place = "system", .memory_count = 2,
	  .device = -1, .proofs = { IMPORTED } },
	{ "room for one of two dma-bufs",
	  .machine = { HEAPS({ "system", .left = 2100000 }), .has_udmabuf = true },
	  .devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE, .formats = { NM12 }) },
	  .backend = "udmabuf", .place = "", .memory_count = 2,
	  .device = -1, .proofs = { IMPORTED },
	  .tries = { NO_MODULE,
		     { "dma-heap", "system", -ENOMEM, -1, BUFALLOC_REASON_MEMORY } } },

	/* udmabuf, dumb buffers, memory files */
	{ "udmabuf for devices", .machine = { .has_udmabuf = true },
	  .devices = { VMALLOC, KMS },
	  .backend = "udmabuf", .place = "", .device = -1,
	  .proofs = { IMPORTED, IMPORTED }, .tries = { NO_MODULE, NO_HEAPS } },
	{ "udmabuf takes no such length", .machine = { .has_udmabuf = true, .udmabuf_errno = EINVAL },
	  .length = 8192, .backend = "memfd", .place = "", .device = -1,
	  .tries = { NO_MODULE, NO_HEAPS, { "udmabuf", "", -EINVAL, -1, BUFALLOC_WHY_ALLOC }, NO_DUMB },
	  .text = "it takes no 8192 bytes: raise /sys/module/udmabuf/parameters/size_limit_mb" },
	{ "no permission on udmabuf", .machine = { .udmabuf_open_errno = EACCES },
	  .devices = { VMALLOC }, .ret = -EACCES, .device = -1,
	  .reason = BUFALLOC_WHY_OPEN,
	  .tries = { NO_MODULE, NO_HEAPS, { "udmabuf", "", -EACCES, -1, BUFALLOC_WHY_OPEN },
		     NO_DUMB, NO_MEMFD },
	  .text = "no permission on what could allocate it (tried: " },
	{ "dumb buffers", .devices = { CONTIG, DISPLAY(.formats = { NV12 }, .dumb_is_contiguous = true) },
	  .backend = "dumb", .place = "card0 (simkms)", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED, IMPORTED },
	  .tries = { NO_MODULE, NO_HEAPS, NO_UDMABUF } },
	{ "dumb buffers of the second display",
	  .devices = { DISPLAY(.formats = { NV12 }, .one_segment = true),
		       DISPLAY(.name = "card1", .formats = { NV12 }, .dumb_is_contiguous = true) },
	  .backend = "dumb", .place = "card1 (simkms)", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED, IMPORTED },
	  .tries = { NO_MODULE, NO_HEAPS, NO_UDMABUF,
		     { "dumb", "card0 (simkms)", -EINVAL, 0, BUFALLOC_WHY_IMPORT } } },
	{ "memory files are for no device", .devices = { VMALLOC }, .ret = -ENOENT,
	  .device = -1, .reason = BUFALLOC_WHY_OPEN,
	  .tries = { NO_MODULE, NO_HEAPS, NO_UDMABUF, NO_DUMB, NO_MEMFD },
	  .text = "nothing on this machine allocates it (tried: bufalloc: not loaded; dma-heap: /dev/dma_heap does not exist" },
	{ "no memory at all", .machine = { .memfd_errno = ENOMEM }, .length = 10,
	  .ret = -ENOMEM, .device = -1, .reason = BUFALLOC_REASON_MEMORY,
	  .text = "no buffer for 10 bytes: the memory ran out (tried: ",
	  .without = "enlarge CMA" },
	{ "no contiguous memory on trial, and none at the second try",
	  .machine = { HEAPS(SYSTEM, { "linux,cma", .is_contiguous = true, .left = 3112960 }) },
	  .devices = { CAMERA(.formats = { NV12 }, .in_use = true) },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .tries = { NO_MODULE, NO_UDMABUF, NO_DUMB, NO_MEMFD,
		     { "dma-heap", "linux,cma", -ENOMEM, -1, BUFALLOC_REASON_MEMORY } } },
	{ "the longest name of a heap", .machine = { HEAPS({ LONGEST_NAME }) },
	  .backend = "dma-heap", .place = LONGEST_NAME, .device = -1,
	  .tries = { NO_MODULE } },
	{ "a name that is too long", .machine = { HEAPS({ LONGEST_NAME "x" }), .has_udmabuf = true },
	  .backend = "udmabuf", .place = "", .device = -1,
	  .tries = { NO_MODULE, NO_HEAPS } },
	{ "a display that refuses to show what it imported", .machine = { HEAPS(SYSTEM) },
	  .devices = { DISPLAY(.formats = { NV12 }, .show_errno = ERANGE) },
	  .ret = -ENOSPC, .device = 0, .reason = BUFALLOC_WHY_SHOW },

	/* forced */
	{ "forced to a heap", .machine = { MODULE, HEAPS(SYSTEM) }, .backends = "dma-heap",
	  .devices = { VMALLOC },
	  .backend = "dma-heap", .place = "system", .device = -1, .proofs = { IMPORTED } },
	{ "forced in another order", .machine = { MODULE, HEAPS(SYSTEM), .has_udmabuf = true },
	  .backends = "memfd,udmabuf,bufalloc", .devices = { VMALLOC },
	  .backend = "udmabuf", .place = "", .device = -1, .proofs = { IMPORTED },
	  .tries = { NO_MEMFD } },
	{ "forced to what the device refuses", .machine = { HEAPS(CMA), .has_udmabuf = true },
	  .backends = "udmabuf", .devices = { CONTIG }, .ret = -ENOSPC, .device = 0,
	  .reason = BUFALLOC_WHY_IMPORT,
	  .tries = { { "udmabuf", "", -EFAULT, 0, BUFALLOC_WHY_IMPORT } },
	  .text = "video0 (simcam) refuses all there is (tried: udmabuf: video0 (simcam) refuses it (EFAULT))" },
	{ "forced to memory files, with a device", .backends = "memfd",
	  .devices = { VMALLOC }, .ret = -EOPNOTSUPP, .device = -1,
	  .reason = BUFALLOC_WHY_NO_DMABUF, .tries = { NO_MEMFD } },
	{ "forced to what is not there", .backends = "dma-heap,udmabuf",
	  .devices = { VMALLOC }, .ret = -ENOENT, .device = -1,
	  .reason = BUFALLOC_WHY_OPEN, .tries = { NO_HEAPS, NO_UDMABUF } },

	/* what only the module has */
	{ "a heap by name", .machine = { MODULE, HEAPS(SYSTEM) }, .heap = BUFALLOC_CONTIG,
	  .devices = { VMALLOC },
	  .backend = "bufalloc", .place = "contig", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED } },
	{ "a heap by name that a device cannot use", .machine = { MODULE, HEAPS(CMA) },
	  .heap = BUFALLOC_SYSTEM, .devices = { CONTIG }, .ret = -ENOSPC, .device = 0,
	  .reason = BUFALLOC_REASON_ONE_SEGMENT,
	  .text = "system cannot be used: video0 (simcam) takes one segment and has no IOMMU; try heap auto" },
	{ "a heap without the module", .machine = { HEAPS(SYSTEM) }, .heap = BUFALLOC_CONTIG,
	  .ret = -ENOENT, .device = -1, .reason = BUFALLOC_WHY_OPEN,
	  .tries = { NO_MODULE, ONLY_MODULE("dma-heap"), ONLY_MODULE("udmabuf"),
		     ONLY_MODULE("dumb"), ONLY_MODULE("memfd") },
	  .text = "load bufalloc.ko with 'modprobe bufalloc', as root" },
	{ "a required attribute without the module", .machine = { HEAPS(SYSTEM) },
	  .attributes = BUFALLOC_NEVER_CPU, .required = BUFALLOC_NEVER_CPU,
	  .ret = -ENOENT, .device = -1, .reason = BUFALLOC_WHY_OPEN },
	{ "a wanted attribute without the module", .machine = { HEAPS(SYSTEM) },
	  .attributes = BUFALLOC_NEVER_CPU,
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .tries = { NO_MODULE }, .text = "; never-cpu: not on this machine" },

	/* devices that take nothing */
	{ "a camera without dma-bufs", .machine = { HEAPS(SYSTEM, CMA) },
	  .devices = { CAMERA(.formats = { NV12 }, .no_dmabuf = true) },
	  .ret = -EOPNOTSUPP, .device = 0, .reason = BUFALLOC_WHY_NO_IMPORT,
	  .text = "video0 (simcam) takes no dma-bufs (tried: " },
	{ "a display without dma-bufs", .machine = { HEAPS(SYSTEM) },
	  .devices = { DISPLAY(.formats = { NV12 }, .no_import = true) },
	  .ret = -EOPNOTSUPP, .device = 0, .reason = BUFALLOC_WHY_NO_IMPORT },
	{ "a camera that is gone when it is tried", .machine = { HEAPS(SYSTEM) },
	  .devices = { CAMERA(.formats = { NV12 }, .prepare_errno = ENODEV) },
	  .ret = -ENOSPC, .device = 0, .reason = BUFALLOC_WHY_IMPORT },
	{ "a display that refuses each import", .machine = { HEAPS(SYSTEM) },
	  .devices = { DISPLAY(.formats = { NV12 }, .import_errno = EIO) },
	  .ret = -ENOSPC, .device = 0, .reason = BUFALLOC_WHY_IMPORT,
	  .text = "card0 (simkms) refuses it (EIO)" },
	{ "no layout", .machine = { HEAPS(SYSTEM) },
	  .devices = { CAMERA(.formats = { YUYV }) },
	  .ret = -EOPNOTSUPP, .device = 0, .reason = BUFALLOC_WHY_FORMAT,
	  .text = "no layout for NV12 1920x1080: video0 (simcam) does not take this format" },
	{ "bytes, as many as the camera is set to", .machine = { HEAPS(SYSTEM, CMA) },
	  .length = 640 * 480 * 2, .devices = { CONTIG },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED },
	  .tries = { NO_MODULE, { "dma-heap", "system", -EFAULT, 0, BUFALLOC_WHY_IMPORT } } },
	{ "bytes, fewer than the camera is set to", .machine = { HEAPS(SYSTEM) },
	  .length = 640 * 480, .devices = { VMALLOC },
	  .backend = "dma-heap", .place = "system", .device = -1,
	  .tries = { NO_MODULE, NO_UDMABUF, NO_DUMB, NO_MEMFD } },
	{ "a codec, both ways", .fourcc = XR24, .machine = { HEAPS(SYSTEM, CMA) },
	  .devices = { { BUFALLOC_READ_WRITE, .v4l2 = { .caps = V4L2_CAP_VIDEO_M2M,
		       .formats = { XR24 }, .one_segment = true } } },
	  .backend = "dma-heap", .place = "linux,cma", .is_contiguous = true,
	  .device = -1, .proofs = { IMPORTED },
	  .tries = { NO_MODULE, { "dma-heap", "system", -EFAULT, 0, BUFALLOC_WHY_IMPORT } } },
};

static void
check_tries(const struct row *row, const struct bufalloc_verdict *verdict)
{
	size_t count = bufalloc_verdict_get_try_count(verdict);
	size_t i, left = 0;

	for (i = 0; i < count; i++) {
		const struct bufalloc_try *try = bufalloc_verdict_get_try(verdict, i);
		const struct attempt *want = &row->tries[left];

		assert_int_equal(try->reserved, 0);
		if (try->error == 0) {
			assert_string_equal(try->text, "");
			assert_string_equal(try->backend, row->backend);
			continue;
		}
		assert_true(strlen(try->text) > 5);
		left++;
		if (row->tries[0].backend == NULL) {
			continue; /* not looked at */
		}
		assert_true(left <= MAX_TRIES);
		assert_non_null(want->backend);
		assert_string_equal(try->backend, want->backend);
		assert_string_equal(try->place, want->place);
		assert_int_equal(try->error, want->error);
		assert_int_equal(try->device, want->device);
		assert_int_equal(try->reason, want->reason);
	}
	if (row->tries[0].backend != NULL && left < MAX_TRIES) {
		assert_null(row->tries[left].backend);
	}
	assert_null(bufalloc_verdict_get_try(verdict, count));
}

static void
check_buffer(const struct row *row, const struct bufalloc_buf *buf)
{
	const struct bufalloc_layout *layout = bufalloc_buf_get_layout(buf);
	uint32_t i;

	assert_non_null(layout);
	assert_string_equal(bufalloc_buf_get_backend(buf), row->backend);
	assert_int_equal(bufalloc_buf_is_dmabuf(buf), strcmp(row->backend, "memfd") != 0);
	assert_int_equal(bufalloc_buf_get_memory_count(buf),
			 row->memory_count == 0 ? 1 : row->memory_count);
	assert_int_equal(layout->memory_count, bufalloc_buf_get_memory_count(buf));
	for (i = 0; i < layout->memory_count; i++) {
		int fd = bufalloc_buf_get_memory_fd(buf, i);

		assert_int_equal(sim_is_contiguous(fd), row->is_contiguous);
		assert_int_equal(bufalloc_buf_get_memory_length(buf, i),
				 (layout->lengths[i] + 4095) / 4096 * 4096);
		if (bufalloc_buf_is_dmabuf(buf)) {
			assert_string_equal(sim_dmabuf_name(fd), "row");
		}
	}
	assert_int_equal(bufalloc_buf_get_fd(buf), bufalloc_buf_get_memory_fd(buf, 0));
	assert_int_equal(bufalloc_buf_get_length(buf), bufalloc_buf_get_memory_length(buf, 0));
	assert_int_equal(bufalloc_buf_get_memory_fd(buf, i), -EINVAL);
	assert_int_equal(bufalloc_buf_get_memory_length(buf, i), 0);
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	struct bufalloc_buf *const untouched = (void *)0x1234;
	struct bufalloc_use_result result;
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf = untouched;
	struct bufalloc_request *req;
	struct bufalloc_ctx *ctx;
	size_t i;

	sim_setup(NULL);
	req = scene_request(&row->scene);
	ctx = scene_open(&row->scene);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, &verdict), row->ret);
	assert_non_null(verdict);
	scene_contains(bufalloc_verdict_text(verdict), row->text);
	if (row->without != NULL) {
		assert_null(strstr(bufalloc_verdict_text(verdict), row->without));
	}
	assert_int_equal(bufalloc_verdict_get_error(verdict), row->ret);
	assert_int_equal(bufalloc_verdict_get_reason(verdict), row->reason);
	assert_int_equal(bufalloc_verdict_get_device(verdict), row->device);
	check_tries(row, verdict);
	if (row->ret == 0) {
		assert_string_equal(bufalloc_verdict_get_backend(verdict), row->backend);
		for (i = 0; bufalloc_verdict_get_use(verdict, i, &result) == 0; i++) {
			assert_int_equal(result.proof, row->proofs[i]);
		}
	} else {
		assert_null(bufalloc_verdict_get_backend(verdict));
	}
	if (row->ret == 0 && (row->flags & BUFALLOC_REQUEST_DRY_RUN) == 0) {
		check_buffer(row, buf);
		bufalloc_buf_destroy(buf);
	} else {
		assert_ptr_equal(buf, untouched);
	}
	scene_check_devices(&row->scene);
	bufalloc_verdict_destroy(verdict);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
	sim_teardown(NULL);
}

int
main(void)
{
	static struct CMUnitTest tests[LEN(rows)];
	size_t i;

	unsetenv("BUFALLOC_BACKEND");
	for (i = 0; i < LEN(rows); i++) {
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
