// SPDX-License-Identifier: MIT
/*
 * What a guest needs; see setup.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup.h"

#define FIRMWARE "/run/fuzz-firmware"

bool
setup_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		return false;
	}
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

void
setup_faults(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc",
					     "fail_usercopy" };
	static const struct {
		const char *file, *text;
	} settings[] = {
		{ "verbose", "0" }, { "ignore-gfp-wait", "N" },
		{ "ignore-gfp-highmem", "N" }, { "min-order", "0" },
	};
	char path[96];
	bool any = false;

	for (int k = 0; k < 3; k++) {
		for (int s = 0; s < 4; s++) {
			snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s",
				 kinds[k], settings[s].file);
			any |= setup_put(path, settings[s].text);
		}
	}
	printf("# faults on purpose: %s\n", any ? "yes" : "no");
}

/* A file of @length bytes. */
static bool
make(const char *name, long length)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), FIRMWARE "/fuzz/%s", name);
	file = fopen(path, "we");
	if (file == NULL) {
		return false;
	}
	for (long i = 0; i < length; i++) {
		fputc((int)(i & 0xff), file);
	}
	return fclose(file) == 0;
}

bool
setup_firmware(void)
{
	mkdir(FIRMWARE, 0755);
	mkdir(FIRMWARE "/fuzz", 0755);
	return make("small", 5000) && make("large", 100000) &&
	       make("packed.xz", 100) && make("empty", 0) &&
	       setup_put("/sys/module/firmware_class/parameters/path", FIRMWARE);
}

bool
setup_gcov_copy(const char *dir)
{
	char command[512];

	/* The files have no length before they are read. */
	snprintf(command, sizeof(command),
		 "cd /sys/kernel/debug/gcov && find . -name '*.gcda' | "
		 "while read -r file; do cat \"$file\" >\"%s/${file##*/}\" || exit 1; "
		 "done && ls %s/*.gcda >/dev/null",
		 dir, dir);
	return system(command) == 0;
}
