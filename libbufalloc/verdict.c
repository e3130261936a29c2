/* SPDX-License-Identifier: MIT */
/* A verdict in sentences: which heap, because of which device, or why none. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "verdict.h"

static const char *
heap_label(enum bufalloc_heap heap)
{
	const char *name = bufalloc_heap_name(heap);

	return name == NULL ? "an unknown heap" : name;
}

/* The device that decided; NULL if none did. */
static const struct verdict_use *
decider(const struct bufalloc_verdict *verdict)
{
	return verdict->device < 0 ? NULL : &verdict->uses[verdict->device];
}

static const char *
label_of(const struct verdict_use *use)
{
	return use == NULL ? "a device" : use->result.label;
}

static bool
has_own_iommu(const struct verdict_use *use)
{
	return use != NULL && use->has_info &&
	       (use->info.iommu == BUFALLOC_IOMMU_DMA ||
		use->info.iommu == BUFALLOC_IOMMU_OTHER);
}

/* " together with card0 (vkms) and video1 (vivid)" */
static void
put_with(struct writer *w, const struct bufalloc_verdict *verdict)
{
	const char *before = " together with ";
	size_t i;

	for (i = 0; i < verdict->count; i++) {
		if ((verdict->with & (UINT32_C(1) << i)) != 0) {
			put(w, "%s%s", before, verdict->uses[i].result.label);
			before = " and ";
		}
	}
}

static void
put_segments(struct writer *w, uint32_t segments)
{
	put(w, "%" PRIu32 " segment%s", segments, segments == 1 ? "" : "s");
}

/* limit is the highest address, so that 1 more is a round number as a rule. */
static void
put_reach(struct writer *w, uint64_t limit)
{
	uint64_t bytes = limit + 1;

	if (bytes == 0) {
		put(w, "only a part of the memory");
	} else if (bytes % (UINT64_C(1) << 30) == 0) {
		put(w, "only the memory below %" PRIu64 " GiB", bytes >> 30);
	} else {
		put(w, "only the memory below %" PRIu64 " MiB", bytes >> 20);
	}
}

/* Why a device could write to memory that is to be read only. */
static void
put_writer(struct writer *w, const struct verdict_use *use)
{
	if (use != NULL && use->has_info &&
	    use->info.found == BUFALLOC_FOUND_DRM) {
		put(w, "maps what it imports for writing, too, as DRM drivers do");
	} else if (use != NULL && use->has_info &&
		   (use->info.flags & BUFALLOC_DEVICE_NEEDS_VMAP) != 0) {
		put(w, "works by a kernel mapping, which can be written");
	} else {
		put(w, "writes");
	}
}

/* What a device cannot do, as the end of "X ...". */
static void
put_obstacle(struct writer *w, const struct bufalloc_verdict *verdict,
	     const struct verdict_use *use, uint32_t reason, bool is_final)
{
	uint32_t segments = use == NULL ? 0 : use->result.segments;

	switch (reason) {
	case BUFALLOC_REASON_ONE_SEGMENT:
		put(w, "takes one segment");
		if (is_final && segments > 1) {
			put(w, "%s and got %" PRIu32,
			    has_own_iommu(use) ? "" : ", has no IOMMU",
			    segments);
		} else {
			put(w, "%s",
			    has_own_iommu(use) ? "" : " and has no IOMMU");
		}
		break;
	case BUFALLOC_REASON_ADDRESS:
		if (has_own_iommu(use)) {
			put(w, "has too few addresses behind its IOMMU");
		} else {
			put(w, "reaches ");
			put_reach(w, verdict->limit);
		}
		break;
	case BUFALLOC_REASON_SEGMENT_SIZE:
		put(w, "takes no segment that large");
		break;
	case BUFALLOC_REASON_BOUNDARY:
		put(w, "takes no segment that crosses its boundary");
		break;
	case BUFALLOC_REASON_BOUNCE:
		put(w, "would get a copy (swiotlb) instead of the memory");
		break;
	case BUFALLOC_REASON_MAP:
		put(w, "cannot map it for DMA");
		break;
	case BUFALLOC_REASON_VMAP:
		put(w, "needs it mapped for the CPU, which failed");
		break;
	case BUFALLOC_REASON_UNBOUND:
		put(w, "was unbound from its driver");
		break;
	case BUFALLOC_REASON_NEVER_CPU:
		put(w, "needs it mapped for the CPU, which the attribute %s forbids",
		    bufalloc_attr_name(BUFALLOC_NEVER_CPU));
		break;
	case BUFALLOC_REASON_READ_ONLY:
		put_writer(w, use);
		break;
	default:
		put(w, "refuses it (reason %" PRIu32 ")", reason);
	}
}

void
private_verdict_put_choice(struct writer *w,
			   const struct bufalloc_verdict *verdict)
{
	const struct verdict_use *use = decider(verdict);

	put(w, "%s was chosen", heap_label(verdict->heap));
	switch (verdict->reason) {
	case BUFALLOC_REASON_NONE:
		if (verdict->count == 0) {
			put(w, ": it is the cheapest heap, and no device was named");
		} else {
			put(w, ": it is the cheapest heap, and %s can use it",
			    verdict->count == 1 ? "the device" :
						  "all devices");
		}
		break;
	case BUFALLOC_REASON_CALLER:
		if (verdict->asked == BUFALLOC_AUTO) {
			put(w, " because the attribute %s asks for one physical range",
			    bufalloc_attr_name(BUFALLOC_CONTIGUOUS));
		} else {
			put(w, " because the caller named it");
		}
		break;
	case BUFALLOC_REASON_MEMORY:
		put(w, " because a cheaper heap had no memory left");
		break;
	default:
		put(w, " because %s ", label_of(use));
		put_obstacle(w, verdict, use, verdict->reason, false);
	}
}

/* Memory that was there before. */
static void
put_import(struct writer *w, const struct bufalloc_verdict *verdict)
{
	if (!verdict->is_dmabuf) {
		put(w, "the memory is used where it is, %" PRIu32 " physical run%s",
		    verdict->runs, verdict->runs == 1 ? "" : "s");
	} else if (verdict->heap == BUFALLOC_AUTO) {
		put(w, "the memory is a mapping of another exporter's dma-buf, which is used");
	} else {
		put(w, "the memory is a mapping of a dma-buf of heap %s, which is used",
		    heap_label(verdict->heap));
	}
}

static void
put_proof(struct writer *w, const struct verdict_use *use)
{
	const struct bufalloc_use_result *result = &use->result;

	put(w, "; %s: ", result->label);
	switch (result->proof) {
	case BUFALLOC_PROOF_MAPPED:
		put(w, "mapped, ");
		put_segments(w, result->segments);
		break;
	case BUFALLOC_PROOF_VMAPPED:
		put(w, "mapped for the CPU, it needs no DMA");
		break;
	case BUFALLOC_PROOF_UNPROVEN:
		if (result->segments == 0) {
			put(w, "mapped for the CPU");
		} else {
			put(w, "mapped, ");
			put_segments(w, result->segments);
		}
		put(w, ", but only an import proves that it works");
		break;
	case BUFALLOC_PROOF_IMPORTED:
		put(w, "imported");
		if (result->segments > 0) {
			put(w, ", ");
			put_segments(w, result->segments);
		}
		break;
	default:
		put(w, "not tried");
	}
}

/* One of the fds is no device, or none that can be used. */
static void
put_no_device(struct writer *w, const struct bufalloc_verdict *verdict)
{
	const char *label = label_of(decider(verdict));

	switch (-verdict->error) {
	case EBADF:
		put(w, "%s is not open", label);
		break;
	case EINVAL:
		put(w, "%s has no valid access: say whether the device reads, writes or both",
		    label);
		break;
	case ENXIO:
		put(w, "%s is no device that moves pictures, but a subdevice, media, VBI or radio node, or a device without DMA: name the node that captures or shows",
		    label);
		break;
	case EOPNOTSUPP:
		put(w, "%s takes no dma-bufs: leave it out, or use another one",
		    label);
		break;
	default:
		put(w, "%s is no device that bufalloc knows, or it is unbound: name a V4L2 or DRM node, and load bufalloc-v4l2 and bufalloc-drm with 'modprobe', as root",
		    label);
	}
}

static void
put_advice(struct writer *w, const struct bufalloc_verdict *verdict)
{
	switch (verdict->reason) {
	case BUFALLOC_REASON_LIMIT:
		put(w, "; free some, or raise /sys/module/bufalloc/parameters/contig_limit_bytes, as root");
		return;
	case BUFALLOC_REASON_UNBOUND:
		put(w, "; open it again when it is bound");
		return;
	case BUFALLOC_REASON_NEVER_CPU:
		put(w, "; leave out the attribute or that device");
		return;
	case BUFALLOC_REASON_MEMORY:
		put(w, "; ask for less, or free some");
		break;
	default:
		break;
	}
	if (verdict->asked == BUFALLOC_SYSTEM ||
	    verdict->asked == BUFALLOC_CONTIG ||
	    verdict->asked == BUFALLOC_RESERVED ||
	    verdict->asked == BUFALLOC_DEVICE_MEMORY) {
		put(w, "; try heap auto");
	} else if (verdict->reason != BUFALLOC_REASON_MEMORY) {
		put(w, "; ask for less, or leave that device out");
	}
}

/* Memory that cannot be imported, whatever the devices are. */
static void
put_bad_memory(struct writer *w, const struct bufalloc_verdict *verdict)
{
	switch (verdict->reason) {
	case BUFALLOC_REASON_ALIGNMENT:
		put(w, "it is not of whole pages, and what else is in its first or last page would be open to the devices; take it from mmap or posix_memalign, and round its length up");
		break;
	case BUFALLOC_REASON_UNMAPPED:
		put(w, "a part of it is not mapped; map all of it, and do not unmap it before the call returns");
		break;
	case BUFALLOC_REASON_MEMORY_KIND:
		put(w, "a part of it is device memory, secret memory, a shared mapping of a file that is not on a tmpfs, or a mapping of another dma-buf; use anonymous memory, a memfd or huge pages, or the file descriptor of the dma-buf");
		break;
	case BUFALLOC_REASON_READ_ONLY:
		put(w, "a part of it may not be %s",
		    verdict->is_read_only ?
			    "read; change that with mprotect" :
			    "written; if the devices only read it, import it as read only (BUFALLOC_READ_ONLY)");
		break;
	case BUFALLOC_REASON_MEMLOCK:
		put(w, "this user's limit on locked memory is reached; let some go, or raise it ('ulimit -l', or memlock in /etc/security/limits.conf, as root)");
		break;
	case BUFALLOC_REASON_MEMORY:
		put(w, "the memory ran out; import less, or free some");
		break;
	default:
		if (verdict->error == -ENOTTY) {
			put(w, "bufalloc.ko is older than this library and imports none; update the module");
		} else if (verdict->length == 0) {
			put(w, "its length is 0; import a page or more");
		} else {
			put(w, "%s", bufalloc_strerror(verdict->error));
		}
	}
}

static void
put_import_refusal(struct writer *w, const struct bufalloc_verdict *verdict)
{
	const struct verdict_use *use = decider(verdict);

	if (verdict->reason == BUFALLOC_REASON_NOT_A_DEVICE) {
		put(w, "no buffer: ");
		put_no_device(w, verdict);
	} else if (use == NULL) {
		put(w, "the memory cannot be imported: ");
		put_bad_memory(w, verdict);
	} else {
		put(w, "the memory cannot be used as it is: %s ", label_of(use));
		put_obstacle(w, verdict, use, verdict->reason, true);
		if (verdict->reason == BUFALLOC_REASON_READ_ONLY) {
			put(w, "; import memory that may be written, or leave that device out");
		} else {
			put(w, "; allocate a buffer for the devices instead, or leave that device out");
		}
	}
}

void
private_verdict_put_refusal(struct writer *w,
			    const struct bufalloc_verdict *verdict,
			    bool with_advice)
{
	const struct verdict_use *use = decider(verdict);

	switch (verdict->reason) {
	case BUFALLOC_REASON_NOT_A_DEVICE:
		put(w, "no buffer: ");
		put_no_device(w, verdict);
		return;
	case BUFALLOC_REASON_NONE:
		if (verdict->error == -E2BIG || verdict->error == -ENOTTY) {
			put(w, "no buffer: bufalloc.ko is older than this library and knows no devices; update the module");
		} else if (verdict->length == 0) {
			put(w, "no buffer: its length is 0; ask for 1 byte or more");
		} else {
			put(w, "no buffer of heap %s: %s",
			    heap_label(verdict->heap),
			    bufalloc_strerror(verdict->error));
		}
		return;
	default:
		break;
	}

	if (verdict->error == -ENOSPC &&
	    (verdict->asked == BUFALLOC_AUTO ||
	     verdict->reason == BUFALLOC_REASON_NEVER_CPU)) {
		put(w, "no heap can be used: ");
	} else {
		put(w, "%s cannot be used: ", heap_label(verdict->heap));
	}
	switch (verdict->reason) {
	case BUFALLOC_REASON_MEMORY:
		put(w, "it has no memory left for %" PRIu64 " bytes",
		    verdict->length);
		if (use != NULL) {
			put(w, " that %s can use", use->result.label);
			put_with(w, verdict);
		}
		break;
	case BUFALLOC_REASON_OWN_MEMORY:
		put(w, "exactly one of the devices must have memory of its own");
		break;
	case BUFALLOC_REASON_LIMIT:
		put(w, "this user's limit on contiguous memory is reached");
		if (use != NULL) {
			put(w, ", and %s needs it", use->result.label);
			put_with(w, verdict);
		}
		break;
	case BUFALLOC_REASON_CALLER:
		put(w, "its memory is not one physical range, which the attribute %s asks for",
		    bufalloc_attr_name(BUFALLOC_CONTIGUOUS));
		break;
	default:
		put(w, "%s ", label_of(use));
		put_obstacle(w, verdict, use, verdict->reason, true);
	}
	if (with_advice) {
		put_advice(w, verdict);
	}
}

/* Those that were asked for: which of them the buffer has. */
static void
put_attributes(struct writer *w, const struct bufalloc_verdict *verdict)
{
	const char *name;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		uint64_t attribute = UINT64_C(1) << bit;

		name = bufalloc_attr_name(attribute);
		if ((verdict->wanted & attribute) != 0 && name != NULL) {
			put(w, "; %s: %s", name,
			    (verdict->granted & attribute) != 0 ?
				    "granted" :
				    "not on this machine");
		}
	}
}

void
private_verdict_put_proofs(struct writer *w,
			   const struct bufalloc_verdict *verdict)
{
	size_t i;

	for (i = 0; i < verdict->count; i++) {
		put_proof(w, &verdict->uses[i]);
	}
	put_attributes(w, verdict);
}

void
private_verdict_write(struct bufalloc_verdict *verdict)
{
	struct writer w = {
		.text = verdict->text,
		.size = sizeof(verdict->text),
	};

	if (verdict->error < 0) {
		if (verdict->imports) {
			put_import_refusal(&w, verdict);
		} else {
			private_verdict_put_refusal(&w, verdict, true);
		}
		return;
	}
	if (verdict->imports) {
		put_import(&w, verdict);
	} else {
		private_verdict_put_choice(&w, verdict);
	}
	private_verdict_put_proofs(&w, verdict);
}
