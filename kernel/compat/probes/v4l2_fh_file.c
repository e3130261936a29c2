// SPDX-License-Identifier: GPL-2.0
/* Since 6.18 v4l2_fh_add() is told the file. */
#include <media/v4l2-fh.h>
void (*probe)(struct v4l2_fh *fh, struct file *filp) = v4l2_fh_add;
