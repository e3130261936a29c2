/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of bufalloc-v4l2.ko share. */
#ifndef BUFALLOC_VB2_H
#define BUFALLOC_VB2_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/bufalloc.h>

struct device;
struct vb2_queue;

/**
 * struct bufalloc_vb2_peers - who else shall be able to use a buffer
 * @uses: what bufalloc_alloc() is asked for; the first one is the queue's own device
 * @count: of them
 */
struct bufalloc_vb2_peers {
	struct bufalloc_use uses[BUFALLOC_MAX_DEVICES];
	unsigned int count;
};

/* vb2_peer.c: the devices that will import a queue's buffers */
void bufalloc_vb2_hold_peers(struct bufalloc_vb2_peers *peers,
			     const struct vb2_queue *q);
void bufalloc_vb2_release_peers(struct bufalloc_vb2_peers *peers);

#endif /* BUFALLOC_VB2_H */
