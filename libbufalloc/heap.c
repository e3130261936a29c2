/* SPDX-License-Identifier: MIT */
/* The names of the heaps. */
#include <errno.h>
#include <linux/bufalloc.h>
#include <string.h>

#include "private.h"

_Static_assert((int)BUFALLOC_AUTO == (int)BUFALLOC_HEAP_AUTO,
	       "the library's and the kernel's numbers of the heaps are equal");
_Static_assert((int)BUFALLOC_SYSTEM == (int)BUFALLOC_HEAP_SYSTEM,
	       "the library's and the kernel's numbers of the heaps are equal");
_Static_assert((int)BUFALLOC_CONTIG == (int)BUFALLOC_HEAP_CONTIG,
	       "the library's and the kernel's numbers of the heaps are equal");
_Static_assert((int)BUFALLOC_RESERVED == (int)BUFALLOC_HEAP_RESERVED,
	       "the library's and the kernel's numbers of the heaps are equal");
_Static_assert((int)BUFALLOC_DEVICE_MEMORY == (int)BUFALLOC_HEAP_DEVICE,
	       "the library's and the kernel's numbers of the heaps are equal");
_Static_assert((int)BUFALLOC_USER == (int)BUFALLOC_HEAP_USER,
	       "the library's and the kernel's numbers of the heaps are equal");

/* Numbers without a heap have no name. */
static const char names[][16] = {
	[BUFALLOC_AUTO] = "auto",
	[BUFALLOC_SYSTEM] = "system",
	[BUFALLOC_CONTIG] = "contig",
	[BUFALLOC_RESERVED] = "reserved",
	[BUFALLOC_DEVICE_MEMORY] = "device",
	[BUFALLOC_USER] = "user",
};

#define NAMES_LEN (sizeof(names) / sizeof(names[0]))

const char *
bufalloc_heap_name(enum bufalloc_heap heap)
{
	if ((uint32_t)heap >= NAMES_LEN || names[heap][0] == '\0') {
		return NULL;
	}
	return names[heap];
}

int
bufalloc_heap_from_name(const char *name, enum bufalloc_heap *heap)
{
	size_t i;

	for (i = 0; i < NAMES_LEN; i++) {
		if (names[i][0] != '\0' && strcmp(names[i], name) == 0) {
			*heap = (enum bufalloc_heap)i;
			return 0;
		}
	}
	return -EINVAL;
}
