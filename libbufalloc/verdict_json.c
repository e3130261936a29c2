/* SPDX-License-Identifier: MIT */
/*
 * Verdicts as JSON. Own code and not json-c, because the library needs nothing
 * but libc: objects of known members, and strings that come from file names.
 */
#include <stdint.h>
#include <stdio.h>

#include "backend.h"
#include "verdict.h"

/* Counts what does not fit, as snprintf(3) does. */
struct json {
	char *text;
	size_t size;
	size_t len;
};

static void
put_char(struct json *json, char c)
{
	if (json->len + 1 < json->size) {
		json->text[json->len] = c;
		json->text[json->len + 1] = '\0';
	}
	json->len++;
}

static void
put_text(struct json *json, const char *text)
{
	while (*text != '\0') {
		put_char(json, *text++);
	}
}

/* Bytes that are no ASCII stay what they are: names are UTF-8. */
static void
put_string(struct json *json, const char *text)
{
	char code[8];

	put_char(json, '"');
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20) {
			snprintf(code, sizeof(code), "\\u%04x", c);
			put_text(json, code);
			continue;
		}
		if (c == '"' || c == '\\') {
			put_char(json, '\\');
		}
		put_char(json, (char)c);
	}
	put_char(json, '"');
}

static void
put_name(struct json *json, const char *name)
{
	put_string(json, name);
	put_char(json, ':');
}

static void
put_number(struct json *json, const char *name, int64_t value, char end)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", (long long)value);
	put_name(json, name);
	put_text(json, digits);
	put_char(json, end);
}

static void
put_member(struct json *json, const char *name, const char *text, char end)
{
	put_name(json, name);
	if (text == NULL) {
		put_text(json, "null");
	} else {
		put_string(json, text);
	}
	put_char(json, end);
}

static void
put_fourcc_member(struct json *json, const char *name, uint32_t fourcc)
{
	char text[16];
	struct writer w = { .text = text, .size = sizeof(text) };

	if (fourcc == 0) {
		put_member(json, name, NULL, ',');
		return;
	}
	private_put_fourcc(&w, fourcc);
	put_member(json, name, text, ',');
}

static void
put_layout(struct json *json, const struct bufalloc_layout *layout)
{
	uint32_t i;

	put_char(json, '{');
	put_fourcc_member(json, "fourcc", layout->fourcc);
	put_fourcc_member(json, "pixelformat", layout->pixelformat);
	put_number(json, "width", layout->width, ',');
	put_number(json, "height", layout->height, ',');
	put_name(json, "planes");
	for (i = 0; i < layout->plane_count; i++) {
		const struct bufalloc_plane *plane = &layout->planes[i];

		put_text(json, i == 0 ? "[{" : ",{");
		put_number(json, "memory", plane->memory, ',');
		put_number(json, "offset", (int64_t)plane->offset, ',');
		put_number(json, "stride", plane->stride, ',');
		put_number(json, "lines", plane->lines, ',');
		put_number(json, "length", (int64_t)plane->length, '}');
	}
	put_text(json, "],");
	put_name(json, "lengths");
	for (i = 0; i < layout->memory_count; i++) {
		char digits[24];

		snprintf(digits, sizeof(digits), "%s%llu", i == 0 ? "[" : ",",
			 (unsigned long long)layout->lengths[i]);
		put_text(json, digits);
	}
	put_text(json, "]}");
}

static const char *
proof_name(uint32_t proof)
{
	switch (proof) {
	case BUFALLOC_PROOF_MAPPED:
		return "mapped";
	case BUFALLOC_PROOF_VMAPPED:
		return "vmapped";
	case BUFALLOC_PROOF_UNPROVEN:
		return "unproven";
	case BUFALLOC_PROOF_IMPORTED:
		return "imported";
	default:
		return "none";
	}
}

static void
put_devices(struct json *json, const struct bufalloc_verdict *verdict)
{
	size_t i;

	put_char(json, '[');
	for (i = 0; i < verdict->count; i++) {
		const struct bufalloc_use_result *result =
			&verdict->uses[i].result;

		put_text(json, i == 0 ? "{" : ",{");
		put_member(json, "label", result->label, ',');
		put_member(json, "proof", proof_name(result->proof), ',');
		put_number(json, "segments", result->segments, ',');
		put_number(json, "error", result->error, ',');
		put_number(json, "reason", result->reason, '}');
	}
	put_char(json, ']');
}

static void
put_tried(struct json *json, const struct bufalloc_verdict *verdict)
{
	size_t i;

	put_char(json, '[');
	for (i = 0; i < verdict->try_count; i++) {
		const struct bufalloc_try *try = &verdict->tries[i].pub;

		put_text(json, i == 0 ? "{" : ",{");
		put_member(json, "backend", try->backend, ',');
		put_member(json, "place", try->place, ',');
		put_number(json, "error", try->error, ',');
		put_number(json, "device", try->device, ',');
		put_number(json, "reason", try->reason, ',');
		put_member(json, "text", try->text, '}');
	}
	put_char(json, ']');
}

int
bufalloc_verdict_json(const struct bufalloc_verdict *verdict, char *text,
		      size_t size)
{
	struct json json = { .text = text, .size = size };

	if (size > 0) {
		text[0] = '\0';
	}
	put_char(&json, '{');
	put_number(&json, "error", verdict->error, ',');
	put_number(&json, "reason", verdict->reason, ',');
	put_number(&json, "device", verdict->device, ',');
	put_member(&json, "text", verdict->text, ',');
	put_member(&json, "backend", bufalloc_verdict_get_backend(verdict),
		   ',');
	put_member(&json, "place",
		   verdict->backend == NULL ? NULL : verdict->place, ',');
	put_name(&json, "layout");
	if (verdict->has_layout) {
		put_layout(&json, &verdict->layout);
	} else {
		put_text(&json, "null");
	}
	put_char(&json, ',');
	put_name(&json, "devices");
	put_devices(&json, verdict);
	put_char(&json, ',');
	put_name(&json, "tried");
	put_tried(&json, verdict);
	put_char(&json, '}');
	return (int)json.len;
}
