// SPDX-License-Identifier: GPL-2.0
/* A queue's driver unlocks and locks for videobuf2 while that waits (up to 6.13). */
#include <media/videobuf2-v4l2.h>
const struct vb2_ops ops = { .wait_prepare = vb2_ops_wait_prepare };
