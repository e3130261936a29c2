/* SPDX-License-Identifier: MIT */
/* What a device can use, as a line of a table and as JSON. */
#include <inttypes.h>
#include <json-c/json.h>
#include <linux/bufalloc.h>
#include <stdio.h>

#include "tool.h"

static const char *const found_names[] = {
	[BUFALLOC_FOUND_NONE] = "none",
	[BUFALLOC_FOUND_V4L2_QUEUE] = "v4l2-queue",
	[BUFALLOC_FOUND_V4L2_ALLOC_DEV] = "v4l2-alloc-dev",
	[BUFALLOC_FOUND_V4L2_M2M] = "v4l2-m2m",
	[BUFALLOC_FOUND_DRM] = "drm",
	[BUFALLOC_FOUND_ANCESTOR] = "ancestor",
};

static const char *const iommu_names[] = {
	[BUFALLOC_IOMMU_NONE] = "none",
	[BUFALLOC_IOMMU_IDENTITY] = "identity",
	[BUFALLOC_IOMMU_DMA] = "dma",
	[BUFALLOC_IOMMU_OTHER] = "other",
};

/* Bits from 0 on. */
static const char *const flag_names[] = {
	"coherent",
	"translated",
	"needs-vmap",
	"no-dma",
	"self-managed",
	"could-bounce",
	"inferred",
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char *
name_of(const char *const *names, size_t len, uint32_t i)
{
	return i < len ? names[i] : "unknown";
}

static const char *
access_name(enum bufalloc_access access)
{
	switch (access) {
	case BUFALLOC_READ:
		return "reads";
	case BUFALLOC_WRITE:
		return "writes";
	default:
		return "both";
	}
}

/* "32 bits" where the mask is a round one. */
static void
print_mask(uint64_t mask)
{
	unsigned int bits = 0;
	char text[24];

	while (bits < 64 && (mask >> bits & 1) != 0) {
		bits++;
	}
	if (bits == 64 || mask >> bits == 0) {
		snprintf(text, sizeof(text), "%u bits", bits);
	} else {
		snprintf(text, sizeof(text), "0x%" PRIx64, mask);
	}
	printf(" %-8s", text);
}

static void
print_flags(uint32_t flags)
{
	bool any = false;
	size_t i;

	for (i = 0; i < LEN(flag_names); i++) {
		if ((flags & (UINT32_C(1) << i)) != 0) {
			printf("%s%s", any ? "," : " ", flag_names[i]);
			any = true;
		}
	}
	if (!any) {
		printf(" -");
	}
}

void
tool_device_print_header(void)
{
	printf("%-16s %-6s %-14s %-8s %-8s %-8s %s\n", "driver", "access",
	       "found", "mask", "segments", "iommu", "flags");
}

void
tool_device_print(const struct bufalloc_dev_info *info,
		  enum bufalloc_access access)
{
	printf("%-16s %-6s %-14s", info->driver, access_name(access),
	       name_of(found_names, LEN(found_names), info->found));
	if ((info->flags & BUFALLOC_DEVICE_NO_DMA) != 0) {
		printf(" %-8s %-8s %-8s", "-", "-", "-");
	} else {
		print_mask(info->dma_mask);
		if (info->max_segments == BUFALLOC_ANY_SEGMENTS) {
			printf(" %-8s", "any");
		} else {
			printf(" %-8" PRIu32, info->max_segments);
		}
		printf(" %-8s",
		       name_of(iommu_names, LEN(iommu_names), info->iommu));
	}
	print_flags(info->flags);
}

static struct json_object *
flags_of(uint32_t flags)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < LEN(flag_names); i++) {
		if ((flags & (UINT32_C(1) << i)) != 0) {
			json_object_array_add(
				list, json_object_new_string(flag_names[i]));
		}
	}
	return list;
}

void
tool_device_json(struct json_object *object, const char *node,
		 enum bufalloc_access access, int err,
		 const struct bufalloc_dev_info *info)
{
	tool_json_text(object, "node", node);
	tool_json_text(object, "access", access_name(access));
	if (err < 0) {
		tool_json_text(object, "info_errno", tool_errno_name(err));
		return;
	}
	tool_json_text(object, "name", info->name);
	tool_json_text(object, "driver", info->driver);
	json_object_object_add(object, "flags", flags_of(info->flags));
	tool_json_text(object, "found",
		       name_of(found_names, LEN(found_names), info->found));
	tool_json_number(object, "dma_mask", info->dma_mask);
	tool_json_number(object, "coherent_mask", info->coherent_mask);
	tool_json_number(object, "bus_limit", info->bus_limit);
	tool_json_number(object, "max_segment", info->max_segment);
	tool_json_number(object, "segment_boundary", info->segment_boundary);
	/* null is any number of them */
	json_object_object_add(
		object, "max_segments",
		info->max_segments == BUFALLOC_ANY_SEGMENTS ?
			NULL :
			json_object_new_uint64(info->max_segments));
	tool_json_text(object, "iommu",
		       name_of(iommu_names, LEN(iommu_names), info->iommu));
	tool_json_number(object, "iommu_granule", info->iommu_granule);
}
