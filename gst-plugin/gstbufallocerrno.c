/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocerrno
 * @title: errno
 * @short_description: names and codes of what the kernel and libbufalloc return
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocerrno.h"

#include <errno.h>

/**
 * gst_bufalloc_errno_name:
 * @err: an errno value, positive or negative
 *
 * Returns: (transfer none): its name, or "errno" if it has none here
 *
 * Since: 0.1
 */
const gchar *
gst_bufalloc_errno_name (gint err)
{
#define NAME(e) case e: return #e
  switch (ABS (err)) {
      NAME (E2BIG);
      NAME (EACCES);
      NAME (EBADF);
      NAME (EBUSY);
      NAME (EDQUOT);
      NAME (EEXIST);
      NAME (EFAULT);
      NAME (EINTR);
      NAME (EINVAL);
      NAME (EIO);
      NAME (EMFILE);
      NAME (ENFILE);
      NAME (ENOBUFS);
      NAME (ENODEV);
      NAME (ENOENT);
      NAME (ENOMEM);
      NAME (ENOSPC);
      NAME (ENOSYS);
      NAME (ENOTTY);
      NAME (ENXIO);
      NAME (EOPNOTSUPP);
      NAME (EOVERFLOW);
      NAME (EPERM);
      NAME (ERANGE);
    default:
      return "errno";
  }
#undef NAME
}

/**
 * gst_bufalloc_errno_code:
 * @err: why a node cannot be opened, a negative errno
 *
 * Returns: what GStreamer calls that, a #GstResourceError
 *
 * Since: 0.1
 */
gint
gst_bufalloc_errno_code (gint err)
{
  switch (-err) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    default:
      return GST_RESOURCE_ERROR_OPEN_READ_WRITE;
  }
}
