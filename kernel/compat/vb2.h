/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels in videobuf2. */
#ifndef BUFALLOC_COMPAT_VB2_H
#define BUFALLOC_COMPAT_VB2_H

/* Members of a driver's vb2_ops that videobuf2 does by itself later on. */
#ifdef BUFALLOC_HAVE_VB2_OPS_WAIT
#define BUFALLOC_COMPAT_VB2_WAIT \
	.wait_prepare = vb2_ops_wait_prepare, \
	.wait_finish = vb2_ops_wait_finish,
#else
#define BUFALLOC_COMPAT_VB2_WAIT
#endif

#endif /* BUFALLOC_COMPAT_VB2_H */
