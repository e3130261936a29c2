/* SPDX-License-Identifier: MIT */
/* A verdict as the library's other files see it. */
#ifndef LIBBUFALLOC_VERDICT_H
#define LIBBUFALLOC_VERDICT_H

#include "node.h"
#include "private.h"
#include "request.h"
#include "writer.h"

/** An empty verdict on a request; NULL if there is not enough memory. */
struct bufalloc_verdict *
private_verdict_new(const struct bufalloc_request *req);

/** The devices of a verdict, as user space knows them. */
void
private_verdict_set_nodes(struct bufalloc_verdict *verdict,
			  const struct node *nodes);

/** Why there is no layout. */
void
private_verdict_refuse(struct bufalloc_verdict *verdict,
		       const struct refusal *refusal);

/** "NV12", "0x00000001". */
void
private_put_fourcc(struct writer *w, uint32_t fourcc);

/** Write verdict->text of a verdict on a request. */
void
private_verdict_write_request(struct bufalloc_verdict *verdict);

#endif /* LIBBUFALLOC_VERDICT_H */
