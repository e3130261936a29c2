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
	int err; /* of bufalloc_get_device_info() */
	struct bufalloc_dev_info info;
	struct bufalloc_use_result result;
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
	[BUFALLOC_REASON_NEVER_CPU] = "never-cpu",
	[BUFALLOC_REASON_ALIGNMENT] = "alignment",
	[BUFALLOC_REASON_UNMAPPED] = "unmapped",
	[BUFALLOC_REASON_MEMORY_KIND] = "memory-kind",
	[BUFALLOC_REASON_READ_ONLY] = "read-only",
	[BUFALLOC_REASON_MEMLOCK] = "memlock",
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define NAME(names, i) ((i) < LEN(names) ? (names)[i] : "unknown")

static void
print_table(const struct tool_options *options, const struct answer *answers)
{
	size_t i;

	if (options->devices.count == 0) {
		return;
	}
	printf("%-12s ", "device");
	tool_device_print_header();
	for (i = 0; i < options->devices.count; i++) {
		const struct bufalloc_dev_info *info = &answers[i].info;

		if (answers[i].err < 0) {
			printf("%-12s unknown: %s\n",
			       options->devices.nodes[i],
			       tool_errno_name(answers[i].err));
			continue;
		}
		printf("%-12s ", info->name);
		tool_device_print(info, options->devices.uses[i].access);
		putchar('\n');
	}
}

static struct json_object *
device_object(const struct tool_options *options, size_t i,
	      const struct answer *answer)
{
	const struct bufalloc_dev_info *info = &answer->info;
	struct json_object *object = json_object_new_object();

	tool_device_json(object, options->devices.nodes[i],
			 options->devices.uses[i].access, answer->err, info);
	tool_json_text(object, "proof", NAME(proof_names, answer->result.proof));
	tool_json_number(object, "segments", answer->result.segments);
	if (answer->result.error < 0) {
		tool_json_text(object, "errno",
			       tool_errno_name(answer->result.error));
		tool_json_text(object, "reason",
			       NAME(reason_names, answer->result.reason));
	}
	return object;
}

static enum tool_exit
print_json(const struct tool_options *options,
	   const struct bufalloc_verdict *verdict,
	   const struct answer *answers)
{
	struct json_object *object = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	struct json_object *with = json_object_new_array();
	int error = bufalloc_verdict_get_error(verdict);
	int device = bufalloc_verdict_get_device(verdict);
	const char *heap =
		bufalloc_heap_name(bufalloc_verdict_get_heap(verdict));
	uint32_t reason = bufalloc_verdict_get_reason(verdict);
	size_t i;

	for (i = 0; i < options->devices.count; i++) {
		json_object_array_add(devices,
				      device_object(options, i, &answers[i]));
		if ((bufalloc_verdict_get_with(verdict) & (1u << i)) != 0) {
			json_object_array_add(with, json_object_new_int((int)i));
		}
	}
	json_object_object_add(object, "possible",
			       json_object_new_boolean(error == 0));
	if (error < 0) {
		tool_json_text(object, "errno", tool_errno_name(error));
	}
	tool_json_number(object, "length", options->length);
	tool_json_text(object, "asked_heap", bufalloc_heap_name(options->heap));
	tool_json_text(object, "heap", heap == NULL ? "unknown" : heap);
	json_object_object_add(
		object, "tried",
		tool_json_heaps(bufalloc_verdict_get_tried(verdict)));
	tool_json_text(object, "reason", NAME(reason_names, reason));
	json_object_object_add(object, "device",
			       device < 0 ? NULL :
					    json_object_new_int(device));
	json_object_object_add(object, "with", with);
	tool_json_number(object, "runs", bufalloc_verdict_get_runs(verdict));
	json_object_object_add(
		object, "attributes",
		tool_json_attributes(bufalloc_verdict_get_attributes(verdict)));
	json_object_object_add(object, "devices", devices);
	tool_json_text(object, "text", bufalloc_verdict_text(verdict));
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
	struct bufalloc_alloc_options with = {
		.size = sizeof(with),
		.heap = options->heap,
		.flags = BUFALLOC_DRY_RUN,
		.uses = devices->uses,
		.count = devices->count,
		.attributes = options->attributes,
	};
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
	ret = bufalloc_alloc_with(ctx, options->length, &with, NULL, &verdict);
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

	ret = bufalloc_open_module(&ctx, options->path);
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
		"                        [--heap auto|system|contig|reserved] [--attribute NAME]...\n"
		"                        [--json] [--node PATH]\n"
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
		"  --heap HEAP      auto (default: the cheapest that all can use), system, contig,\n"
		"                   reserved\n"
		"  --attribute NAME what it shall be like; may be given several times:\n"
		"                   never-cpu: no CPU reads or writes it;\n"
		"                   write-combine, uncached: CPUs access it past their caches;\n"
		"                   contiguous: one physical range; pinnable: O_DIRECT works on it\n"
		"  --json           print one JSON object\n"
		"  --node PATH      bufalloc's own device node (default: " BUFALLOC_DEVICE ")\n"
		"  -h, --help       print this text\n"
		"\n"
		"Exit status: 0 there is such a buffer, 1 there is none, 2 wrong usage.\n",
	.takes = TOOL_SIZE | TOOL_FRAME | TOOL_DEVICE | TOOL_HEAP,
	.run = run_explain,
};
