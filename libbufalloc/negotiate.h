/* SPDX-License-Identifier: MIT */
/* A layout that all devices of a request accept. */
#ifndef LIBBUFALLOC_NEGOTIATE_H
#define LIBBUFALLOC_NEGOTIATE_H

#include "node.h"
#include "request.h"

/**
 * nodes: those of req, described. Returns 0 and fills in *layout, or a negative
 * errno with *refusal filled in.
 */
int
private_negotiate(const struct bufalloc_request *req, const struct node *nodes,
		  struct bufalloc_layout *layout, struct refusal *refusal);

#endif /* LIBBUFALLOC_NEGOTIATE_H */
