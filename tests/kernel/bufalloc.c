// SPDX-License-Identifier: MIT
/*
 * The module as the guest tests use it: by its ioctls, not through the
 * library, so that a row sees exactly what the kernel does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "ktest.h"

int
ba_open(void)
{
	int node = open("/dev/bufalloc", O_RDWR | O_CLOEXEC);

	CHECK(node >= 0);
	return node;
}

int
ba_try_alloc(int node, uint32_t heap, uint64_t length)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = length,
		.heap = heap,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	if (ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc) != 0) {
		return -1;
	}
	return alloc.out_fd;
}

int
ba_alloc(int node, uint32_t heap, uint64_t length)
{
	int fd = ba_try_alloc(node, heap, length);

	if (fd < 0) {
		ktest_fail(__FILE__, __LINE__,
			   "ALLOC of %llu bytes from heap %u: errno %s",
			   (unsigned long long)length, heap, ktest_errno_name());
	}
	return fd;
}

int
ba_alloc_with(int node, uint32_t heap, uint64_t length, uint64_t attributes)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = length,
		.heap = heap,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.attributes = attributes,
	};

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	return alloc.out_fd;
}

int
ba_alloc_read_only(int node, uint64_t length)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = length,
		.fd_flags = O_RDONLY | O_CLOEXEC,
	};

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	return alloc.out_fd;
}

struct ba_outcome
ba_alloc_for(int node, uint32_t heap, uint64_t length, const int *fds,
	  uint32_t count, uint32_t flags)
{
	struct ba_outcome outcome = { .verdict.size = sizeof(outcome.verdict) };
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.flags = flags,
		.length = length,
		.heap = heap,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.out_fd = -2,
		.device_count = count,
		.devices = (uintptr_t)outcome.devices,
		.verdict = (uintptr_t)&outcome.verdict,
	};

	for (uint32_t i = 0; i < count; i++) {
		outcome.devices[i].fd = fds[i];
		outcome.devices[i].access =
			BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE;
	}
	if (ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc) == 0) {
		CHECK_EQ(outcome.verdict.out_error, 0);
		outcome.fd = alloc.out_fd;
	} else {
		CHECK_EQ(outcome.verdict.out_error, -errno);
		outcome.fd = -1;
	}
	return outcome;
}

int
ba_try_copy(int node, int fd, uint32_t flags, uint64_t offset, uint64_t length,
	    const void *data)
{
	struct bufalloc_copy arg = {
		.size = sizeof(arg),
		.flags = flags,
		.fd = fd,
		.offset = offset,
		.length = length,
		.address = (uintptr_t)data,
	};

	if (ioctl(node, BUFALLOC_IOCTL_COPY, &arg) != 0) {
		return -1;
	}
	CHECK_EQ(arg.out_copied, length);
	return 0;
}

void
ba_copy(int node, int fd, uint32_t flags, uint64_t offset, uint64_t length,
	const void *data)
{
	CHECK_EQ(ba_try_copy(node, fd, flags, offset, length, data), 0);
}

struct bufalloc_buffer_info
ba_buffer_info(int node, int fd)
{
	struct bufalloc_buffer_info info = { .size = sizeof(info), .fd = fd };

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_BUFFER_INFO, &info), 0);
	return info;
}

void *
ba_map(int fd, size_t length)
{
	void *data = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(data != MAP_FAILED);
	return data;
}

void *
ba_map_at(int fd, size_t length, size_t shift)
{
	/* A frame need not be whole pages. */
	size_t whole = (length + 4095) / 4096 * 4096;
	size_t room_length = whole + 2 * BA_LARGE_PAGE, before, after;
	uint8_t *room = mmap(NULL, room_length, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *at;

	CHECK(room != MAP_FAILED);
	before = -(uintptr_t)room % BA_LARGE_PAGE + shift;
	at = room + before;
	CHECK(mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		   0) == at);
	if (before > 0) {
		CHECK_EQ(munmap(room, before), 0);
	}
	after = room_length - before - whole;
	if (after > 0) {
		CHECK_EQ(munmap(at + whole, after), 0);
	}
	return at;
}

static void
seen_remap(const char *text, void *data)
{
	uint64_t *first = data;

	if (*first == 0) {
		*first = trace_value(text, "pfn") * 4096;
	}
}

uint64_t
ba_address_of(int fd, size_t length)
{
	uint64_t first = 0;

	trace_begin("remap_pfn_range", "pfn=$arg3:u64");
	munmap(ba_map_at(fd, length, 4096), length);
	trace_end(seen_remap, &first);
	CHECK(first != 0);
	return first;
}

int
ba_live(const char *name)
{
	FILE *file = fopen("/sys/kernel/debug/bufalloc/live", "re");
	char key[32];
	int value, found = -1;

	if (file == NULL) {
		return -1;
	}
	while (fscanf(file, "%31s %d", key, &value) == 2) {
		if (strcmp(key, name) == 0) {
			found = value;
		}
	}
	fclose(file);
	return found;
}

void
ba_sync(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	CHECK_EQ(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync), 0);
}

static FILE *
open_parameter(const char *name, const char *mode)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/bufalloc/parameters/%s", name);
	file = fopen(path, mode);
	CHECK(file != NULL);
	return file;
}

unsigned long long
ba_get_parameter(const char *name)
{
	FILE *file = open_parameter(name, "re");
	unsigned long long value;
	int found = fscanf(file, "%llu", &value);

	fclose(file);
	CHECK_EQ(found, 1);
	return value;
}

void
ba_set_parameter(const char *name, unsigned long long value)
{
	FILE *file = open_parameter(name, "we");

	fprintf(file, "%llu\n", value);
	CHECK_EQ(fclose(file), 0);
}

int
ba_try_load(const char *parameters)
{
	const char *path = getenv("BUFALLOC_KO");
	int fd, ret, error;

	CHECK(path != NULL);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	ret = (int)syscall(SYS_finit_module, fd, parameters, 0);
	error = errno;
	close(fd);
	errno = error;
	return ret;
}

void
ba_load(void)
{
	CHECK_EQ(ba_try_load(""), 0);
}

int
ba_unload(void)
{
	return (int)syscall(SYS_delete_module, "bufalloc", O_NONBLOCK);
}

unsigned long long
ba_vmalloc_sum(bool (*counts)(const char *line))
{
	FILE *file = fopen("/proc/vmallocinfo", "re");
	unsigned long long sum = 0, bytes;
	char line[512];

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if ((counts == NULL || counts(line)) &&
		    sscanf(line, "%*s %llu", &bytes) == 1) {
			sum += bytes;
		}
	}
	fclose(file);
	return sum;
}

static bool
is_ours(const char *line)
{
	return strstr(line, "[bufalloc]") != NULL &&
	       strstr(line, " vmap") != NULL;
}

unsigned long long
ba_vmalloc_bytes(void)
{
	return ba_vmalloc_sum(is_ours);
}

void
pattern_fill(void *data, size_t length)
{
	uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++) {
		bytes[i] = pattern_byte(i);
	}
}

size_t
pattern_mismatch(const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != pattern_byte(i)) {
			return i;
		}
	}
	return length;
}

size_t
first_nonzero(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	size_t i = 0;

	for (; i + 8 <= length; i += 8) {
		uint64_t word;

		memcpy(&word, bytes + i, 8);
		if (word != 0) {
			break;
		}
	}
	while (i < length && bytes[i] == 0) {
		i++;
	}
	return i;
}

size_t
count_nonzero(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	size_t count = 0;

	for (size_t i = first_nonzero(data, length); i < length; i++) {
		count += bytes[i] != 0;
	}
	return count;
}
