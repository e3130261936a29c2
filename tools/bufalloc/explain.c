/* SPDX-License-Identifier: MIT */
/* bufalloc explain: which buffer would some devices get, and why? */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <linux/bufalloc.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

/* What is known of one device, before and after the trial. */
struct answer {
	int err;	/* of bufalloc_get_device_info() */
	struct bufalloc_dev_info info;
	struct bufalloc_use_result result;
};

static const char *const found_names[] = {
	[BUFALLOC_FOUND_NONE] = "none",
	[BUFALLOC_FOUND_V4L2_QUEUE] = "v4l2-queue",
	[BUFALLOC_FOUND_V4L2_ALLOC_DEV] = "v4l2-alloc-dev",
	[BUFALLOC_FOUND_V4L2_M2M] = "v4l2-m2m",
	[BUFALLOC_FOUND_DRM] = "drm",
	[BUFALLOC_FOUND_ANCESTOR] = "ancestor",
};

static const char *const iommu_names[] = {
	[BUFALLOC_IOMMU_NONE] = "none",
	[BUFALLOC_IOMMU_IDENTITY] = "identity",
	[BUFALLOC_IOMMU_DMA] = "dma",
	[BUFALLOC_IOMMU_OTHER] = "other",
};

static const char *const proof_names[] = {
	[BUFALLOC_PROOF_NONE] = "none",
	[BUFALLOC_PROOF_MAPPED] = "mapped",
	[BUFALLOC_PROOF_VMAPPED] = "vmapped",
	[BUFALLOC_PROOF_UNPROVEN] = "unproven",
};

static const char *const reason_names[] = {
	[BUFALLOC_REASON_NONE] = "none",
	[BUFALLOC_REASON_CALLER] = "caller",
	[BUFALLOC_REASON_NOT_A_DEVICE] = "not-a-device",
	[BUFALLOC_REASON_ONE_SEGMENT] = "one-segment",
	[BUFALLOC_REASON_ADDRESS] = "address",
	[BUFALLOC_REASON_SEGMENT_SIZE] = "segment-size",
	[BUFALLOC_REASON_BOUNDARY] = "boundary",
	[BUFALLOC_REASON_BOUNCE] = "bounce",
	[BUFALLOC_REASON_MAP] = "map",
	[BUFALLOC_REASON_VMAP] = "vmap",
	[BUFALLOC_REASON_MEMORY] = "memory",
	[BUFALLOC_REASON_LIMIT] = "limit",
	[BUFALLOC_REASON_UNBOUND] = "unbound",
};

/* Bits from 0 on. */
static const char *const flag_names[] = {
	"coherent",
	"translated",
	"needs-vmap",
	"no-dma",
	"self-managed",
	"could-bounce",
	"inferred",
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define NAME(names, i) ((i) < LEN(names) ? (names)[i] : "unknown")

static const char *
access_name(enum bufalloc_access access)
{
	switch (access) {
	case BUFALLOC_READ:
		return "reads";
	case BUFALLOC_WRITE:
		return "writes";
	default:
		return "both";
	}
}

/* "32 bits" where the mask is a round one. */
static void
print_mask(uint64_t mask)
{
	unsigned int bits = 0;
	char text[24];

	while (bits < 64 && (mask >> bits & 1) != 0) {
		bits++;
	}
	if (bits == 64 || mask >> bits == 0) {
		snprintf(text, sizeof(text), "%u bits", bits);
	} else {
		snprintf(text, sizeof(text), "0x%" PRIx64, mask);
	}
	printf(" %-8s", text);
}

static void
print_flags(uint32_t flags)
{
	bool any = false;
	size_t i;

	for (i = 0; i < LEN(flag_names); i++) {
		if ((flags & (UINT32_C(1) << i)) != 0) {
			printf("%s%s", any ? "," : " ", flag_names[i]);
			any = true;
		}
	}
	printf("%s\n", any ? "" : " -");
}

static void
print_table(const struct tool_options *options, const struct answer *answers)
{
	size_t i;

	if (options->devices.count == 0) {
		return;
	}
	printf("%-12s %-16s %-6s %-14s %-8s %-8s %-8s %s\n", "device",
	       "driver", "access", "found", "mask", "segments", "iommu",
	       "flags");
	for (i = 0; i < options->devices.count; i++) {
		const struct bufalloc_dev_info *info = &answers[i].info;

		if (answers[i].err < 0) {
			printf("%-12s unknown: %s\n",
			       options->devices.nodes[i],
			       tool_errno_name(answers[i].err));
			continue;
		}
		printf("%-12s %-16s %-6s %-14s", info->name, info->driver,
		       access_name(options->devices.uses[i].access),
		       NAME(found_names, info->found));
		if ((info->flags & BUFALLOC_DEVICE_NO_DMA) != 0) {
			printf(" %-8s %-8s %-8s", "-", "-", "-");
		} else {
			print_mask(info->dma_mask);
			if (info->max_segments == BUFALLOC_ANY_SEGMENTS) {
				printf(" %-8s", "any");
			} else {
				printf(" %-8" PRIu32, info->max_segments);
			}
			printf(" %-8s", NAME(iommu_names, info->iommu));
		}
		print_flags(info->flags);
	}
}

static void
add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void
add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static struct json_object *
flags_of(uint32_t flags)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < LEN(flag_names); i++) {
		if ((flags & (UINT32_C(1) << i)) != 0) {
			json_object_array_add(
				list, json_object_new_string(flag_names[i]));
		}
	}
	return list;
}

static struct json_object *
device_object(const struct tool_options *options, size_t i,
	      const struct answer *answer)
{
	const struct bufalloc_dev_info *info = &answer->info;
	struct json_object *object = json_object_new_object();

	add_text(object, "node", options->devices.nodes[i]);
	add_text(object, "access",
		 access_name(options->devices.uses[i].access));
	if (answer->err < 0) {
		add_text(object, "info_errno", tool_errno_name(answer->err));
	} else {
		add_text(object, "name", info->name);
		add_text(object, "driver", info->driver);
		json_object_object_add(object, "flags", flags_of(info->flags));
		add_text(object, "found", NAME(found_names, info->found));
		add_number(object, "dma_mask", info->dma_mask);
		add_number(object, "coherent_mask", info->coherent_mask);
		add_number(object, "bus_limit", info->bus_limit);
		add_number(object, "max_segment", info->max_segment);
		add_number(object, "segment_boundary", info->segment_boundary);
		/* null is any number of them */
		json_object_object_add(
			object, "max_segments",
			info->max_segments == BUFALLOC_ANY_SEGMENTS ?
				NULL :
				json_object_new_uint64(info->max_segments));
		add_text(object, "iommu", NAME(iommu_names, info->iommu));
		add_number(object, "iommu_granule", info->iommu_granule);
	}
	add_text(object, "proof", NAME(proof_names, answer->result.proof));
	add_number(object, "segments", answer->result.segments);
	if (answer->result.error < 0) {
		add_text(object, "errno",
			 tool_errno_name(answer->result.error));
		add_text(object, "reason",
			 NAME(reason_names, answer->result.reason));
	}
	return object;
}

static struct json_object *
tried_heaps(uint32_t tried)
{
	struct json_object *list = json_object_new_array();
	const char *name;
	uint32_t i;

	for (i = 0; i < 32; i++) {
		name = bufalloc_heap_name((enum bufalloc_heap)i);
		if (name != NULL && (tried & (UINT32_C(1) << i)) != 0) {
			json_object_array_add(list,
					      json_object_new_string(name));
		}
	}
	return list;
}

static enum tool_exit
print_json(const struct tool_options *options,
	   const struct bufalloc_verdict *verdict,
	   const struct answer *answers)
{
	struct json_object *object = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	int error = bufalloc_verdict_get_error(verdict);
	int device = bufalloc_verdict_get_device(verdict);
	const char *heap =
		bufalloc_heap_name(bufalloc_verdict_get_heap(verdict));
	uint32_t reason = bufalloc_verdict_get_reason(verdict);
	size_t i;

	for (i = 0; i < options->devices.count; i++) {
		json_object_array_add(devices,
				      device_object(options, i, &answers[i]));
	}
	json_object_object_add(object, "possible",
			       json_object_new_boolean(error == 0));
	if (error < 0) {
		add_text(object, "errno", tool_errno_name(error));
	}
	add_number(object, "length", options->length);
	add_text(object, "asked_heap", bufalloc_heap_name(options->heap));
	add_text(object, "heap", heap == NULL ? "unknown" : heap);
	json_object_object_add(
		object, "tried",
		tried_heaps(bufalloc_verdict_get_tried(verdict)));
	add_text(object, "reason", NAME(reason_names, reason));
	json_object_object_add(object, "device",
			       device < 0 ? NULL :
					    json_object_new_int(device));
	add_number(object, "runs", bufalloc_verdict_get_runs(verdict));
	json_object_object_add(object, "devices", devices);
	add_text(object, "text", bufalloc_verdict_text(verdict));
	return tool_print_json(object);
}

static enum tool_exit
print(const struct tool_options *options, const struct bufalloc_verdict *verdict,
      const struct answer *answers)
{
	int error = bufalloc_verdict_get_error(verdict);

	if (options->json) {
		if (print_json(options, verdict, answers) != TOOL_OK) {
			return TOOL_FAILED;
		}
	} else {
		print_table(options, answers);
		printf("%s%s, heap %s\n",
		       options->devices.count > 0 ? "\n" : "",
		       tool_amount(options->length).text,
		       bufalloc_heap_name(options->heap));
		if (error == 0) {
			puts(bufalloc_verdict_text(verdict));
		}
	}
	if (error < 0) {
		fflush(stdout);
		return tool_error(error, bufalloc_verdict_text(verdict));
	}
	return TOOL_OK;
}

static enum tool_exit
explain(struct bufalloc_ctx *ctx, const struct tool_options *options)
{
	const struct tool_devices *devices = &options->devices;
	struct answer answers[TOOL_MAX_DEVICES] = { 0 };
	struct bufalloc_verdict *verdict;
	enum tool_exit status;
	size_t i;
	int ret;

	for (i = 0; i < devices->count; i++) {
		answers[i].err = bufalloc_get_device_info(
			ctx, devices->uses[i].fd, devices->uses[i].access,
			&answers[i].info);
	}
	ret = bufalloc_alloc_for(ctx, options->length, options->heap, NULL,
				 devices->uses, devices->count,
				 BUFALLOC_DRY_RUN, NULL, &verdict);
	if (verdict == NULL) {
		return tool_error(ret, bufalloc_strerror(ret));
	}
	for (i = 0; i < devices->count; i++) {
		bufalloc_verdict_get_use(verdict, i, &answers[i].result);
	}
	status = print(options, verdict, answers);
	bufalloc_verdict_destroy(verdict);
	return status;
}

static enum tool_exit
open_and_explain(struct tool_options *options)
{
	struct bufalloc_ctx *ctx;
	enum tool_exit status;
	char sentence[512];
	int ret;

	ret = bufalloc_open(&ctx, options->path);
	if (ret < 0) {
		bufalloc_open_strerror(options->path, ret, sentence,
				       sizeof(sentence));
		return tool_error(ret, sentence);
	}
	status = tool_devices_open(&options->devices);
	if (status == TOOL_OK) {
		status = explain(ctx, options);
	}
	tool_devices_close(&options->devices);
	bufalloc_close(ctx);
	return status;
}

static enum tool_exit
run_explain(struct tool_options *options)
{
	enum tool_exit status = tool_options_length(&tool_explain, options);

	if (status != TOOL_OK) {
		return status;
	}
	if (!options->has_length) {
		return tool_usage_error(
			&tool_explain,
			"the size is missing: give --size, or --format, --width and --height");
	}
	return open_and_explain(options);
}

const struct tool_command tool_explain = {
	.name = "explain",
	.summary = "tell which buffer some devices would get, and why",
	.help =
		"usage: bufalloc explain --device NODE[:r|w|rw]...\n"
		"                        --size N[K|M|G] | --format FOURCC --width N --height N\n"
		"                        [--heap auto|system|contig] [--json] [--node PATH]\n"
		"\n"
		"Allocate a buffer that all devices can use, on trial. Print what each device can\n"
		"use, then the verdict: which heap, because of which device, and how it is known\n"
		"that each can use it; or which device refuses what. Nothing is left allocated.\n"
		"\n"
		"  --device NODE    a device (/dev/video0:w, /dev/dri/card0:r); r, w: it reads,\n"
		"                   writes; default: both. Up to 16 times\n"
		"  --size N         length in bytes; K, M, G: times 1024, 1024^2, 1024^3\n"
		"  --format FOURCC  with --width and --height: of a frame without padding\n"
		"                   (NV12, YU12, YUYV, XR24, GREY, ...)\n"
		"  --heap HEAP      auto (default: the cheapest that all can use), system, contig\n"
		"  --json           print one JSON object\n"
		"  --node PATH      bufalloc's own device node (default: " BUFALLOC_DEVICE ")\n"
		"  -h, --help       print this text\n"
		"\n"
		"Exit status: 0 there is such a buffer, 1 there is none, 2 wrong usage.\n",
	.takes = TOOL_SIZE | TOOL_FRAME | TOOL_DEVICE | TOOL_HEAP,
	.run = run_explain,
};
