/* SPDX-License-Identifier: MIT */
/* The names of the attributes. */
#include <errno.h>
#include <linux/bufalloc.h>
#include <string.h>

#include "private.h"

_Static_assert((int)BUFALLOC_NEVER_CPU == (int)BUFALLOC_ATTRIBUTE_NEVER_CPU,
	       "the library's and the kernel's bits of attributes are equal");

static const struct {
	uint64_t attribute;
	char name[16];
} names[] = {
	{ BUFALLOC_NEVER_CPU, "never-cpu" },
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
