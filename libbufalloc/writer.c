/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <stdarg.h>
#include <stdio.h>

void
put(struct writer *w, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(w->text + w->len, w->size - w->len, format, args);
	va_end(args);
	if (len > 0) {
		w->len += (size_t)len;
	}
	if (w->len >= w->size) {
		w->len = w->size - 1;
	}
}
