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

/** Another try, so far without an error; its sentence goes to text. */
struct verdict_try *
private_verdict_try(struct bufalloc_verdict *verdict, const char *backend,
		    const char *place, struct writer *text);

/** The last try was none. */
void
private_verdict_untry(struct bufalloc_verdict *verdict);

/** The last try is the one that is taken. */
void
private_verdict_choose(struct bufalloc_verdict *verdict,
		       const struct backend *backend, const char *place);

/** All tries failed: what does that mean? Returns the errno of it. */
int
private_verdict_conclude(struct bufalloc_verdict *verdict);

/** "video0 (vivid) refuses it (EFAULT)". */
void
private_put_refused(struct writer *w, const char *label,
		    const struct refusal *refusal);

/** The sentences of the module's verdict, for parts of others. */
void
private_verdict_put_choice(struct writer *w,
			   const struct bufalloc_verdict *verdict);
void
private_verdict_put_proofs(struct writer *w,
			   const struct bufalloc_verdict *verdict);
void
private_verdict_put_refusal(struct writer *w,
			    const struct bufalloc_verdict *verdict,
			    bool with_advice);

/** "NV12". The fourcc is of a format that the library knows, and so text. */
void
private_put_fourcc(struct writer *w, uint32_t fourcc);

/** Write verdict->text of a verdict on a request. */
void
private_verdict_write_request(struct bufalloc_verdict *verdict);

#endif /* LIBBUFALLOC_VERDICT_H */
