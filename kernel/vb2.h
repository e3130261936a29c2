/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of bufalloc-v4l2.ko share. */
#ifndef BUFALLOC_VB2_H
#define BUFALLOC_VB2_H

struct bufalloc_peers;
struct vb2_queue;

/* vb2_peer.c: the devices that will import a queue's buffers */
void bufalloc_vb2_add_peers(struct bufalloc_peers *peers,
			    const struct vb2_queue *q);

#endif /* BUFALLOC_VB2_H */
