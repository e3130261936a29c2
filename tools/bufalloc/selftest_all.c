/* SPDX-License-Identifier: MIT */
/* All usable devices together: one buffer that each of them has imported. */
#include <errno.h>
#include <linux/bufalloc.h>
#include <stdio.h>
#include <string.h>

#include "selftest.h"

#define WHERE "all"

/* The devices of the buffer, and those that have imported it. */
struct together {
	size_t count;
	struct selftest_device *devices[TOOL_MAX_DEVICES];
	struct bufalloc_use uses[TOOL_MAX_DEVICES];
	uint64_t length;
	bool is_asked;
	/* More than a buffer can be for. */
	size_t left_out;
	/* Which ports: bit (1 << number) of each device. */
	unsigned int imported[TOOL_MAX_DEVICES];
	size_t import_count;
};

static void
collect(struct selftest *test, struct together *all)
{
	uint64_t length;
	size_t i;

	*all = (struct together){ .length = test->length };
	for (i = 0; i < test->device_count; i++) {
		struct selftest_device *device = &test->devices[i];

		if (!device->is_usable || device->is_gone) {
			continue;
		}
		if (all->count == TOOL_MAX_DEVICES) {
			all->left_out++;
			continue;
		}
		length = selftest_length_for(test, device);
		if (length > all->length) {
			all->length = length;
		}
		all->is_asked = device->is_asked;
		all->uses[all->count] = device->use;
		all->devices[all->count++] = device;
	}
}

/* One port imports; false: it failed, and the row has ended. */
static bool
import_one(struct selftest *test, struct together *all, size_t i, size_t p,
	   struct bufalloc_buf *buf, size_t *busy)
{
	struct selftest_device *device = all->devices[i];
	struct selftest_port *port = &device->ports[p];
	char what[320];
	const char *call = "";
	int ret;

	if (port->err < 0) {
		return true;
	}
	ret = selftest_import(device, port, buf, &call);
	if (ret == -EBUSY) {
		(*busy)++;
		return true;
	}
	if (ret < 0) {
		snprintf(what, sizeof(what), "%s: %s", device->node, call);
		selftest_call_failed(test, device, what, ret);
		return false;
	}
	all->imported[i] |= 1U << p;
	all->import_count++;
	return true;
}

static bool
row_import(struct selftest *test, struct together *all,
	   struct bufalloc_buf *buf)
{
	size_t i, p, busy = 0;

	report_begin(&test->report, WHERE, "import", NULL, "auto");
	for (i = 0; i < all->count; i++) {
		for (p = 0; p < all->devices[i]->port_count; p++) {
			if (!import_one(test, all, i, p, buf, &busy)) {
				return false;
			}
		}
	}
	if (all->import_count < 2) {
		return report_skip(
			&test->report, 0,
			"%zu of the devices can import now (%zu in use: by another program, or named twice)",
			all->import_count, busy);
	}
	return report_pass(&test->report,
			   "imported %zu times at once, %zu in use, %zu devices too many; %s",
			   all->import_count, busy, all->left_out,
			   selftest_holds_of(test, buf).text);
}

/* 0, or -ENODEV if one of them is gone. */
static int
release_all(struct together *all)
{
	size_t i, p;
	int err = 0;

	for (i = 0; i < all->count; i++) {
		for (p = 0; p < all->devices[i]->port_count; p++) {
			if ((all->imported[i] >> p & 1) != 0) {
				if (selftest_release(
					    all->devices[i],
					    &all->devices[i]->ports[p]) ==
				    -ENODEV) {
					err = -ENODEV;
				}
			}
		}
	}
	return err;
}

void
selftest_all(struct selftest *test)
{
	const struct selftest_variant variant = { .name = "auto",
						  .heap = BUFALLOC_AUTO };
	struct bufalloc_buf *buf;
	struct together all;

	collect(test, &all);
	if (all.count < 2) {
		report_begin(&test->report, WHERE, "alloc", NULL, "auto");
		report_skip(&test->report, 0, "%s",
			    all.count == 0 ? "no device was tested: there is none, or the rows above say why not" :
					     "there is one usable device");
		return;
	}
	buf = selftest_row_alloc(test, WHERE, &variant, all.length, all.uses,
				 all.count, all.is_asked);
	if (buf == NULL) {
		return;
	}
	selftest_row_pattern(test, WHERE, &variant, buf);
	if (row_import(test, &all, buf)) {
		selftest_row_imported(test, WHERE, NULL, &variant, buf);
		report_begin(&test->report, WHERE, "released", NULL, "auto");
		selftest_end_released(test, &variant, buf, release_all(&all));
	} else {
		release_all(&all);
	}
	bufalloc_buf_destroy(buf);
}
