/* SPDX-License-Identifier: MIT */
/* Text that grows to the end of its room; what does not fit is left out. */
#ifndef LIBBUFALLOC_WRITER_H
#define LIBBUFALLOC_WRITER_H

#include <stddef.h>

struct writer {
	char *text;
	size_t size; /* more than 0 */
	size_t len;
};

void __attribute__((format(printf, 2, 3)))
put(struct writer *w, const char *format, ...);

#endif /* LIBBUFALLOC_WRITER_H */
