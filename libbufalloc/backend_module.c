/* SPDX-License-Identifier: MIT */
/* bufalloc.ko, which asks the devices itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend.h"
#include "verdict.h"

static void
add(struct place *places, size_t *count, enum bufalloc_heap heap)
{
	struct place *place = &places[*count];

	*place = (struct place){
		.is_contiguous = heap == BUFALLOC_CONTIG ||
				 heap == BUFALLOC_RESERVED ||
				 heap == BUFALLOC_DEVICE_MEMORY,
		.number = heap,
	};
	snprintf(place->name, sizeof(place->name), "%s",
		 bufalloc_heap_name(heap));
	(*count)++;
}

/*
 * The heap that it chooses itself; and contiguous memory, if a device refuses
 * what it chose although nothing speaks against it (a device with an IOMMU that
 * its driver manages).
 */
static int
list(const struct attempt *attempt, struct place *places, size_t max,
     struct writer *text)
{
	size_t count = 0;

	(void)max;
	if (attempt->ctx->fd < 0) {
		put(text, "%s",
		    attempt->ctx->module_error == -ENOENT ?
			    "not loaded" :
			    bufalloc_strerror(attempt->ctx->module_error));
		return attempt->ctx->module_error;
	}
	add(places, &count, attempt->req->heap);
	if (attempt->req->heap == BUFALLOC_AUTO && attempt->req->count > 0) {
		add(places, &count, BUFALLOC_CONTIG);
		places[count - 1].is_second_choice = true;
	}
	return (int)count;
}

/* The library's names of devices are those of their nodes: say the same. */
static void
rename_devices(const struct attempt *attempt, struct bufalloc_verdict *verdict)
{
	size_t i;

	for (i = 0; i < verdict->count; i++) {
		if (attempt->nodes[i].kind != NODE_OTHER) {
			snprintf(verdict->uses[i].result.label,
				 sizeof(verdict->uses[i].result.label), "%s",
				 attempt->nodes[i].label);
		}
	}
}

/* What the module found out becomes what the library says. */
static void
take_verdict(struct bufalloc_verdict *verdict,
	     const struct bufalloc_verdict *from)
{
	size_t i;

	verdict->asked = from->asked;
	verdict->heap = from->heap;
	verdict->tried |= from->tried;
	verdict->runs = from->runs;
	verdict->length = from->length;
	verdict->limit = from->limit;
	verdict->wanted = from->wanted;
	verdict->granted = from->granted;
	for (i = 0; i < verdict->count; i++) {
		verdict->uses[i] = from->uses[i];
	}
	verdict->reason = from->reason;
	verdict->device = from->device;
	verdict->with = from->with;
}

static int
alloc(const struct attempt *attempt, const struct place *place,
      uint64_t length, struct memory *memory, struct refusal *refusal,
      struct writer *text)
{
	const struct bufalloc_request *req = attempt->req;
	struct bufalloc_alloc_options options = {
		.size = sizeof(options),
		.heap = (enum bufalloc_heap)place->number,
		.name = req->name,
		.uses = req->uses,
		.count = req->count,
		.attributes = req->attributes,
		.required = req->required,
	};
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf = NULL;
	int ret;

	ret = bufalloc_alloc_with(attempt->ctx, length, &options, &buf,
				  &verdict);
	if (verdict == NULL) {
		bufalloc_buf_destroy(buf);
		return private_refuse(refusal, ret < 0 ? ret : -ENOMEM,
				      BUFALLOC_REASON_MEMORY, "%s", "");
	}
	rename_devices(attempt, verdict);
	take_verdict(attempt->verdict, verdict);
	if (ret < 0) {
		refusal->device = bufalloc_verdict_get_device(verdict);
		private_refuse(refusal, ret,
			       bufalloc_verdict_get_reason(verdict), "%s", "");
		private_verdict_put_refusal(text, verdict, false);
	} else {
		*memory = buf->memories[0];
		buf->memory_count = 0; /* its descriptor lives on */
		private_buf_free(buf);
	}
	bufalloc_verdict_destroy(verdict);
	return ret;
}

const struct backend private_backend_module = {
	.name = "bufalloc",
	.makes_dmabufs = true,
	.list = list,
	.alloc = alloc,
};
