/* SPDX-License-Identifier: MIT */
/* bufalloc explain: which buffer would some devices get, and why? */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <linux/bufalloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

/* What the module knows of one device before the trial. */
struct answer {
	int err; /* of bufalloc_get_device_info() */
	struct bufalloc_dev_info info;
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
	[BUFALLOC_REASON_OWN_MEMORY] = "own-memory",
	[BUFALLOC_WHY_FORMAT] = "format",
	[BUFALLOC_WHY_SIZE] = "size",
	[BUFALLOC_WHY_STRIDE] = "stride",
	[BUFALLOC_WHY_LINES] = "lines",
	[BUFALLOC_WHY_OFFSET] = "offset",
	[BUFALLOC_WHY_LAYOUT] = "layout",
	[BUFALLOC_WHY_SHOW] = "show",
	[BUFALLOC_WHY_ASK] = "ask",
	[BUFALLOC_WHY_LENGTH] = "length",
	[BUFALLOC_WHY_OPEN] = "open",
	[BUFALLOC_WHY_ALLOC] = "alloc",
	[BUFALLOC_WHY_NO_IMPORT] = "no-import",
	[BUFALLOC_WHY_IMPORT] = "import",
	[BUFALLOC_WHY_NO_DMABUF] = "no-dmabuf",
	[BUFALLOC_WHY_ATTRIBUTE] = "attribute",
	[BUFALLOC_WHY_NOTHING] = "nothing",
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char *
reason_name(uint64_t reason)
{
	const char *name = reason < LEN(reason_names) ? reason_names[reason] :
							NULL;

	return name == NULL ? "unknown" : name;
}

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

/* Numbers are for programs in C; here they are names. */
static void
name_reason(struct json_object *object)
{
	struct json_object *number;

	if (json_object_object_get_ex(object, "reason", &number)) {
		tool_json_text(object, "reason",
			       reason_name((uint64_t)json_object_get_int(number)));
	}
}

static void
name_error(struct json_object *object, bool keeps_reason)
{
	struct json_object *number;
	int error;

	if (!json_object_object_get_ex(object, "error", &number)) {
		return;
	}
	error = json_object_get_int(number);
	json_object_object_del(object, "error");
	if (error < 0) {
		tool_json_text(object, "errno", tool_errno_name(error));
	} else if (!keeps_reason) {
		json_object_object_del(object, "reason");
	}
	name_reason(object);
}

/* The library's verdict, as it writes it itself. NULL: no memory is left. */
static struct json_object *
verdict_object(const struct bufalloc_verdict *verdict)
{
	size_t size = (size_t)bufalloc_verdict_json(verdict, NULL, 0) + 1;
	struct json_object *object = NULL;
	char *text = malloc(size);

	if (text != NULL) {
		bufalloc_verdict_json(verdict, text, size);
		object = json_tokener_parse(text);
		free(text);
	}
	return object;
}

/* Each member of an array that the verdict has, with its device or NULL. */
static void
complete(struct json_object *object, const char *name,
	 const struct tool_options *options, const struct answer *answers)
{
	struct json_object *array, *member;
	size_t i;

	if (!json_object_object_get_ex(object, name, &array)) {
		return;
	}
	for (i = 0; i < json_object_array_length(array); i++) {
		member = json_object_array_get_idx(array, i);
		name_error(member, false);
		if (answers != NULL) {
			tool_device_json(member, options->devices.nodes[i],
					 options->devices.uses[i].access,
					 answers[i].err, &answers[i].info);
		}
	}
}

static enum tool_exit
print_json(const struct tool_options *options,
	   const struct bufalloc_verdict *verdict,
	   const struct answer *answers)
{
	struct json_object *with = json_object_new_array();
	struct json_object *object = verdict_object(verdict);
	int device = bufalloc_verdict_get_device(verdict);
	const char *heap =
		bufalloc_heap_name(bufalloc_verdict_get_heap(verdict));
	size_t i;

	if (object == NULL) {
		json_object_put(with);
		return tool_error(-ENOMEM, "no memory for the answer");
	}
	for (i = 0; i < options->devices.count; i++) {
		if ((bufalloc_verdict_get_with(verdict) & (1u << i)) != 0) {
			json_object_array_add(with, json_object_new_int((int)i));
		}
	}
	name_error(object, true);
	complete(object, "devices", options, answers);
	complete(object, "tried", options, NULL);
	json_object_object_add(
		object, "possible",
		json_object_new_boolean(bufalloc_verdict_get_error(verdict) == 0));
	tool_json_number(object, "length", options->length);
	tool_json_text(object, "asked_heap", bufalloc_heap_name(options->heap));
	tool_json_text(object, "heap", heap == NULL ? "unknown" : heap);
	json_object_object_add(
		object, "tried_heaps",
		tool_json_heaps(bufalloc_verdict_get_tried(verdict)));
	json_object_object_add(object, "device",
			       device < 0 ? NULL :
					    json_object_new_int(device));
	json_object_object_add(object, "with", with);
	tool_json_number(object, "runs", bufalloc_verdict_get_runs(verdict));
	json_object_object_add(
		object, "attributes",
		tool_json_attributes(bufalloc_verdict_get_attributes(verdict)));
	return tool_print_json(object);
}

static enum tool_exit
print(const struct tool_options *options, const struct bufalloc_verdict *layout,
      const struct bufalloc_verdict *verdict, const struct answer *answers)
{
	int error = bufalloc_verdict_get_error(verdict);

	if (options->json) {
		if (print_json(options, verdict, answers) != TOOL_OK) {
			return TOOL_FAILED;
		}
	} else {
		print_table(options, answers);
		if (options->devices.count > 0) {
			putchar('\n');
		}
		if (layout == NULL) {
			printf("%s, ", tool_amount(options->length).text);
		} else if (bufalloc_verdict_get_error(layout) == 0) {
			printf("%s\n", bufalloc_verdict_text(layout));
		}
		printf("heap %s\n", bufalloc_heap_name(options->heap));
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

/* 0 or a negative errno. */
static int
fill_request(struct bufalloc_request *req, const struct tool_options *options)
{
	const struct tool_devices *devices = &options->devices;
	size_t i;
	int ret;

	if (options->format != NULL) {
		ret = bufalloc_request_set_format(req,
						  tool_fourcc(options->format),
						  (uint32_t)options->width,
						  (uint32_t)options->height);
	} else {
		ret = bufalloc_request_set_length(req, options->length);
	}
	for (i = 0; i < devices->count && ret == 0; i++) {
		ret = bufalloc_request_add_device(req, devices->uses[i].fd,
						  devices->uses[i].access);
	}
	if (ret == 0) {
		ret = bufalloc_request_set_heap(req, options->heap);
	}
	if (ret == 0) {
		ret = bufalloc_request_set_attributes(req, options->attributes, 0);
	}
	if (ret == 0) {
		ret = bufalloc_request_set_flags(req, BUFALLOC_REQUEST_DRY_RUN);
	}
	return ret;
}

static enum tool_exit
explain(struct bufalloc_ctx *ctx, struct bufalloc_request *req,
	const struct tool_options *options)
{
	const struct tool_devices *devices = &options->devices;
	struct answer answers[TOOL_MAX_DEVICES] = { 0 };
	struct bufalloc_verdict *layout = NULL, *verdict = NULL;
	const struct bufalloc_layout *ignored;
	enum tool_exit status;
	size_t i;
	int ret;

	ret = fill_request(req, options);
	if (ret < 0) {
		return tool_error(ret, bufalloc_strerror(ret));
	}
	for (i = 0; i < devices->count; i++) {
		answers[i].err = bufalloc_get_device_info(
			ctx, devices->uses[i].fd, devices->uses[i].access,
			&answers[i].info);
	}
	if (options->format != NULL && !options->json) {
		bufalloc_request_negotiate(req, &ignored, &layout);
	}
	ret = bufalloc_alloc(ctx, req, NULL, &verdict);
	if (verdict == NULL) {
		status = tool_error(ret, bufalloc_strerror(ret));
	} else {
		status = print(options, layout, verdict, answers);
	}
	bufalloc_verdict_destroy(layout);
	bufalloc_verdict_destroy(verdict);
	return status;
}

static enum tool_exit
open_and_explain(struct tool_options *options)
{
	const struct bufalloc_options where = {
		.size = sizeof(where),
		.node = options->path,
	};
	struct bufalloc_request *req = NULL;
	struct bufalloc_ctx *ctx;
	enum tool_exit status;
	char sentence[512];
	int ret;

	ret = bufalloc_open(&ctx, &where);
	if (ret == -EINVAL) {
		return tool_error(
			ret,
			"the environment variable BUFALLOC_BACKEND is no list of backends: bufalloc, dma-heap, udmabuf, dumb and memfd, with commas between them and each once");
	}
	if (ret < 0) {
		bufalloc_open_strerror(options->path, ret, sentence,
				       sizeof(sentence));
		return tool_error(ret, sentence);
	}
	ret = bufalloc_request_new(&req);
	if (ret < 0) {
		status = tool_error(ret, bufalloc_strerror(ret));
	} else {
		status = tool_devices_open(&options->devices);
	}
	if (status == TOOL_OK) {
		status = explain(ctx, req, options);
	}
	tool_devices_close(&options->devices);
	bufalloc_request_destroy(req);
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
		"                        [--heap auto|system|contig|reserved|device] [--attribute NAME]...\n"
		"                        [--json] [--node PATH]\n"
		"\n"
		"Allocate a buffer that all devices can use, and let each of them import it, on\n"
		"trial. Print what each device can use, the layout that all take, then the verdict:\n"
		"which memory, because of which device, and how it is known that each can use it;\n"
		"or which device refuses what. A camera that is in use is left alone. Nothing is\n"
		"left allocated. Without the module it tells what else there is.\n"
		"\n"
		"  --device NODE    a device (/dev/video0:w, /dev/dri/card0:r); r, w: it reads,\n"
		"                   writes; default: both. Up to 16 times\n"
		"  --size N         length in bytes; K, M, G: times 1024, 1024^2, 1024^3\n"
		"  --format FOURCC  with --width and --height: of a frame, with the padding that\n"
		"                   the devices want (NV12, YU12, YUYV, XR24, GREY, ...)\n"
		"  --heap HEAP      auto (default: the cheapest that all can use), system, contig,\n"
		"                   reserved, device (memory of its own that one of them has)\n"
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
