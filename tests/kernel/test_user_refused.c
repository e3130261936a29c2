// SPDX-License-Identifier: MIT
/*
 * Memory that cannot be imported: the exact errno and reason, and nothing pinned.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user.h"

#define LENGTH (PAGE * 64)
/* The last page of 47 bits is nobody's, the one before may be a process's. */
#define TOP (((uint64_t)1 << 47) - PAGE)

static void
refused(uint64_t address, uint64_t length, uint32_t flags, int error,
	uint32_t reason)
{
	struct bufalloc_alloc_verdict verdict = { .size = sizeof(verdict) };
	struct bufalloc_import_user import = user_request(NULL, length, flags);
	struct bufalloc_import_user before;
	long long pins = user_pins();
	int node = ba_open();

	import.address = address;
	import.verdict = (uintptr_t)&verdict;
	before = import;
	CHECK_ERRNO(error, ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import));
	CHECK_EQ(verdict.out_error, -error);
	CHECK_EQ(verdict.out_reason, reason);
	CHECK_EQ(verdict.out_device, BUFALLOC_NO_DEVICE);
	CHECK(memcmp(&import, &before, sizeof(import)) == 0);
	CHECK_EQ(user_pins(), pins);
	CHECK_EQ(ba_live("pinned_pages"), 0);
	CHECK_EQ(ba_live("buffers"), 0);
	close(node);
}

static void
unaligned(void)
{
	uintptr_t at = (uintptr_t)user_anonymous(LENGTH, MAP_PRIVATE);

	for (uint64_t off = 1; off < PAGE; off *= 2) {
		refused(at + off, PAGE, 0, EINVAL, BUFALLOC_REASON_ALIGNMENT);
		refused(at, PAGE + off, 0, EINVAL, BUFALLOC_REASON_ALIGNMENT);
		refused(at, off, 0, EINVAL, BUFALLOC_REASON_ALIGNMENT);
	}
	/* A 1080p NV12 frame is no whole number of pages. */
	refused(at, 1920 * 1080 * 3 / 2, 0, EINVAL, BUFALLOC_REASON_ALIGNMENT);
	munmap((void *)at, LENGTH);
}

static void
length_0(void)
{
	uintptr_t at = (uintptr_t)user_anonymous(LENGTH, MAP_PRIVATE);

	refused(at, 0, 0, EINVAL, BUFALLOC_REASON_NONE);
	refused(0, 0, 0, EINVAL, BUFALLOC_REASON_NONE);
	munmap((void *)at, LENGTH);
}

static void
impossible_ranges(void)
{
	static const uint64_t ranges[][2] = {
		{ UINT64_MAX - PAGE + 1, PAGE },
		{ UINT64_MAX - PAGE + 1, 2 * PAGE },
		{ PAGE, UINT64_MAX - PAGE + 1 },
		{ TOP, UINT64_MAX - PAGE + 1 },
		{ TOP, PAGE },
		{ TOP - PAGE, 2 * PAGE },
		{ TOP + PAGE, PAGE },
		{ (uint64_t)1 << 63, PAGE },
		{ 0xffff888000000000, PAGE },
		{ 0xffffffff81000000, PAGE },
		{ 0, PAGE },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		refused(ranges[i][0], ranges[i][1], 0, EFAULT,
			BUFALLOC_REASON_UNMAPPED);
		refused(ranges[i][0], ranges[i][1], BUFALLOC_IMPORT_READ_ONLY,
			EFAULT, BUFALLOC_REASON_UNMAPPED);
	}
}

static void
larger_than_memory(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };
	uintptr_t at = (uintptr_t)user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	close(node);
	refused(at, info.out_max_length + PAGE, 0, ENOMEM,
		BUFALLOC_REASON_MEMORY);
	munmap((void *)at, LENGTH);
}

static void
holes(void)
{
	static const size_t at[] = { 0, 1, LENGTH / PAGE / 2, LENGTH / PAGE - 1 };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);

		munmap(memory + at[i] * PAGE, PAGE);
		refused((uintptr_t)memory, LENGTH, 0, EFAULT,
			BUFALLOC_REASON_UNMAPPED);
		refused((uintptr_t)memory, LENGTH, BUFALLOC_IMPORT_READ_ONLY,
			EFAULT, BUFALLOC_REASON_UNMAPPED);
		munmap(memory, LENGTH);
	}
}

/* Mapped, but no memory behind: what would be SIGBUS. */
static void
past_the_end_of_the_file(void)
{
	int file = user_memfd(LENGTH, 0);
	uint8_t *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			       file, 0);

	CHECK(memory != MAP_FAILED);
	CHECK_EQ(ftruncate(file, LENGTH - PAGE), 0);
	refused((uintptr_t)memory, LENGTH, 0, EFAULT, BUFALLOC_REASON_UNMAPPED);
	munmap(memory, LENGTH);
	close(file);
}

static void
protected(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);

	CHECK_EQ(mprotect(memory + LENGTH / 2, PAGE, PROT_READ), 0);
	refused((uintptr_t)memory, LENGTH, 0, EACCES, BUFALLOC_REASON_READ_ONLY);
	CHECK_EQ(mprotect(memory + LENGTH / 2, PAGE, PROT_NONE), 0);
	refused((uintptr_t)memory, LENGTH, 0, EACCES, BUFALLOC_REASON_READ_ONLY);
	refused((uintptr_t)memory, LENGTH, BUFALLOC_IMPORT_READ_ONLY, EACCES,
		BUFALLOC_REASON_READ_ONLY);
	munmap(memory, LENGTH);
}

static void
kind(uintptr_t at, size_t length)
{
	refused(at, length, 0, EOPNOTSUPP, BUFALLOC_REASON_MEMORY_KIND);
	refused(at, length, BUFALLOC_IMPORT_READ_ONLY, EOPNOTSUPP,
		BUFALLOC_REASON_MEMORY_KIND);
}

/* The clock's page, which the kernel maps into every process by its number. */
static void
pure_pfn(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned long long at = 0;

	CHECK(maps != NULL);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "[vvar]") != NULL) {
			CHECK_EQ(sscanf(line, "%llx-", &at), 1);
		}
	}
	fclose(maps);
	if (at == 0) {
		ktest_skip("no [vvar] in /proc/self/maps");
	}
	kind(at, PAGE);
}

/* A register block of a PCI device, mapped by sysfs. */
static void
device_memory(void)
{
	char path[64];
	void *memory;
	int file = -1;

	for (int slot = 0; slot < 32 && file < 0; slot++) {
		for (int bar = 0; bar < 6 && file < 0; bar++) {
			snprintf(path, sizeof(path),
				 "/sys/bus/pci/devices/0000:00:%02x.0/resource%d",
				 slot, bar);
			file = open(path, O_RDWR | O_CLOEXEC);
			if (file < 0) {
				continue;
			}
			memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED, file, 0);
			if (memory == MAP_FAILED) {
				close(file);
				file = -1;
			}
		}
	}
	if (file < 0) {
		ktest_skip("no PCI resource that can be mapped");
	}
	kind((uintptr_t)memory, PAGE);
	munmap(memory, PAGE);
	close(file);
}

/* Pages that a driver mapped, here the ring buffer of perf events. */
static void
drivers_pages(void)
{
	int events = (int)syscall(SYS_perf_event_open,
				   &(struct { uint32_t words[32]; }){
					   { 1, 112 } },
				   0, -1, -1, 0);
	void *memory;

	if (events < 0) {
		ktest_skip("no perf events: %s", ktest_errno_name());
	}
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      events, 0);
	CHECK(memory != MAP_FAILED);
	kind((uintptr_t)memory, 2 * PAGE);
	munmap(memory, 2 * PAGE);
	close(events);
}

/* 32-bit ARM has no such call. */
#ifndef SYS_memfd_secret
#define SYS_memfd_secret (-1)
#endif

static void
secret_memory(void)
{
	int file = (int)syscall(SYS_memfd_secret, 0);
	void *memory;

	if (file < 0) {
		ktest_skip("no secret memory: %s", ktest_errno_name());
	}
	CHECK_EQ(ftruncate(file, LENGTH), 0);
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(memory != MAP_FAILED);
	memset(memory, 1, LENGTH);
	kind((uintptr_t)memory, LENGTH);
	munmap(memory, LENGTH);
	close(file);
}

/* A program file: shared, and its file system is no tmpfs. */
static void
shared_file(void)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	void *memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);

	CHECK(memory != MAP_FAILED);
	kind((uintptr_t)memory, PAGE);
	munmap(memory, PAGE);
	close(file);
}

/* The general rules, as for ALLOC. */
static void
arguments(void)
{
	void *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	const struct bufalloc_import_user valid =
		user_request(memory, LENGTH, 0);
	struct bufalloc_import_user import;
	int node = ba_open();

	for (int bit = 2; bit < 32; bit++) {
		import = valid;
		import.flags = 1u << bit;
		CHECK_ERRNO(EINVAL,
			    ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import));
	}
	for (int bit = 0; bit < 32; bit++) {
		import = valid;
		import.fd_flags |= 1u << bit;
		if ((1u << bit) & (O_RDWR | O_CLOEXEC)) {
			continue;
		}
		CHECK_ERRNO(EINVAL,
			    ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import));
	}
	import = valid;
	import.__reserved = 1;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import));
	import = valid;
	import.devices = PAGE;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import));
	import.device_count = BUFALLOC_MAX_DEVICES + 1;
	CHECK_ERRNO(E2BIG, ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import));
	import = valid;
	import.size--;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import));
	import = valid;
	import.device_count = 1;
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import));
	munmap(memory, LENGTH);
	close(node);
}

/* What is no device is said before anything is pinned. */
static void
no_device(void)
{
	void *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct ba_outcome outcome = user_import_for(node, memory, LENGTH, 0,
						    &none, 1,
						    BUFALLOC_ACCESS_READ);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENODEV);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_NOT_A_DEVICE);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.verdict.out_tried, 0);
	munmap(memory, LENGTH);
	close(none);
	close(node);
}

/* The answer cannot be written: no fd and no pin may be left. */
static void
answer_not_writable(void)
{
	struct bufalloc_import_user *import = user_anonymous(PAGE, MAP_PRIVATE);
	void *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	long long pins = user_pins();
	int node = ba_open();
	int expected = dup(node);

	close(expected);
	*import = user_request(memory, LENGTH, 0);
	CHECK_EQ(mprotect(import, PAGE, PROT_READ), 0);
	CHECK_ERRNO(EFAULT, ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, import));
	CHECK_EQ(dup(node), expected);
	close(expected);
	CHECK_WITHIN_1S(user_pins() == pins);
	munmap(memory, LENGTH);
	munmap(import, PAGE);
	close(node);
}

static struct {
	uint8_t *memory;
	int file;
	_Atomic bool stop;
} race;

/* Holes, other mappings and read-only pages come and go in the range. */
static void *
change_range(void *unused)
{
	for (unsigned int i = 0; !race.stop; i++) {
		uint8_t *at = race.memory + (i * 7 % 64) * PAGE;
		int prot = i % 3 ? PROT_READ | PROT_WRITE : PROT_READ;

		munmap(at, PAGE);
		if (i % 2) {
			mmap(at, PAGE, prot, MAP_SHARED | MAP_FIXED, race.file,
			     (off_t)PAGE);
		}
		mmap(at, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return unused;
}

static void
range_that_changes(void)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	unsigned int done = 0, refusals = 0;
	long long pins = user_pins();
	int node = ba_open();
	pthread_t thread;
	double end;

	race.memory = memory;
	race.file = file;
	race.stop = false;
	CHECK_EQ(pthread_create(&thread, NULL, change_range, NULL), 0);
	end = ktest_now() + 10;
	while ((done < 200 || refusals < 200) && ktest_now() < end) {
		int fd = user_try_import(node, memory, LENGTH, 0);

		if (fd >= 0) {
			done++;
			close(fd);
		} else if (errno == EFAULT || errno == EACCES ||
			   errno == EOPNOTSUPP) {
			refusals++;
		} else {
			int error = errno;

			race.stop = true;
			pthread_join(thread, NULL);
			ktest_fail(__FILE__, __LINE__, "errno %d", error);
		}
	}
	race.stop = true;
	pthread_join(thread, NULL);
	ktest_note("%u imports, %u refusals", done, refusals);
	CHECK(done > 0 && refusals > 0);
	CHECK_WITHIN_1S(user_pins() == pins);
	munmap(memory, LENGTH);
	close(file);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "unaligned-einval", unaligned },
	{ "length-0-einval", length_0 },
	{ "kernel-addresses-and-overflow-efault", impossible_ranges },
	{ "larger-than-memory-enomem", larger_than_memory },
	{ "holes-efault", holes },
	{ "past-the-end-of-a-file-efault", past_the_end_of_the_file },
	{ "not-writable-or-readable-eacces", protected },
	{ "pure-pfn-eopnotsupp", pure_pfn },
	{ "device-memory-eopnotsupp", device_memory },
	{ "drivers-pages-eopnotsupp", drivers_pages },
	{ "secret-memory-eopnotsupp", secret_memory },
	{ "shared-file-eopnotsupp", shared_file },
	{ "arguments", arguments },
	{ "no-device-enodev", no_device },
	{ "answer-not-writable-efault-leaves-no-pin", answer_not_writable },
	{ "a-range-that-another-thread-changes", range_that_changes },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
