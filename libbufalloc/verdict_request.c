/* SPDX-License-Identifier: MIT */
/* Verdicts on requests: their sentences. */
#include "verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bufalloc_verdict *
private_verdict_new(const struct bufalloc_request *req)
{
	struct bufalloc_verdict *verdict;

	verdict = calloc(1, sizeof(*verdict));
	if (verdict == NULL) {
		return NULL;
	}
	verdict->of_request = true;
	verdict->format = req->format->fourcc != 0 ? req->format->fourcc :
						     req->format->pixelformat;
	verdict->width = req->width;
	verdict->height = req->height;
	verdict->device = -1;
	verdict->length = req->length;
	verdict->count = req->count;
	return verdict;
}

void
private_verdict_set_nodes(struct bufalloc_verdict *verdict,
			  const struct node *nodes)
{
	size_t i;

	for (i = 0; i < verdict->count; i++) {
		snprintf(verdict->uses[i].result.label,
			 sizeof(verdict->uses[i].result.label), "%s",
			 nodes[i].label);
	}
}

void
private_verdict_refuse(struct bufalloc_verdict *verdict,
		       const struct refusal *refusal)
{
	verdict->error = refusal->error;
	verdict->reason = refusal->reason;
	verdict->device = refusal->device;
	snprintf(verdict->detail, sizeof(verdict->detail), "%s",
		 refusal->detail);
	if (refusal->device >= 0) {
		struct bufalloc_use_result *result =
			&verdict->uses[refusal->device].result;

		result->error = refusal->error;
		result->reason = refusal->reason;
	}
}

void
private_put_fourcc(struct writer *w, uint32_t fourcc)
{
	char text[5];
	int i, len = 0;

	for (i = 0; i < 4; i++) {
		text[i] = (char)(fourcc >> (8 * i) & 0xff);
		if (text[i] < ' ' || text[i] > '~') {
			put(w, "0x%08" PRIx32, fourcc);
			return;
		}
		if (text[i] != ' ') {
			len = i + 1;
		}
	}
	put(w, "%.*s", len, text);
}

/* "NV12 1920x1080", or "4096 bytes". */
static void
put_what(struct writer *w, const struct bufalloc_verdict *verdict)
{
	if (verdict->format == 0) {
		put(w, "%" PRIu64 " bytes", verdict->length);
		return;
	}
	private_put_fourcc(w, verdict->format);
	put(w, " %" PRIu32 "x%" PRIu32, verdict->width, verdict->height);
}

static void
put_detail(struct writer *w, const struct bufalloc_verdict *verdict)
{
	if (verdict->detail[0] != '\0') {
		put(w, ": %s", verdict->detail);
	}
}

static void
put_no_layout(struct writer *w, const struct bufalloc_verdict *verdict)
{
	const char *label = verdict->device < 0 ?
				    "the request" :
				    verdict->uses[verdict->device].result.label;

	put(w, "no layout for ");
	put_what(w, verdict);
	put(w, ": ");
	switch (verdict->reason) {
	case BUFALLOC_WHY_FORMAT:
		put(w, "%s does not take this format", label);
		put(w, "; ask for one that it lists ('v4l2-ctl --list-formats-ext')");
		break;
	case BUFALLOC_WHY_SIZE:
		if (verdict->device < 0) {
			put(w, "it is larger than any memory; ask for less");
			break;
		}
		put(w, "%s does not take this size", label);
		put_detail(w, verdict);
		put(w, "; ask for that, or set its input and its timings first");
		break;
	case BUFALLOC_WHY_STRIDE:
	case BUFALLOC_WHY_LINES:
	case BUFALLOC_WHY_OFFSET:
		put(w, "%s takes no such picture as the others do", label);
		put_detail(w, verdict);
		put(w, "; ask for another size or format, or for less alignment");
		break;
	case BUFALLOC_WHY_LAYOUT:
		put(w, "the devices do not agree, %s wants something else each time; ask for another size or format",
		    label);
		break;
	case BUFALLOC_WHY_SHOW:
		put(w, "%s makes no framebuffer of it; ask for a format and a size that it shows ('modetest -p')",
		    label);
		break;
	case BUFALLOC_WHY_LENGTH:
		put(w, "how many bytes it takes is not known; set a length");
		break;
	default:
		put(w, "%s does not answer: %s", label,
		    bufalloc_strerror(verdict->error));
	}
}

static void
put_layout(struct writer *w, const struct bufalloc_verdict *verdict)
{
	const struct bufalloc_layout *layout = &verdict->layout;
	uint32_t i;

	put_what(w, verdict);
	if (layout->planes[0].stride != 0) {
		put(w, " in lines of %" PRIu32 " bytes",
		    layout->planes[0].stride);
	}
	put(w, ", %" PRIu64, layout->lengths[0]);
	for (i = 1; i < layout->memory_count; i++) {
		put(w, " + %" PRIu64, layout->lengths[i]);
	}
	put(w, " bytes in %" PRIu32 " dma-buf%s", layout->memory_count,
	    layout->memory_count == 1 ? "" : "s");
	for (i = 0; i < verdict->count; i++) {
		put(w, "%s%s", i == 0 ? "; " : ", ",
		    verdict->uses[i].result.label);
	}
	if (verdict->count > 0) {
		put(w, " take%s it", verdict->count == 1 ? "s" : "");
	}
}

void
private_verdict_write_request(struct bufalloc_verdict *verdict)
{
	struct writer w = {
		.text = verdict->text,
		.size = sizeof(verdict->text),
	};

	if (!verdict->has_layout) {
		put_no_layout(&w, verdict);
	} else {
		put_layout(&w, verdict);
	}
}
