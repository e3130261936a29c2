/* SPDX-License-Identifier: MIT */
/*
 * Devices only say what they want when they are shown a layout. So each is shown
 * one in turn, and what it wants more goes into the next, until all of them take
 * the same one. What they want only grows, so it ends.
 */
#include "negotiate.h"

#include <errno.h>
#include <string.h>

#include "drm.h"
#include "v4l2.h"
#include "verdict.h"

/* Layouts that are shown before it is given up: a device wants more each time. */
#define MAX_ROUNDS 16

static int
try_node(const struct node *node, const struct format *format,
	 const struct bufalloc_layout *layout, struct layout_rules *rules,
	 struct refusal *refusal)
{
	switch (node->kind) {
	case NODE_V4L2:
		return private_v4l2_try(node, format, layout, rules, refusal);
	case NODE_DRM:
		return private_drm_try(node, format, layout, rules, refusal);
	default:
		return 1;
	}
}

/* One dma-buf is not what this device takes the format in: would several be? */
static bool
takes_several(const struct bufalloc_request *req, const struct node *node,
	      const struct layout_rules *rules, const struct refusal *refusal)
{
	struct layout_rules split = *rules;
	struct bufalloc_layout layout;
	struct refusal ignored;

	if (refusal->reason != BUFALLOC_WHY_FORMAT || rules->split ||
	    req->memories != BUFALLOC_MEMORIES_AUTO ||
	    req->format->plane_count == 1) {
		return false;
	}
	split.split = true;
	return private_layout_compute(req->format, req->width, req->height,
				      &split, &layout) == 0 &&
	       try_node(node, req->format, &layout, &split, &ignored) >= 0;
}

/* Show a layout to all. 1: all take it; 0: the rules have changed. */
static int
show(const struct bufalloc_request *req, const struct node *nodes,
     const struct bufalloc_layout *layout, struct layout_rules *rules,
     struct refusal *refusal)
{
	size_t i;

	for (i = 0; i < req->count; i++) {
		int ret;

		refusal->device = (int)i;
		ret = try_node(&nodes[i], req->format, layout, rules, refusal);
		if (ret < 0 && takes_several(req, &nodes[i], rules, refusal)) {
			rules->split = true;
			return 0;
		}
		if (ret != 1) {
			return ret;
		}
	}
	return 1;
}

int
private_describe_all(const struct bufalloc_request *req, struct node *nodes,
		     struct bufalloc_verdict *verdict, struct refusal *refusal)
{
	size_t i;
	int ret = 0;

	*refusal = (struct refusal){ .device = -1 };
	for (i = 0; i < req->count; i++) {
		private_node_describe(&nodes[i], &req->uses[i]);
		if (nodes[i].error == -EBADF && ret == 0) {
			refusal->device = (int)i;
			ret = private_refuse(refusal, -EBADF,
					     BUFALLOC_REASON_NOT_A_DEVICE, "%s",
					     "");
		}
	}
	private_verdict_set_nodes(verdict, nodes);
	return ret;
}

int
private_negotiate(const struct bufalloc_request *req, const struct node *nodes,
		  struct bufalloc_layout *layout, struct refusal *refusal)
{
	struct layout_rules rules = private_request_rules(req);
	int round;

	*refusal = (struct refusal){ .device = -1 };
	for (round = 0; round < MAX_ROUNDS; round++) {
		struct bufalloc_layout shown;
		int ret;

		ret = private_layout_compute(req->format, req->width,
					     req->height, &rules, &shown);
		if (ret < 0) {
			refusal->device = -1;
			return private_refuse(refusal, ret, BUFALLOC_WHY_SIZE,
					      "%s", "");
		}
		ret = req->format == &private_format_none ?
			      1 :
			      show(req, nodes, &shown, &rules, refusal);
		if (ret < 0) {
			return ret;
		}
		if (ret == 1) {
			if (shown.lengths[0] == 0) {
				refusal->device = -1;
				return private_refuse(refusal, -EINVAL,
						      BUFALLOC_WHY_LENGTH,
						      "%s", "");
			}
			*layout = shown;
			return 0;
		}
	}
	return private_refuse(refusal, -ENOSPC, BUFALLOC_WHY_LAYOUT, "%s", "");
}

int
bufalloc_request_negotiate(struct bufalloc_request *req,
			   const struct bufalloc_layout **layout,
			   struct bufalloc_verdict **verdict_ptr)
{
	struct node nodes[BUFALLOC_MAX_DEVICES];
	struct bufalloc_verdict *verdict;
	struct refusal refusal;
	int ret;

	verdict = private_verdict_new(req);
	if (verdict_ptr != NULL) {
		*verdict_ptr = verdict;
	}
	if (verdict == NULL) {
		return -ENOMEM;
	}
	ret = private_describe_all(req, nodes, verdict, &refusal);
	if (ret == 0) {
		ret = private_negotiate(req, nodes, &verdict->layout, &refusal);
	}
	if (ret < 0) {
		private_verdict_refuse(verdict, &refusal);
	} else {
		verdict->has_layout = true;
		req->layout = verdict->layout;
		*layout = &req->layout;
	}
	private_verdict_write_request(verdict);
	if (verdict_ptr == NULL) {
		bufalloc_verdict_destroy(verdict);
	}
	return ret;
}
