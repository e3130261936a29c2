/* SPDX-License-Identifier: MIT */
/* The options of all commands: each command says which of them it takes. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "tool.h"

/* Larger pictures exist nowhere, and sizes must not overflow. */
#define MAX_SIDE (UINT64_C(1) << 20)

static const struct {
	unsigned int bit;
	struct option option;
} all[] = {
	{ TOOL_SIZE, { "size", required_argument, NULL, 's' } },
	{ TOOL_FRAME, { "format", required_argument, NULL, 'f' } },
	{ TOOL_FRAME, { "width", required_argument, NULL, 'x' } },
	{ TOOL_FRAME, { "height", required_argument, NULL, 'y' } },
	{ TOOL_DEVICE, { "device", required_argument, NULL, 'd' } },
	{ TOOL_HEAP, { "heap", required_argument, NULL, 'H' } },
	{ TOOL_HEAP, { "attribute", required_argument, NULL, 'a' } },
	{ TOOL_HOLD, { "count", required_argument, NULL, 'c' } },
	{ TOOL_HOLD, { "name", required_argument, NULL, 'n' } },
	{ TOOL_HOLD, { "hold", no_argument, NULL, 'w' } },
	{ 0, { "json", no_argument, NULL, 'j' } },
	{ 0, { "node", required_argument, NULL, 'N' } },
	{ 0, { "help", no_argument, NULL, 'h' } },
};

#define ALL_LEN (sizeof(all) / sizeof(all[0]))

static enum tool_exit
set_size(const struct tool_command *command, struct tool_options *options,
	 const char *text)
{
	if (!tool_number(text, true, &options->length)) {
		return tool_usage_error(
			command,
			"'%s' is not a size: give bytes, or K, M or G after a number (4096, 8100K, 64M)",
			text);
	}
	options->has_length = true;
	return TOOL_OK;
}

static enum tool_exit
set_side(const struct tool_command *command, uint64_t *side, const char *text)
{
	if (!tool_number(text, false, side) || *side == 0 ||
	    *side > MAX_SIDE) {
		return tool_usage_error(
			command,
			"'%s' is not a number of pixels: give 1 to %" PRIu64,
			text, MAX_SIDE);
	}
	return TOOL_OK;
}

static enum tool_exit
set_heap(const struct tool_command *command, struct tool_options *options,
	 const char *text)
{
	if (bufalloc_heap_from_name(text, &options->heap) < 0) {
		return tool_usage_error(
			command,
			"no heap is called '%s': use auto, system, contig, reserved or device",
			text);
	}
	return TOOL_OK;
}

static enum tool_exit
add_attribute(const struct tool_command *command, struct tool_options *options,
	      const char *text)
{
	const uint64_t both = BUFALLOC_WRITE_COMBINE | BUFALLOC_UNCACHED;
	const uint64_t not_pinnable = both | BUFALLOC_NEVER_CPU;
	uint64_t attribute;

	if (bufalloc_attr_from_name(text, &attribute) < 0) {
		return tool_usage_error(
			command,
			"no attribute is called '%s': use never-cpu, write-combine, uncached, contiguous or pinnable",
			text);
	}
	options->attributes |= attribute;
	if ((options->attributes & both) == both) {
		return tool_usage_error(
			command,
			"a buffer is either write-combine or uncached: leave out one of the two");
	}
	if ((options->attributes & BUFALLOC_PINNABLE) != 0 &&
	    (options->attributes & not_pinnable) != 0) {
		return tool_usage_error(
			command,
			"a pinnable buffer is neither never-cpu nor write-combine nor uncached: leave out one of the two");
	}
	return TOOL_OK;
}

static enum tool_exit
set_count(const struct tool_command *command, struct tool_options *options,
	  const char *text)
{
	if (!tool_number(text, false, &options->count) ||
	    options->count == 0) {
		return tool_usage_error(
			command, "'%s' is not a count: give 1 or more", text);
	}
	return TOOL_OK;
}

static enum tool_exit
set_option(const struct tool_command *command, struct tool_options *options,
	   int letter, char *text)
{
	switch (letter) {
	case 's':
		return set_size(command, options, text);
	case 'f':
		options->format = text;
		return TOOL_OK;
	case 'x':
		return set_side(command, &options->width, text);
	case 'y':
		return set_side(command, &options->height, text);
	case 'd':
		if (!tool_devices_add(&options->devices, text)) {
			return tool_usage_error(command, "more than %d devices",
						TOOL_MAX_DEVICES);
		}
		return TOOL_OK;
	case 'H':
		return set_heap(command, options, text);
	case 'a':
		return add_attribute(command, options, text);
	case 'c':
		return set_count(command, options, text);
	case 'n':
		options->name = text;
		return TOOL_OK;
	case 'w':
		options->hold = true;
		return TOOL_OK;
	case 'j':
		options->json = true;
		return TOOL_OK;
	default:
		options->path = text;
		return TOOL_OK;
	}
}

enum tool_exit
tool_options_parse(const struct tool_command *command,
		   struct tool_options *options, int argc, char *argv[],
		   bool *is_help)
{
	struct option taken[ALL_LEN + 1] = { 0 };
	enum tool_exit status;
	size_t i, len = 0;
	int c;

	*options = (struct tool_options){
		.path = BUFALLOC_DEVICE,
		.heap = BUFALLOC_AUTO,
		.count = 1,
		.name = "bufalloc-tool",
	};
	*is_help = false;
	for (i = 0; i < ALL_LEN; i++) {
		if (all[i].bit == 0 || (command->takes & all[i].bit) != 0) {
			taken[len++] = all[i].option;
		}
	}

	while ((c = getopt_long(argc, argv, ":h", taken, NULL)) != -1) {
		if (c == 'h') {
			*is_help = true;
			return TOOL_OK;
		}
		if (c == '?' || c == ':') {
			return tool_option_error(command, c, argv);
		}
		status = set_option(command, options, c, optarg);
		if (status != TOOL_OK) {
			return status;
		}
	}
	if (optind < argc) {
		return tool_usage_error(command, "unexpected argument '%s'",
					argv[optind]);
	}
	return TOOL_OK;
}

enum tool_exit
tool_options_length(const struct tool_command *command,
		    struct tool_options *options)
{
	bool has_frame = options->format != NULL || options->width != 0 ||
			 options->height != 0;

	if (options->has_length && has_frame) {
		return tool_usage_error(
			command,
			"give --size, or --format, --width and --height, not both");
	}
	if (!has_frame) {
		return TOOL_OK;
	}
	if (options->format == NULL || options->width == 0 ||
	    options->height == 0) {
		return tool_usage_error(
			command,
			"--format, --width and --height belong together");
	}
	options->length = tool_frame_size(options->format, options->width,
					  options->height);
	if (options->length == 0) {
		return tool_usage_error(
			command,
			"no format is called '%s' here: use --size, or one of %s",
			options->format, tool_format_names());
	}
	options->has_length = true;
	return TOOL_OK;
}
