/* SPDX-License-Identifier: MIT */
/* Verdicts on requests: how they are made, try by try. */
#include "verdict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend.h"

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
	verdict->wanted = req->attributes;
	verdict->is_for_module = req->required != 0 ||
				 req->heap != BUFALLOC_AUTO;
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

struct verdict_try *
private_verdict_try(struct bufalloc_verdict *verdict, const char *backend,
		    const char *place, struct writer *text)
{
	struct verdict_try *try;

	/* list_candidates() makes no more than there is room for. */
	if (verdict->try_count == MAX_TRIES) {
		verdict->try_count--;
	}
	try = &verdict->tries[verdict->try_count++];
	*try = (struct verdict_try){
		.pub = {
			.backend = backend,
			.place = try->place,
			.device = -1,
			.text = try->text,
		},
	};
	snprintf(try->place, sizeof(try->place), "%s", place);
	*text = (struct writer){
		.text = try->text,
		.size = sizeof(try->text),
	};
	return try;
}

void
private_verdict_untry(struct bufalloc_verdict *verdict)
{
	verdict->try_count--;
}

void
private_verdict_choose(struct bufalloc_verdict *verdict,
		       const struct backend *backend, const char *place)
{
	verdict->backend = backend;
	snprintf(verdict->place, sizeof(verdict->place), "%s", place);
	if (backend == &private_backend_module) {
		struct verdict_try *try = &verdict->tries[verdict->try_count - 1];

		/* It was asked for "auto", and this is what that was. */
		snprintf(verdict->place, sizeof(verdict->place), "%s",
			 bufalloc_heap_name(verdict->heap));
		snprintf(try->place, sizeof(try->place), "%s", verdict->place);
	}
}

/*
 * How much an error says about what the caller could do: the larger, the more.
 * Memory that ran out is a matter of now, a device that refuses what there is is
 * one of this machine, and what was not there was not tried.
 */
static int
weight(const struct bufalloc_try *try)
{
	switch (try->reason) {
	case BUFALLOC_WHY_NO_IMPORT:
		return 8;
	case BUFALLOC_REASON_MEMORY:
		return 7;
	case BUFALLOC_REASON_LIMIT:
		return 6;
	case BUFALLOC_WHY_ALLOC:
		return 4;
	case BUFALLOC_WHY_OPEN:
		return try->error == -EACCES || try->error == -EPERM ? 3 : 1;
	case BUFALLOC_REASON_NOT_A_DEVICE:
	case BUFALLOC_REASON_NONE:
		return 2;
	case BUFALLOC_WHY_ATTRIBUTE:
	case BUFALLOC_WHY_NO_DMABUF:
		return 0;
	default:
		return 5; /* a device refuses it */
	}
}

static int
error_of(const struct bufalloc_try *try)
{
	switch (weight(try)) {
	case 8:
		return -EOPNOTSUPP;
	case 7:
		return -ENOMEM;
	case 6:
		return -EDQUOT;
	case 5:
		return -ENOSPC;
	case 1:
		return -ENOENT;
	default:
		return try->error;
	}
}

int
private_verdict_conclude(struct bufalloc_verdict *verdict)
{
	const struct bufalloc_try *best = NULL;
	const struct bufalloc_try *refused = NULL;
	size_t i;

	for (i = 0; i < verdict->try_count; i++) {
		const struct bufalloc_try *try = &verdict->tries[i].pub;

		if (best == NULL || weight(try) > weight(best)) {
			best = try;
		}
		if (refused == NULL && weight(try) == 5) {
			refused = try;
		}
	}
	if (best == NULL) {
		verdict->error = -ENOENT;
		verdict->reason = BUFALLOC_WHY_NOTHING;
		return verdict->error;
	}
	verdict->error = error_of(best);
	verdict->reason = best->reason;
	verdict->device = best->device;
	if (verdict->device < 0 && refused != NULL) {
		verdict->device = refused->device;
	}
	return verdict->error;
}

void
private_put_refused(struct writer *w, const char *label,
		    const struct refusal *refusal)
{
	switch (refusal->reason) {
	case BUFALLOC_WHY_NO_IMPORT:
		put(w, "%s takes no dma-bufs", label);
		return;
	case BUFALLOC_WHY_SHOW:
		put(w, "%s makes no framebuffer of it (", label);
		break;
	case BUFALLOC_WHY_ASK:
		put(w, "%s does not answer (", label);
		break;
	default:
		put(w, "%s refuses it (", label);
	}
	private_put_errno(w, refusal->error);
	put(w, ")");
}

const char *
bufalloc_verdict_get_backend(const struct bufalloc_verdict *verdict)
{
	return verdict->backend == NULL ? NULL : verdict->backend->name;
}

size_t
bufalloc_verdict_get_try_count(const struct bufalloc_verdict *verdict)
{
	return verdict->try_count;
}

const struct bufalloc_try *
bufalloc_verdict_get_try(const struct bufalloc_verdict *verdict, size_t index)
{
	return index < verdict->try_count ? &verdict->tries[index].pub : NULL;
}
