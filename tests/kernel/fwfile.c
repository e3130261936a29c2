// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fwfile.h"
#include "ktest.h"

#define SEARCH_PATH "/sys/module/firmware_class/parameters/path"

void
fwfile_write(const char *path, const void *data, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t done = 0;

	CHECK(fd >= 0);
	while (done < length) {
		ssize_t n = write(fd, (const uint8_t *)data + done,
				  length - done);

		CHECK(n > 0);
		done += (size_t)n;
	}
	close(fd);
}

/* A byte of the file with that seed. */
static uint8_t
byte_of(size_t at, uint32_t seed)
{
	return (uint8_t)(at * 31 + (at >> 12) + seed);
}

void
fwfile_make(const char *name, size_t length, uint32_t seed)
{
	uint8_t *bytes = malloc(length + 1);
	char path[256];

	CHECK(bytes != NULL);
	for (size_t i = 0; i < length; i++) {
		bytes[i] = byte_of(i, seed);
	}
	snprintf(path, sizeof(path), FWFILE_FOLDER "/%s", name);
	fwfile_write(path, bytes, length);
	free(bytes);
}

bool
fwfile_is(const uint8_t *bytes, size_t length, uint32_t seed)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != byte_of(i, seed)) {
			return false;
		}
	}
	return true;
}

void
fwfile_set_up(void)
{
	int fd;

	CHECK(mkdir(FWFILE_FOLDER, 0755) == 0 || errno == EEXIST);
	fd = open(SEARCH_PATH, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		ktest_skip("this kernel has no firmware loader");
	}
	CHECK_EQ(write(fd, FWFILE_FOLDER, strlen(FWFILE_FOLDER)), strlen(FWFILE_FOLDER));
	close(fd);
}
