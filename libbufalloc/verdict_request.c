/* SPDX-License-Identifier: MIT */
/* Verdicts on requests: their sentences. */
#include "verdict.h"

#include <errno.h>
#include <inttypes.h>

#include "backend.h"

void
private_put_fourcc(struct writer *w, uint32_t fourcc)
{
	char text[5];
	int i, len = 0;

	for (i = 0; i < 4; i++) {
		text[i] = (char)(fourcc >> (8 * i) & 0xff);
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
	case BUFALLOC_REASON_NOT_A_DEVICE:
		put(w, "%s is not open", label);
		break;
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

/* "8294400 bytes", of all dma-bufs. */
static unsigned long long
bytes_of(const struct bufalloc_verdict *verdict)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < verdict->layout.memory_count; i++) {
		bytes += verdict->layout.lengths[i];
	}
	return bytes;
}

static void
put_try(struct writer *w, const struct verdict_try *try)
{
	put(w, "%s", try->pub.backend);
	if (try->place[0] != '\0') {
		put(w, " %s", try->place);
	}
	put(w, ": %s", try->text);
}

/* What was tried and left, each with its reason. */
static void
put_tries(struct writer *w, const struct bufalloc_verdict *verdict,
	  const char *before)
{
	bool any = false;
	size_t i;

	for (i = 0; i < verdict->try_count; i++) {
		if (verdict->tries[i].pub.error != 0) {
			put(w, "%s", any ? "; " : before);
			put_try(w, &verdict->tries[i]);
			any = true;
		}
	}
	if (any) {
		put(w, ")");
	}
}

static void
put_success(struct writer *w, const struct bufalloc_verdict *verdict)
{
	put(w, "%s", verdict->backend->name);
	if (verdict->backend == &private_backend_module) {
		put(w, " ");
		private_verdict_put_choice(w, verdict);
	} else {
		if (verdict->place[0] != '\0') {
			put(w, " %s", verdict->place);
		}
		put(w, " was chosen");
	}
	put_tries(w, verdict, " (left: ");
	private_verdict_put_proofs(w, verdict);
	if (!verdict->backend->makes_dmabufs) {
		put(w, "; it is no dma-buf: no device can import it");
	}
}

static bool
is_refused_by_device(const struct verdict_try *try)
{
	return try->pub.device >= 0 &&
	       try->pub.reason != BUFALLOC_REASON_MEMORY &&
	       try->pub.reason != BUFALLOC_REASON_LIMIT &&
	       try->pub.reason != BUFALLOC_REASON_NOT_A_DEVICE;
}

/* The try that says best why there is nothing. */
static const struct verdict_try *
decisive(const struct bufalloc_verdict *verdict)
{
	size_t i;

	for (i = 0; i < verdict->try_count; i++) {
		if (is_refused_by_device(&verdict->tries[i])) {
			return &verdict->tries[i];
		}
	}
	return NULL;
}

static void
put_nothing(struct writer *w, const struct bufalloc_verdict *verdict)
{
	const struct verdict_try *try = decisive(verdict);
	const char *label = "a device";

	if (try != NULL) {
		label = verdict->uses[try->pub.device].result.label;
	}
	switch (-verdict->error) {
	case ENOMEM:
	case EDQUOT:
		if (try == NULL) {
			put(w, "the memory ran out");
		} else if (try->pub.backend == private_backend_module.name) {
			put(w, "%s, and no heap has so many contiguous bytes left",
			    try->text);
		} else {
			put(w, "%s refuses %s memory, and no other has so many bytes left",
			    label,
			    try->is_contiguous ? "this" : "scattered");
		}
		break;
	case ENOSPC:
		put(w, "%s refuses all there is", label);
		break;
	case EOPNOTSUPP:
		if (try != NULL &&
		    try->pub.reason == BUFALLOC_WHY_NO_IMPORT) {
			put(w, "%s takes no dma-bufs", label);
			break;
		}
		/* fallthrough */
	case ENOENT:
		put(w, "nothing on this machine allocates it");
		break;
	case EACCES:
	case EPERM:
		put(w, "no permission on what could allocate it");
		break;
	default:
		put(w, "%s", bufalloc_strerror(verdict->error));
	}
}

static bool
is_module_there(const struct bufalloc_verdict *verdict)
{
	size_t i;

	for (i = 0; i < verdict->try_count; i++) {
		const struct bufalloc_try *try = &verdict->tries[i].pub;

		if (try->backend == private_backend_module.name &&
		    try->reason == BUFALLOC_WHY_OPEN) {
			return false;
		}
	}
	return true;
}

static bool
is_cma_full(const struct bufalloc_verdict *verdict)
{
	size_t i;

	for (i = 0; i < verdict->try_count; i++) {
		const struct verdict_try *try = &verdict->tries[i];

		if (try->pub.backend == private_backend_heap.name &&
		    try->is_contiguous &&
		    try->pub.reason == BUFALLOC_REASON_MEMORY) {
			return true;
		}
	}
	return false;
}

#define LOAD_IT "load bufalloc.ko with 'modprobe bufalloc', as root"

static void
put_nothing_advice(struct writer *w, const struct bufalloc_verdict *verdict)
{
	switch (-verdict->error) {
	case ENOMEM:
		put(w, "; ask for less, or free some");
		if (is_cma_full(verdict)) {
			put(w, ", or enlarge CMA (cma= on the kernel's command line)");
		}
		break;
	case EDQUOT:
		put(w, "; free some, or raise /sys/module/bufalloc/parameters/contig_limit_bytes, as root");
		break;
	case ENOSPC:
		if (is_module_there(verdict)) {
			put(w, "; leave that device out, or use another one");
		} else {
			put(w, "; " LOAD_IT ", which knows what it needs");
		}
		break;
	case ENOENT:
		if (!is_module_there(verdict)) {
			put(w, "; " LOAD_IT);
		}
		break;
	case EOPNOTSUPP:
		put(w, "; leave it out, or use another one");
		break;
	default:
		break;
	}
}

/* Nothing else can help: the module's own sentence, with its advice. */
static bool
is_modules_refusal(const struct bufalloc_verdict *verdict)
{
	return verdict->is_for_module && verdict->reason < BUFALLOC_WHY_FORMAT &&
	       is_module_there(verdict);
}

static void
put_failure(struct writer *w, const struct bufalloc_verdict *verdict)
{
	put(w, "no buffer for ");
	put_what(w, verdict);
	if (verdict->format != 0) {
		put(w, " of %llu bytes", bytes_of(verdict));
	}
	put(w, ": ");
	put_nothing(w, verdict);
	put_tries(w, verdict, " (tried: ");
	put_nothing_advice(w, verdict);
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
	} else if (!verdict->wants_memory) {
		put_layout(&w, verdict);
	} else if (verdict->error == 0) {
		put_success(&w, verdict);
	} else if (is_modules_refusal(verdict)) {
		private_verdict_put_refusal(&w, verdict, true);
	} else {
		put_failure(&w, verdict);
	}
}
