/* SPDX-License-Identifier: MIT */
/* A layout that all devices of a request accept. */
#ifndef LIBBUFALLOC_NEGOTIATE_H
#define LIBBUFALLOC_NEGOTIATE_H

#include "node.h"
#include "request.h"

/**
 * Describe the devices of a request, for a verdict. Returns 0, or -EBADF with
 * *refusal filled in: one is not open.
 */
int
private_describe_all(const struct bufalloc_request *req, struct node *nodes,
		     struct bufalloc_verdict *verdict,
		     struct refusal *refusal);

/**
 * nodes: those of req, described. Returns 0 and fills in *layout, or a negative
 * errno with *refusal filled in.
 */
int
private_negotiate(const struct bufalloc_request *req, const struct node *nodes,
		  struct bufalloc_layout *layout, struct refusal *refusal);

#endif /* LIBBUFALLOC_NEGOTIATE_H */
