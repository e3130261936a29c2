/* SPDX-License-Identifier: MIT */
/* What is tested of one device alone. */
#include <errno.h>
#include <linux/bufalloc.h>
#include <stdio.h>
#include <string.h>

#include "selftest.h"

bool
selftest_refuse(struct selftest *test, const struct selftest_device *device,
		int err, const char *text)
{
	if (device->is_asked) {
		return report_fail(&test->report, err, "%s", text);
	}
	return report_skip(&test->report, err, "%s", text);
}

static bool
row_open(struct selftest *test, struct selftest_device *device)
{
	char text[256];

	report_begin(&test->report, device->node, "open", NULL, NULL);
	test->report.row.began_ns -= device->open_ns;
	switch (-device->open_err) {
	case 0:
		return report_pass(&test->report, "opened");
	case EBUSY:
		return report_skip(&test->report, EBUSY,
				   "another program uses it");
	case EACCES:
	case EPERM:
		snprintf(text, sizeof(text),
			 "no permission: run as a member of the node's group, or as root");
		break;
	default:
		snprintf(text, sizeof(text), "it cannot be opened: %s",
			 strerror(-device->open_err));
	}
	return selftest_refuse(test, device, device->open_err, text);
}

uint64_t
selftest_length_for(const struct selftest *test,
		    const struct selftest_device *device)
{
	uint64_t length = test->length;
	size_t i, p;

	for (i = 0; i < device->port_count; i++) {
		for (p = 0; p < device->ports[i].plane_count; p++) {
			if (device->ports[i].plane_lengths[p] > length) {
				length = device->ports[i].plane_lengths[p];
			}
		}
	}
	return length;
}

/* Nobody asked for a buffer yet. */
static const char *
without_result(const char *text)
{
	static const char result[] = "no buffer: ";
	size_t length = sizeof(result) - 1;

	return strncmp(text, result, length) == 0 ? text + length : text;
}

/* The module that would have found it is not there. */
static bool
lacks_resolver(const struct selftest_device *device)
{
	return device->info_err == -ENODEV && device->resolver >= 0 &&
	       !tool_resolver_is_loaded((size_t)device->resolver);
}

static bool
row_info(struct selftest *test, struct selftest_device *device)
{
	struct bufalloc_verdict *verdict = NULL;
	const struct bufalloc_dev_info *info = &device->info;

	report_begin(&test->report, device->node, "info", NULL, NULL);
	if (device->info_err == 0) {
		return report_pass(
			&test->report, "%s (%s)%s%s", info->name, info->driver,
			(info->flags & BUFALLOC_DEVICE_INFERRED) != 0 ?
				"; the device is inferred: only an import proves it" :
				"",
			(info->flags & BUFALLOC_DEVICE_SELF_MANAGED) != 0 ?
				"; it has an IOMMU domain of its own: only an import proves it" :
				"");
	}
	if (lacks_resolver(device)) {
		const char *name = tool_resolver_name((size_t)device->resolver);

		return report_fail(
			&test->report, device->info_err,
			"%s.ko is not loaded, so bufalloc does not know the device: load it with 'modprobe %s', as root",
			name, name);
	}
	/* The verdict has the sentence. */
	bufalloc_alloc_for(test->ctx, test->length, BUFALLOC_AUTO, NULL,
			   &device->use, 1, BUFALLOC_DRY_RUN, NULL, &verdict);
	selftest_refuse(test, device, device->info_err,
			verdict == NULL ?
				bufalloc_strerror(device->info_err) :
				without_result(bufalloc_verdict_text(verdict)));
	bufalloc_verdict_destroy(verdict);
	return false;
}

/* All rows of one import. */
static void
rows_import(struct selftest *test, struct selftest_device *device,
	    struct selftest_port *port, const struct selftest_variant *variant,
	    struct bufalloc_buf *buf)
{
	const char *call = "";
	int ret;

	report_begin(&test->report, device->node, "import", port->queue,
		     variant->name);
	ret = selftest_import(device, port, buf, &call);
	if (ret < 0) {
		selftest_call_failed(test, device, call, ret);
		return;
	}
	report_pass(&test->report, "%s%s%s", port->format,
		    port->format[0] == '\0' ? "" : "; ",
		    selftest_holds_of(test, buf).text);

	if (device->kind == SELFTEST_DISPLAY) {
		selftest_drm_framebuffer(test, device, port, variant);
	}
	selftest_row_imported(test, device->node, port->queue, variant, buf);
	report_begin(&test->report, device->node, "released", port->queue,
		     variant->name);
	selftest_end_released(test, variant, buf,
			      selftest_release(device, port));
}

static bool
goes_on(const struct selftest_device *device)
{
	return !device->is_gone && selftest_signal() == 0;
}

/* All rows of one kind of buffer; the heap that it came from. */
static enum bufalloc_heap
rows_variant(struct selftest *test, struct selftest_device *device,
	     const struct selftest_variant *variant)
{
	struct bufalloc_buf_info info = { 0 };
	struct bufalloc_buf *buf;
	size_t i;

	buf = selftest_row_alloc(test, device->node, variant, selftest_length_for(test, device),
				 &device->use, 1, true);
	if (buf == NULL) {
		return BUFALLOC_AUTO;
	}
	device->is_usable = true;
	bufalloc_get_buf_info(test->ctx, bufalloc_buf_get_fd(buf), &info);
	selftest_row_pattern(test, device->node, variant, buf);
	for (i = 0; i < device->port_count && goes_on(device); i++) {
		if (device->ports[i].err == 0) {
			rows_import(test, device, &device->ports[i], variant,
				    buf);
		}
	}
	bufalloc_buf_destroy(buf);
	/* Whether a picture came can be seen only by the CPU. */
	if ((device->kind == SELFTEST_CAPTURE ||
	     device->kind == SELFTEST_MEM2MEM) &&
	    selftest_is_for_cpu(variant) && goes_on(device)) {
		selftest_v4l2_frame(test, device, variant);
	}
	return info.heap;
}

/*
 * What cannot be tried is said once, not for each kind of buffer. false: there
 * is nothing to try, and nobody asked.
 */
static bool
rows_no_port(struct selftest *test, struct selftest_device *device)
{
	size_t i;

	if (device->port_count == 0) {
		report_begin(&test->report, device->node, "import", NULL, NULL);
		report_skip(&test->report, 0,
			    "it has no interface here that imports pictures");
		return device->is_asked;
	}
	for (i = 0; i < device->port_count; i++) {
		struct selftest_port *port = &device->ports[i];

		if (port->err == 0) {
			continue;
		}
		report_begin(&test->report, device->node, "import",
			     port->queue, NULL);
		if (port->err == -EOPNOTSUPP) {
			selftest_refuse(test, device, port->err, port->format);
		} else {
			report_skip(&test->report, port->err, "%s",
				    port->format);
		}
	}
	return true;
}

/* Did auto choose that heap for such a buffer? Then it was tested. */
static bool
was_tested(const struct selftest_variant *variants,
	   const enum bufalloc_heap *chosen, size_t i)
{
	size_t other;

	for (other = 0; other < i; other++) {
		if (variants[other].heap == BUFALLOC_AUTO &&
		    variants[other].attributes == variants[i].attributes &&
		    chosen[other] == variants[i].heap) {
			return true;
		}
	}
	return false;
}

void
selftest_device(struct selftest *test, struct selftest_device *device)
{
	enum bufalloc_heap chosen[SELFTEST_MAX_VARIANTS];
	struct selftest_variant variants[SELFTEST_MAX_VARIANTS];
	size_t i, len = selftest_variants(test, variants);

	if (!row_open(test, device) || !row_info(test, device) ||
	    !rows_no_port(test, device)) {
		return;
	}
	for (i = 0; i < len && goes_on(device); i++) {
		if (variants[i].heap == BUFALLOC_AUTO ||
		    !was_tested(variants, chosen, i)) {
			chosen[i] = rows_variant(test, device, &variants[i]);
		}
	}
}
