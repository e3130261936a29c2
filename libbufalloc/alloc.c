/* SPDX-License-Identifier: MIT */
/*
 * bufalloc_alloc(): one backend and place after the other, until there is memory
 * that every device imports.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "drm.h"
#include "negotiate.h"
#include "v4l2.h"
#include "verdict.h"

/* A place of a backend that is still to be tried. */
struct candidate {
	const struct backend *backend;
	struct place place;
	bool has_allocated;
	bool is_unproven; /* has allocated, and no device refused it */
};

struct search {
	struct attempt attempt;
	struct bufalloc_verdict *verdict;
	const struct bufalloc_buf *like; /* NULL, or what is wanted again */
	struct candidate again;
	struct bufalloc_layout layout;
	struct node nodes[BUFALLOC_MAX_DEVICES];
	struct candidate candidates[MAX_TRIES];
	size_t count;
};

/* Errors after which nothing else would succeed. */
static bool
is_fatal(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -EINTR;
}

static int
import(const struct node *node, const struct bufalloc_layout *layout,
       const struct memory *memories, struct refusal *refusal)
{
	switch (node->kind) {
	case NODE_V4L2:
		return private_v4l2_import(node, layout, memories, refusal);
	case NODE_DRM:
		return private_drm_import(node, layout, memories, refusal);
	default:
		return TRIAL_UNKNOWN;
	}
}

static bool
is_proof(uint32_t proof)
{
	return proof == BUFALLOC_PROOF_IMPORTED ||
	       proof == BUFALLOC_PROOF_MAPPED || proof == BUFALLOC_PROOF_VMAPPED;
}

/*
 * Try a buffer on each device. Returns 0, or the errno of the first that refused
 * it. *proven: is it known of each that it can use the buffer?
 */
static int
verify(struct search *search, const struct memory *memories,
       struct refusal *refusal, struct writer *text, bool *proven)
{
	const struct bufalloc_request *req = search->attempt.req;
	bool trial = (req->flags & BUFALLOC_REQUEST_NO_TRIAL) == 0;
	size_t i;

	*proven = true;
	for (i = 0; i < req->count; i++) {
		struct bufalloc_use_result *result =
			&search->verdict->uses[i].result;
		int ret = TRIAL_UNKNOWN;

		if (trial) {
			ret = import(&search->nodes[i], &search->layout,
				     memories, refusal);
		}
		if (ret < 0) {
			refusal->device = (int)i;
			private_put_refused(text, search->nodes[i].label,
					    refusal);
			return ret;
		}
		if (ret == TRIAL_IMPORTED) {
			result->proof = BUFALLOC_PROOF_IMPORTED;
		} else if (!is_proof(result->proof)) {
			*proven = false;
		}
	}
	return 0;
}

static void
close_memories(const struct memory *memories, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		close(memories[i].fd);
	}
}

/* All dma-bufs of one buffer. */
static int
allocate(struct search *search, const struct candidate *candidate,
	 struct memory *memories, struct refusal *refusal, struct writer *text)
{
	const struct bufalloc_layout *layout = &search->layout;
	uint32_t i;

	for (i = 0; i < layout->memory_count; i++) {
		int ret = candidate->backend->alloc(&search->attempt,
						    &candidate->place,
						    layout->lengths[i],
						    &memories[i], refusal,
						    text);

		if (ret < 0) {
			close_memories(memories, i);
			return ret;
		}
		if (candidate->backend != &private_backend_module &&
		    candidate->backend->makes_dmabufs) {
			private_buf_set_name(memories[i].fd,
					     search->attempt.req->name);
		}
	}
	return 0;
}

/* What one trial found out about the devices means nothing for the next. */
static void
forget_devices(struct search *search)
{
	struct bufalloc_verdict *verdict = search->verdict;
	size_t i;

	for (i = 0; i < verdict->count; i++) {
		verdict->uses[i] = (struct verdict_use){ 0 };
	}
	private_verdict_set_nodes(verdict, search->nodes);
	verdict->reason = BUFALLOC_REASON_NONE;
	verdict->device = -1;
	verdict->with = 0;
	verdict->heap = BUFALLOC_AUTO;
	verdict->runs = 0;
	verdict->granted = 0;
}

/*
 * Try one place. 1: it is unproven, and only what is proven is wanted. 0: buf has
 * its memory. Else a negative errno, and the verdict has the try.
 */
static int
try_candidate(struct search *search, struct candidate *candidate,
	      bool unproven_will_do, struct bufalloc_buf *buf)
{
	struct memory memories[BUFALLOC_MAX_PLANES];
	struct refusal refusal = { .device = -1 };
	struct verdict_try *try;
	struct writer text;
	bool proven;
	int ret;

	try = private_verdict_try(search->verdict, candidate->backend->name,
				  candidate->place.name, &text);
	forget_devices(search);
	ret = allocate(search, candidate, memories, &refusal, &text);
	if (ret == 0) {
		candidate->has_allocated = true;
		ret = verify(search, memories, &refusal, &text, &proven);
		if (ret == 0 && (proven || unproven_will_do)) {
			buf->memory_count = search->layout.memory_count;
			memcpy(buf->memories, memories, sizeof(memories));
			buf->backend = candidate->backend;
			buf->place = candidate->place;
			return 0;
		}
		close_memories(memories, search->layout.memory_count);
	}
	if (ret == 0) {
		candidate->is_unproven = true;
		private_verdict_untry(search->verdict);
		return 1;
	}
	try->pub.error = ret;
	try->pub.device = refusal.device;
	try->pub.reason = refusal.reason;
	try->is_contiguous = candidate->place.is_contiguous;
	return ret;
}

/* Why a device may not be asked for one of these: to a request's own rules. */
static bool
is_left(struct search *search, const struct backend *backend)
{
	const struct bufalloc_request *req = search->attempt.req;
	struct verdict_try *try;
	struct writer text;

	if (backend == &private_backend_module ||
	    !search->verdict->is_for_module) {
		return false;
	}
	try = private_verdict_try(search->verdict, backend->name, "", &text);
	try->pub.error = -EOPNOTSUPP;
	try->pub.reason = BUFALLOC_WHY_ATTRIBUTE;
	put(&text, "%s is asked for, which only bufalloc.ko has",
	    req->heap != BUFALLOC_AUTO ? "a heap" : "an attribute");
	return true;
}

/* The places of a backend, behind those that are known. */
static void
list_candidates(struct search *search, const struct backend *backend)
{
	struct place places[MAX_TRIES];
	struct verdict_try *try;
	struct writer text;
	int count, i;

	try = private_verdict_try(search->verdict, backend->name, "", &text);
	count = backend->list(&search->attempt, places,
			      MAX_TRIES - MAX_BACKENDS - search->count, &text);
	if (count < 0) {
		try->pub.error = count;
		try->pub.reason = count == -EOPNOTSUPP ?
					  BUFALLOC_WHY_NO_DMABUF :
					  BUFALLOC_WHY_OPEN;
		return;
	}
	private_verdict_untry(search->verdict);
	for (i = 0; i < count; i++) {
		search->candidates[search->count++] = (struct candidate){
			.backend = backend,
			.place = places[i],
		};
	}
}

/* Each place of a backend, for what is proven. */
static int
search_backend(struct search *search, const struct backend *backend,
	       struct bufalloc_buf *buf, struct candidate **chosen)
{
	size_t i = search->count;

	if (is_left(search, backend)) {
		return -ENOENT;
	}
	list_candidates(search, backend);
	for (; i < search->count; i++) {
		struct candidate *candidate = &search->candidates[i];
		int ret;

		if (candidate->place.is_second_choice &&
		    !search->candidates[i - 1].has_allocated) {
			continue;
		}
		ret = try_candidate(search, candidate, false, buf);
		if (ret == 0 || is_fatal(ret)) {
			*chosen = candidate;
			return ret;
		}
	}
	return -ENOENT;
}

static int
search_proven(struct search *search, struct bufalloc_buf *buf,
	      struct candidate **chosen)
{
	const struct bufalloc_ctx *ctx = search->attempt.ctx;
	int ret = -ENOENT;
	size_t i;

	if (ctx->backend_count == 0) {
		return search_backend(search, &private_backend_module, buf,
				      chosen);
	}
	for (i = 0; i < ctx->backend_count && *chosen == NULL; i++) {
		ret = search_backend(search, ctx->backends[i], buf, chosen);
	}
	return ret;
}

/* Where nothing is proven: contiguous memory suits more devices. */
static int
search_unproven(struct search *search, struct bufalloc_buf *buf,
		struct candidate **chosen)
{
	int contiguous;
	size_t i;

	for (contiguous = 1; contiguous >= 0; contiguous--) {
		for (i = 0; i < search->count; i++) {
			struct candidate *candidate = &search->candidates[i];
			int ret;

			if (!candidate->is_unproven ||
			    candidate->place.is_contiguous != contiguous) {
				continue;
			}
			ret = try_candidate(search, candidate, true, buf);
			if (ret == 0 || is_fatal(ret)) {
				*chosen = candidate;
				return ret;
			}
		}
	}
	return -ENOENT;
}

/* Where there was memory before that all devices could use. */
static int
search_again(struct search *search, struct bufalloc_buf *buf,
	     struct candidate **chosen)
{
	int ret;

	if (search->like == NULL) {
		return -ENOENT;
	}
	search->again.backend = search->like->backend;
	search->again.place = search->like->place;
	ret = try_candidate(search, &search->again, true, buf);
	if (ret == 0 || is_fatal(ret)) {
		*chosen = &search->again;
	}
	return ret;
}

static int
find_memory(struct search *search, struct bufalloc_buf *buf)
{
	struct candidate *chosen = NULL;
	int ret;

	ret = search_again(search, buf, &chosen);
	if (chosen == NULL) {
		ret = search_proven(search, buf, &chosen);
	}
	if (chosen == NULL) {
		ret = search_unproven(search, buf, &chosen);
	}
	if (ret == 0) {
		private_verdict_choose(search->verdict, chosen->backend,
				       chosen->place.name);
		buf->has_layout = true;
		buf->layout = search->layout;
		return 0;
	}
	if (chosen == NULL) {
		ret = private_verdict_conclude(search->verdict);
	} else {
		search->verdict->error = ret;
	}
	return ret;
}

/* Everything but the buffer's and the verdict's own memory. */
static int
run(struct search *search, struct bufalloc_buf *buf)
{
	const struct bufalloc_request *req = search->attempt.req;
	struct bufalloc_verdict *verdict = search->verdict;
	struct refusal refusal;
	int ret;

	ret = private_describe_all(req, search->nodes, verdict, &refusal);
	if (ret == 0 && search->like != NULL) {
		search->layout = search->like->layout;
	} else if (ret == 0) {
		ret = private_negotiate(req, search->nodes, &search->layout,
					&refusal);
	}
	if (ret < 0) {
		private_verdict_refuse(verdict, &refusal);
		return ret;
	}
	verdict->layout = search->layout;
	verdict->has_layout = true;
	verdict->wants_memory = true;
	return find_memory(search, buf);
}

int
private_alloc_like(struct bufalloc_ctx *ctx, const struct bufalloc_request *req,
		   const struct bufalloc_buf *like,
		   struct bufalloc_buf **buf_ptr,
		   struct bufalloc_verdict **verdict_ptr)
{
	struct search *search = calloc(1, sizeof(*search));
	struct bufalloc_buf *buf = private_buf_new();
	struct bufalloc_verdict *verdict = private_verdict_new(req);
	int ret = -ENOMEM;

	if (search != NULL && buf != NULL && verdict != NULL) {
		search->verdict = verdict;
		search->like = like;
		search->attempt = (struct attempt){
			.ctx = ctx,
			.req = req,
			.nodes = search->nodes,
			.layout = &search->layout,
			.verdict = verdict,
		};
		ret = run(search, buf);
	}
	free(search);

	if (ret == 0 && (req->flags & BUFALLOC_REQUEST_DRY_RUN) == 0) {
		*buf_ptr = buf;
	} else {
		bufalloc_buf_destroy(buf);
	}
	if (verdict != NULL) {
		if (ret < 0) {
			verdict->error = ret;
		}
		private_verdict_write_request(verdict);
	}
	if (verdict_ptr != NULL) {
		*verdict_ptr = verdict;
	} else {
		bufalloc_verdict_destroy(verdict);
	}
	return ret;
}

int
bufalloc_alloc(struct bufalloc_ctx *ctx, const struct bufalloc_request *req,
	       struct bufalloc_buf **buf, struct bufalloc_verdict **verdict)
{
	return private_alloc_like(ctx, req, NULL, buf, verdict);
}
