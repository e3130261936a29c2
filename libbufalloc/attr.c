/* SPDX-License-Identifier: MIT */
/* The names of the attributes. */
#include <errno.h>
#include <linux/bufalloc.h>
#include <string.h>

#include "private.h"

#define SAME_BIT(name)                                                  \
	_Static_assert((int)BUFALLOC_##name ==                          \
			       (int)BUFALLOC_ATTRIBUTE_##name,          \
		       "the library's and the kernel's bit are equal")

SAME_BIT(NEVER_CPU);
SAME_BIT(WRITE_COMBINE);
SAME_BIT(UNCACHED);
SAME_BIT(CONTIGUOUS);
SAME_BIT(PINNABLE);

static const struct {
	uint64_t attribute;
	char name[16];
} names[] = {
	{ BUFALLOC_NEVER_CPU, "never-cpu" },
	{ BUFALLOC_WRITE_COMBINE, "write-combine" },
	{ BUFALLOC_UNCACHED, "uncached" },
	{ BUFALLOC_CONTIGUOUS, "contiguous" },
	{ BUFALLOC_PINNABLE, "pinnable" },
};

#define NAMES_LEN (sizeof(names) / sizeof(names[0]))

const char *
bufalloc_attr_name(uint64_t attribute)
{
	size_t i;

	for (i = 0; i < NAMES_LEN; i++) {
		if (names[i].attribute == attribute) {
			return names[i].name;
		}
	}
	return NULL;
}

int
bufalloc_attr_from_name(const char *name, uint64_t *attribute)
{
	size_t i;

	for (i = 0; i < NAMES_LEN; i++) {
		if (strcmp(names[i].name, name) == 0) {
			*attribute = names[i].attribute;
			return 0;
		}
	}
	return -EINVAL;
}
