// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user.h"

struct bufalloc_import_user
user_request(const void *address, uint64_t length, uint32_t flags)
{
	return (struct bufalloc_import_user){
		.size = sizeof(struct bufalloc_import_user),
		.flags = flags,
		.address = (uintptr_t)address,
		.length = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.out_fd = -2,
	};
}

int
user_try_import(int node, const void *address, uint64_t length, uint32_t flags)
{
	struct bufalloc_import_user import =
		user_request(address, length, flags);

	if (ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import) != 0) {
		return -1;
	}
	return import.out_fd;
}

int
user_import(int node, const void *address, uint64_t length, uint32_t flags)
{
	int fd = user_try_import(node, address, length, flags);

	CHECK(fd >= 0);
	return fd;
}

struct ba_outcome
user_import_for(int node, const void *address, uint64_t length, uint32_t flags,
		const int *fds, uint32_t count, uint32_t access)
{
	struct ba_outcome outcome = { .verdict.size = sizeof(outcome.verdict) };
	struct bufalloc_import_user import =
		user_request(address, length, flags);

	import.device_count = count;
	import.devices = count ? (uintptr_t)outcome.devices : 0;
	import.verdict = (uintptr_t)&outcome.verdict;
	for (uint32_t i = 0; i < count; i++) {
		outcome.devices[i].fd = fds[i];
		outcome.devices[i].access = access;
	}
	if (ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import) == 0) {
		CHECK_EQ(outcome.verdict.out_error, 0);
		outcome.fd = import.out_fd;
	} else {
		CHECK_EQ(outcome.verdict.out_error, -errno);
		outcome.fd = -1;
	}
	return outcome;
}

void *
user_anonymous(size_t length, int flags)
{
	void *data = mmap(NULL, length, PROT_READ | PROT_WRITE,
			  MAP_ANONYMOUS | flags, -1, 0);

	CHECK(data != MAP_FAILED);
	return data;
}

uint8_t *
user_scattered(size_t length)
{
	uint8_t *data = user_anonymous(length, MAP_PRIVATE);
	size_t pages = length / PAGE;

	CHECK(madvise(data, length, MADV_NOHUGEPAGE) == 0 || errno == EINVAL);
	/* Every seventh page, seven times: neighbours are taken far apart. */
	for (size_t start = 0; start < 7; start++) {
		for (size_t page = start; page < pages; page += 7) {
			data[page * PAGE] = 1;
		}
	}
	return data;
}

int
user_memfd(size_t length, unsigned int flags)
{
	int fd = memfd_create("test", flags | MFD_CLOEXEC);

	if (fd < 0 && flags & MFD_HUGETLB) {
		ktest_skip("no huge pages: %s", ktest_errno_name());
	}
	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, (off_t)length), 0);
	return fd;
}

/* A number of a file with lines of "name[:] number"; -1 if it is not there. */
static long long
read_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	long long value, found = -1;
	char line[256], key[64];

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%63[^: \t]%*[: \t]%lld", key, &value) == 2 &&
		    strcmp(key, name) == 0) {
			found = value;
		}
	}
	fclose(file);
	return found;
}

long long
user_pins(void)
{
	FILE *refresh = fopen("/proc/sys/vm/stat_refresh", "re");
	long long acquired;

	/* Each CPU has a part of the counters; reading this adds them up. */
	CHECK(refresh != NULL);
	(void)!fgetc(refresh);
	fclose(refresh);
	acquired = read_number("/proc/vmstat", "nr_foll_pin_acquired");
	CHECK(acquired >= 0);
	return acquired - read_number("/proc/vmstat", "nr_foll_pin_released");
}

long
user_vm_pin(void)
{
	long long value = read_number("/proc/self/status", "VmPin");

	CHECK(value >= 0);
	return (long)value;
}

size_t
user_mismatch(int fd, size_t length)
{
	void *data = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
	size_t at;

	CHECK(data != MAP_FAILED);
	at = pattern_mismatch(data, length);
	munmap(data, length);
	return at;
}
