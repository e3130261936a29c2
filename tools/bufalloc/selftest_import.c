/* SPDX-License-Identifier: MIT */
/* Imports through a device's own interface, whichever that is. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "selftest.h"

bool
selftest_call_failed(struct selftest *test, struct selftest_device *device,
		     const char *call, int err)
{
	switch (-err) {
	case ENODEV:
		device->is_gone = true;
		return report_fail(
			&test->report, err,
			"%s: the device is gone: it was unplugged, or unbound from its driver",
			call);
	case EBUSY:
		return report_skip(
			&test->report, err,
			"%s: another program uses it; end that program and try again",
			call);
	case EINTR:
		return report_skip(&test->report, err, "%s: stopped", call);
	default:
		return report_fail(&test->report, err, "%s: %s", call,
				   strerror(-err));
	}
}

int
selftest_import(struct selftest_device *device, struct selftest_port *port,
		struct bufalloc_buf *buf, const char **call)
{
	int fd = bufalloc_buf_get_fd(buf);

	if (port->queue == NULL) {
		return selftest_drm_import(device, port, fd, call);
	}
	return selftest_v4l2_import(device, port, fd,
				    bufalloc_buf_get_length(buf), call);
}

int
selftest_release(struct selftest_device *device, struct selftest_port *port)
{
	int ret = port->queue == NULL ? selftest_drm_release(device, port) :
					selftest_v4l2_release(device, port);

	if (ret == -ENODEV) {
		/* Its driver lets go when the node is closed. */
		device->is_gone = true;
		close(device->use.fd);
		device->use.fd = -1;
	}
	return ret;
}

struct selftest_holds
selftest_holds_of(struct selftest *test, struct bufalloc_buf *buf)
{
	struct bufalloc_buf_info info = { 0 };
	struct selftest_holds holds;

	bufalloc_get_buf_info(test->ctx, bufalloc_buf_get_fd(buf), &info);
	snprintf(holds.text, sizeof(holds.text),
		 "attachments %" PRIu32 ", DMA mappings %" PRIu32
		 ", kernel mappings %" PRIu32,
		 info.attachments, info.mappings, info.kernel_maps);
	return holds;
}

bool
selftest_row_imported(struct selftest *test, const char *where,
		      const char *queue,
		      const struct selftest_variant *variant,
		      struct bufalloc_buf *buf)
{
	report_begin(&test->report, where, "while-imported", queue,
		     variant->name);
	return selftest_check_data(test, variant, buf, 2);
}

/* Until nobody holds it, or a second is over: drivers may take their time. */
static bool
wait_for_release(struct selftest *test, struct bufalloc_buf *buf)
{
	struct bufalloc_buf_info info;
	int i;

	for (i = 0; i < 100; i++) {
		if (bufalloc_get_buf_info(test->ctx, bufalloc_buf_get_fd(buf),
					  &info) < 0) {
			return false;
		}
		if (info.attachments == 0 && info.mappings == 0 &&
		    info.kernel_maps == 0) {
			return true;
		}
		poll(NULL, 0, 10);
	}
	return false;
}

/* Is what the CPU wrote there? false: the row has ended. */
static bool
data_is_there(struct selftest *test, struct bufalloc_buf *buf)
{
	uint64_t at = 0;
	int ret = selftest_read(buf, 2, &at);

	if (ret < 0) {
		return report_fail(&test->report, ret,
				   "the CPU cannot read the buffer: %s",
				   strerror(-ret));
	}
	if (at < bufalloc_buf_get_length(buf)) {
		return report_fail(
			&test->report, 0,
			"byte %" PRIu64
			" is not what the CPU wrote while it was imported",
			at);
	}
	return true;
}

void
selftest_end_released(struct selftest *test,
		      const struct selftest_variant *variant,
		      struct bufalloc_buf *buf, int err)
{
	if (!wait_for_release(test, buf)) {
		report_fail(&test->report, 0, "still held after a second: %s",
			    selftest_holds_of(test, buf).text);
		return;
	}
	if (selftest_is_for_cpu(variant) && !data_is_there(test, buf)) {
		return;
	}
	if (err == -ENODEV) {
		report_fail(
			&test->report, err,
			"the device is gone: it was unplugged, or unbound from its driver");
		return;
	}
	report_pass(&test->report, "let go%s",
		    selftest_is_for_cpu(variant) ?
			    "; what the CPU wrote meanwhile is there" :
			    "");
}
