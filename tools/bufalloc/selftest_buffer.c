/* SPDX-License-Identifier: MIT */
/* What is done with any buffer: which kinds there are, and data in them. */
#include <errno.h>
#include <inttypes.h>
#include <linux/bufalloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "selftest.h"

/* One variant more; attribute: 0 or one bit. */
static size_t
add_variant(struct selftest_variant *variants, size_t len, uint32_t heap,
	    uint64_t attribute)
{
	const char *name = bufalloc_attr_name(attribute);
	struct selftest_variant *variant = &variants[len];

	if (len == SELFTEST_MAX_VARIANTS) {
		return len;
	}
	variant->heap = (enum bufalloc_heap)heap;
	variant->attributes = attribute;
	snprintf(variant->name, sizeof(variant->name), "%s%s%s",
		 bufalloc_heap_name(variant->heap), name == NULL ? "" : ",",
		 name == NULL ? "" : name);
	return len + 1;
}

size_t
selftest_variants(const struct selftest *test,
		  struct selftest_variant variants[SELFTEST_MAX_VARIANTS])
{
	uint64_t attributes = test->info.attributes;
	uint32_t heaps = test->info.heaps | 1U << BUFALLOC_HEAP_AUTO;
	uint32_t heap;
	size_t len = 0;
	unsigned int bit;

	for (heap = 0; heap < 32; heap++) {
		if ((heaps >> heap & 1) == 0 ||
		    bufalloc_heap_name((enum bufalloc_heap)heap) == NULL) {
			continue;
		}
		len = add_variant(variants, len, heap, 0);
		for (bit = 0; bit < 64; bit++) {
			if ((attributes >> bit & 1) != 0) {
				len = add_variant(variants, len, heap,
						  UINT64_C(1) << bit);
			}
		}
	}
	return len;
}

struct bufalloc_alloc_options
selftest_alloc_options(const struct selftest_variant *variant)
{
	/* What it is to have, or nothing. */
	return (struct bufalloc_alloc_options){
		.size = sizeof(struct bufalloc_alloc_options),
		.heap = variant->heap,
		.name = "bufalloc-selftest",
		.attributes = variant->attributes,
		.required = variant->attributes,
	};
}

bool
selftest_is_for_cpu(const struct selftest_variant *variant)
{
	return (variant->attributes & BUFALLOC_NEVER_CPU) == 0;
}

/* One word of the data (the mixer of SplitMix64): no two near ones are alike. */
static uint64_t
word_of(uint64_t index, uint64_t seed)
{
	uint64_t word = (index + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ seed << 56;

	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

/* Buffers have whole pages, so whole words. */
void
selftest_fill(void *data, uint64_t length, uint64_t seed)
{
	uint64_t *words = data;
	uint64_t i;

	for (i = 0; i < length / sizeof(*words); i++) {
		words[i] = word_of(i, seed);
	}
}

uint64_t
selftest_compare(const void *data, uint64_t length, uint64_t seed)
{
	const uint64_t *words = data;
	uint64_t i;

	for (i = 0; i < length / sizeof(*words); i++) {
		if (words[i] != word_of(i, seed)) {
			return i * sizeof(*words);
		}
	}
	return length;
}

uint64_t
selftest_changed_pages(const void *data, uint64_t length, uint64_t seed)
{
	uint64_t per_page = (uint64_t)sysconf(_SC_PAGESIZE) / sizeof(uint64_t);
	const uint64_t *words = data;
	uint64_t len = length / sizeof(*words);
	uint64_t i, changed = 0;

	for (i = 0; i < len; i++) {
		if (words[i] != word_of(i, seed)) {
			changed++;
			/* to the last word of this page */
			i += per_page - 1 - i % per_page;
		}
	}
	return changed;
}

int
selftest_write(struct bufalloc_buf *buf, uint64_t seed)
{
	void *data;
	int ret;

	ret = bufalloc_buf_map(buf, BUFALLOC_WRITE, &data);
	if (ret < 0) {
		return ret;
	}
	selftest_fill(data, bufalloc_buf_get_length(buf), seed);
	return bufalloc_buf_unmap(buf);
}

int
selftest_read(struct bufalloc_buf *buf, uint64_t seed, uint64_t *at)
{
	void *data;
	int ret;

	ret = bufalloc_buf_map(buf, BUFALLOC_READ, &data);
	if (ret < 0) {
		return ret;
	}
	*at = selftest_compare(data, bufalloc_buf_get_length(buf), seed);
	return bufalloc_buf_unmap(buf);
}

/* End the row: the CPU must not get in. */
static bool
check_no_data(struct selftest *test, struct bufalloc_buf *buf)
{
	int ret = selftest_write(buf, 0);

	if (ret != -EACCES) {
		return report_fail(&test->report, ret,
				   "the CPU is not refused with EACCES");
	}
	return report_pass(&test->report, "the CPU is refused with EACCES");
}

bool
selftest_check_data(struct selftest *test,
		    const struct selftest_variant *variant,
		    struct bufalloc_buf *buf, uint64_t seed)
{
	uint64_t length = bufalloc_buf_get_length(buf);
	uint64_t at = 0;
	int ret;

	if (!selftest_is_for_cpu(variant)) {
		return check_no_data(test, buf);
	}
	ret = selftest_write(buf, seed);
	if (ret == 0) {
		ret = selftest_read(buf, seed, &at);
	}
	if (ret < 0) {
		return report_fail(&test->report, ret,
				   "the CPU cannot access the buffer: %s",
				   strerror(-ret));
	}
	if (at < length) {
		return report_fail(&test->report, 0,
				   "byte %" PRIu64 " of %" PRIu64
				   " is not what the CPU wrote there",
				   at, length);
	}
	return report_pass(&test->report,
			   "the CPU wrote and read %" PRIu64 " bytes", length);
}

bool
selftest_row_pattern(struct selftest *test, const char *where,
		     const struct selftest_variant *variant,
		     struct bufalloc_buf *buf)
{
	report_begin(&test->report, where, "pattern", NULL, variant->name);
	return selftest_check_data(test, variant, buf, 1);
}

/* End the row: no buffer, and the verdict says why. */
static void
alloc_refused(struct selftest *test, const struct selftest_variant *variant,
	      int err, const struct bufalloc_verdict *verdict, bool is_wanted)
{
	const char *text = verdict == NULL ? bufalloc_strerror(err) :
					     bufalloc_verdict_text(verdict);

	/* It need not be able to use all kinds; auto must find one. */
	if (err == -ENOSPC && (variant->heap != BUFALLOC_AUTO ||
			       variant->attributes != 0 || !is_wanted)) {
		report_skip(&test->report, err, "%s", text);
		return;
	}
	report_fail(&test->report, err, "%s", text);
}

/*
 * Scattered pages may lie side by side by chance, and so be the one range that a
 * device or an attribute asks for, the second time and not the first.
 */
static bool
may_be_luck(const struct selftest_variant *variant, int dry)
{
	return dry == -ENOSPC && variant->heap == BUFALLOC_SYSTEM;
}

struct bufalloc_buf *
selftest_row_alloc(struct selftest *test, const char *where,
		   const struct selftest_variant *variant, uint64_t length,
		   const struct bufalloc_use *uses, size_t count,
		   bool is_wanted)
{
	struct bufalloc_alloc_options options =
		selftest_alloc_options(variant);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf_info info;
	struct bufalloc_buf *buf = NULL;
	int dry, ret;

	report_begin(&test->report, where, "alloc", NULL, variant->name);
	options.uses = uses;
	options.count = count;
	options.flags = BUFALLOC_DRY_RUN;
	dry = bufalloc_alloc_with(test->ctx, length, &options, NULL, NULL);
	options.flags = 0;
	ret = bufalloc_alloc_with(test->ctx, length, &options, &buf, &verdict);
	if (ret < 0) {
		alloc_refused(test, variant, ret, verdict, is_wanted);
	} else if (dry < 0 && !may_be_luck(variant, dry)) {
		report_fail(&test->report, dry,
			    "the dry run failed, then the allocation did not");
	} else {
		ret = bufalloc_get_buf_info(test->ctx,
					    bufalloc_buf_get_fd(buf), &info);
		if (ret < 0) {
			report_fail(&test->report, ret, "BUFFER_INFO: %s",
				    bufalloc_strerror(ret));
		} else {
			report_buffer(&test->report, &info);
			report_pass(&test->report, "%s",
				    bufalloc_verdict_text(verdict));
		}
	}
	bufalloc_verdict_destroy(verdict);
	return buf;
}
