// SPDX-License-Identifier: MIT
/*
 * LOAD_FIRMWARE: files straight into buffers.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fwfile.h"
#include "ktest.h"
#include "pages.h"
#include "user.h"

#define TEST_FIRMWARE "/sys/devices/virtual/misc/test_firmware/trigger_request"

#define LENGTH ((size_t)5 << 20)

static struct bufalloc_load_firmware
request(int fd, uint64_t offset, const char *name)
{
	return (struct bufalloc_load_firmware){
		.size = sizeof(struct bufalloc_load_firmware),
		.fd = fd,
		.offset = offset,
		.name = (uintptr_t)name,
		.out_length = 77,
	};
}

static void
load(int node, int fd, uint64_t offset, const char *name, size_t length)
{
	struct bufalloc_load_firmware arg = request(fd, offset, name);

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &arg), 0);
	CHECK_EQ(arg.out_length, length);
}

/* Must fail so, and change nothing. */
static void
load_fails(int node, int fd, uint64_t offset, const char *name, int expected)
{
	struct bufalloc_load_firmware arg = request(fd, offset, name);

	CHECK_ERRNO(expected, ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &arg));
	CHECK_EQ(arg.out_length, 77);
}

/* Each into the middle of 0xcc, which stays around it. */
static void
load_lengths(int node, int fd, uint8_t *data)
{
	static const struct {
		size_t offset, length;
	} files[] = {
		{ 0, 1 },
		{ 0, 4096 },
		{ 1, 4095 },
		{ 4095, 65537 },
		{ 12345, (1 << 20) + 1 },
		{ 0, LENGTH },
		{ LENGTH - 1, 1 },
		{ 3, LENGTH - 5 },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t offset = files[i].offset, length = files[i].length;

		fwfile_make("fw.bin", length, (uint32_t)i);
		memset(data, 0xcc, LENGTH);
		load(node, fd, offset, "fw.bin", length);
		CHECK(fwfile_is(data + offset, length, (uint32_t)i));
		for (size_t at = 0; at < LENGTH; at++) {
			if (at < offset || at >= offset + length) {
				CHECK_EQ(data[at], 0xcc);
			}
		}
	}
}

static void
loads_heaps(void)
{
	int node = ba_open();

	fwfile_set_up();
	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);
		uint8_t *data = ba_map(fd, LENGTH);

		load_lengths(node, fd, data);
		munmap(data, LENGTH);
		close(fd);
	}
	close(node);
}

/* Seen page by page, as everybody else sees it. */
static void
loads_uncached(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };
	int node = ba_open(), fd;
	uint8_t *data;

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	if (!(info.out_attributes & BUFALLOC_ATTRIBUTE_WRITE_COMBINE)) {
		ktest_skip("this machine has no write-combined buffers");
	}
	fwfile_set_up();
	fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, LENGTH,
			   BUFALLOC_ATTRIBUTE_WRITE_COMBINE);
	data = ba_map(fd, LENGTH);
	load_lengths(node, fd, data);
	CHECK_EQ(ba_buffer_info(node, fd).out_kernel_va, 0);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

/* Runs of a page: what is shorter than 64 KiB is put together elsewhere. */
static void
loads_scattered(void)
{
	uint8_t *memory = user_scattered(LENGTH);
	int node = ba_open();
	int fd = user_import(node, memory, LENGTH, 0);
	int read_only = user_import(node, memory, LENGTH,
				    BUFALLOC_IMPORT_READ_ONLY);

	fwfile_set_up();
	load_lengths(node, fd, memory);
	load_fails(node, read_only, 0, "fw.bin", EACCES);
	close(read_only);
	close(fd);
	close(node);
	munmap(memory, LENGTH);
}

/* Nobody may look at it, but it is loaded, and no mapping is left. */
static void
never_cpu(void)
{
	struct bufalloc_buffer_info info;
	int node = ba_open();
	int fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, LENGTH,
			       BUFALLOC_ATTRIBUTE_NEVER_CPU);

	fwfile_set_up();
	fwfile_make("fw.bin", LENGTH - 3, 1);
	load(node, fd, 0, "fw.bin", LENGTH - 3);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_kernel_va, 0);
	CHECK_EQ(info.out_kernel_maps_total, 0);
	CHECK_EQ(info.out_cpu_accesses, 1);
	close(fd);
	close(node);
}

static void
refusals(void)
{
	char name[300];
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);
	struct bufalloc_load_firmware arg;

	fwfile_set_up();
	memset(data, 0xcc, LENGTH);
	fwfile_make("short.bin", 1000, 1);
	fwfile_make("long.bin", LENGTH + 1, 1);
	fwfile_make("packed.bin.xz", 1000, 1);
	fwfile_make("packed-too.bin.zst", 1000, 1);
	fwfile_make("empty.bin", 0, 1);
	CHECK(mkdir(FWFILE_FOLDER "/folder", 0755) == 0 || errno == EEXIST);

	load_fails(node, fd, 0, "not-there.bin", ENOENT);
	load_fails(node, fd, 0, "empty.bin", ENOENT);
	load_fails(node, fd, 0, "packed.bin", EMEDIUMTYPE);
	load_fails(node, fd, 0, "packed-too.bin", EMEDIUMTYPE);
	load_fails(node, fd, 0, "long.bin", EFBIG);
	load_fails(node, fd, LENGTH - 999, "short.bin", EFBIG);
	load_fails(node, fd, LENGTH, "short.bin", EINVAL);
	load_fails(node, fd, UINT64_MAX, "short.bin", EINVAL);
	load_fails(node, fd, 0, "", EINVAL);
	load_fails(node, fd, 0, "/etc/shadow", EINVAL);
	load_fails(node, fd, 0, "..", EINVAL);
	load_fails(node, fd, 0, "../short.bin", EINVAL);
	load_fails(node, fd, 0, "folder/../short.bin", EINVAL);
	load_fails(node, fd, 0, "folder/..", EINVAL);
	memset(name, 'a', sizeof(name));
	name[256] = '\0';
	load_fails(node, fd, 0, name, EINVAL);
	load_fails(node, fd, 0, NULL, EFAULT);
	load_fails(node, -1, 0, "short.bin", EBADF);
	load_fails(node, node, 0, "short.bin", EINVAL);
	arg = request(fd, 0, "short.bin");
	arg.flags = 1;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &arg));
	arg = request(fd, 0, "short.bin");
	arg.__reserved = 1;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &arg));
	for (size_t at = 0; at < LENGTH; at++) {
		CHECK_EQ(data[at], 0xcc);
	}
	/* A dot more or less is a name. */
	fwfile_make("..a", 10, 1);
	load(node, fd, 0, "..a", 10);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
without_capability(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	struct bufalloc_load_firmware arg = request(fd, 0, "fw.bin");
	pid_t child;
	int status;

	fwfile_set_up();
	fwfile_make("fw.bin", 1000, 1);
	child = fork();
	if (child == 0) {
		if (setuid(65534) != 0) {
			_exit(1);
		}
		ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &arg);
		_exit(errno);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), EPERM);
	close(fd);
	close(node);
}

static void
read_only_fd(void)
{
	int node = ba_open();
	int fd = ba_alloc_read_only(node, LENGTH);

	fwfile_set_up();
	fwfile_make("fw.bin", 1000, 1);
	load_fails(node, fd, 0, "fw.bin", EACCES);
	close(fd);
	close(node);
}

/* In each page of a file, which of its replacements it is. */
static void
stamp(uint8_t *bytes, uint32_t number)
{
	for (size_t at = 0; at + sizeof(number) <= LENGTH; at += 4096) {
		memcpy(bytes + at, &number, sizeof(number));
	}
}

static uint32_t
stamp_at(const uint8_t *bytes, size_t at)
{
	uint32_t number;

	memcpy(&number, bytes + at, sizeof(number));
	return number;
}

/* Puts a file that never was before in the place of fw.bin, again and again. */
static void
replace_for_ever(void)
{
	uint8_t *bytes = calloc(1, LENGTH);

	/* Also if the row fails: nobody would read the program's output to its end. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint32_t number = 1; bytes != NULL; number++) {
		stamp(bytes, number);
		fwfile_write(FWFILE_FOLDER "/next.bin", bytes, LENGTH - number % 2);
		if (rename(FWFILE_FOLDER "/next.bin", FWFILE_FOLDER "/fw.bin") != 0) {
			break;
		}
	}
	_exit(1);
}

/* Whatever is loaded without an error is one file as a whole. */
static void
replaced_meanwhile(void)
{
	unsigned int changed = 0, loaded = 0;
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);
	pid_t child;
	int status;

	fwfile_set_up();
	fwfile_make("fw.bin", LENGTH, 1);
	child = fork();
	if (child == 0) {
		replace_for_ever();
	}
	for (int i = 0; i < 40; i++) {
		struct bufalloc_load_firmware arg = request(fd, 0, "fw.bin");
		uint32_t number;

		if (ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &arg) != 0) {
			CHECK_EQ(errno, ESTALE);
			changed++;
			continue;
		}
		if (fwfile_is(data, LENGTH, 1)) {
			continue;
		}
		loaded++;
		number = stamp_at(data, 0);
		CHECK_EQ(arg.out_length, LENGTH - number % 2);
		for (size_t at = 0; at < LENGTH; at += 4096) {
			CHECK_EQ(stamp_at(data, at), number);
		}
	}
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
	ktest_note("loaded %u times, changed %u times", loaded, changed);
	CHECK(changed > 0);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static unsigned long long
larger(struct pages_peak peak)
{
	return peak.memory > peak.address_space ? peak.memory :
						  peak.address_space;
}

#define SHA256_DIGITS 64

/* What sha256sum(1) says of these bytes, or of that file. */
static void
sha256_of(const char *path, const void *data, size_t length, char *digits)
{
	char command[256];
	FILE *file;
	size_t n;

	snprintf(command, sizeof(command), "sha256sum %s >" FWFILE_FOLDER "/sum", path);
	file = popen(command, "we");
	CHECK(file != NULL);
	CHECK_EQ(fwrite(data, 1, length, file), length);
	CHECK_EQ(pclose(file), 0);
	file = fopen(FWFILE_FOLDER "/sum", "re");
	CHECK(file != NULL);
	n = fread(digits, 1, SHA256_DIGITS, file);
	fclose(file);
	CHECK_EQ(n, SHA256_DIGITS);
	digits[n] = '\0';
}

/* As request_firmware() does it, by the kernel's own test module. */
static void
request_firmware_beside(const char *name, size_t length, bool is_figure)
{
	int fd = open(TEST_FIRMWARE, O_WRONLY | O_CLOEXEC);
	struct pages_peak peak;

	if (fd < 0) {
		ktest_note("no test_firmware.ko to compare with");
		return;
	}
	/* It keeps the last one. */
	fwfile_make("tiny.bin", 1, 1);
	CHECK_EQ(write(fd, "tiny.bin", 8), 8);
	pages_begin();
	CHECK_EQ(write(fd, name, strlen(name)), strlen(name));
	peak = pages_end();
	CHECK_EQ(write(fd, "tiny.bin", 8), 8);
	close(fd);
	ktest_note("request_firmware: %llu bytes of memory, %llu of address space, "
		   "%llu less free", peak.memory, peak.address_space,
		   peak.less_free);
	if (is_figure) {
		ktest_figure("firmware_extra_peak_bytes_request_firmware",
			     (double)larger(peak));
	}
	/* The witnesses see what there is to see. */
	CHECK(peak.less_free >= length / 4);
	CHECK(peak.address_space >= length);
}

#define LARGE ((size_t)64 << 20)

/* A file of that length, and what it takes besides the buffer that it fills. */
static void
extra_memory(size_t length, bool is_figure)
{
	char of_file[SHA256_DIGITS + 1], of_buffer[SHA256_DIGITS + 1];
	struct pages_peak peak;
	int node, fd;
	uint8_t *data;

	if (access("/sys/kernel/debug/kmemleak", F_OK) == 0) {
		ktest_skip("a kernel that watches itself takes memory for that");
	}
	node = ba_open();
	fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LARGE);
	fwfile_set_up();
	fwfile_make("large.bin", length, 3);
	pages_begin();
	load(node, fd, 0, "large.bin", length);
	peak = pages_end();
	ktest_note("%zu bytes: %llu bytes of memory, %llu of address space, "
		   "%llu less free, %u looks", length, peak.memory,
		   peak.address_space, peak.less_free, peak.looks);
	if (is_figure) {
		ktest_figure("firmware_extra_peak_bytes", (double)larger(peak));
	}
	CHECK(peak.looks > 2);
	CHECK(peak.memory <= 262144);
	CHECK(peak.address_space <= 262144);
	/* A processor takes its pages by the batch. */
	CHECK(peak.less_free <= 1 << 20);
	CHECK_EQ(ba_buffer_info(node, fd).out_kernel_maps_total, 0);
	data = ba_map(fd, LARGE);
	sha256_of(FWFILE_FOLDER "/large.bin", "", 0, of_file);
	sha256_of("", data, length, of_buffer);
	ktest_note("SHA-256 %s", of_buffer);
	CHECK_EQ(strcmp(of_file, of_buffer), 0);
	CHECK_EQ(first_nonzero(data + length, LARGE - length), LARGE - length);
	munmap(data, LARGE);
	request_firmware_beside("large.bin", length, is_figure);
	unlink(FWFILE_FOLDER "/large.bin");
	close(fd);
	close(node);
}

static void
no_second_copy(void)
{
	extra_memory(LARGE, true);
}

static void
no_second_copy_odd(void)
{
	extra_memory(LARGE - 12345, false);
}

static const struct ktest_row rows[] = {
	{ "loads-files-of-each-length", loads_heaps },
	{ "loads-to-write-combined-memory", loads_uncached },
	{ "loads-to-scattered-memory-read-only-eacces", loads_scattered },
	{ "loads-to-never-cpu", never_cpu },
	{ "refusals-each-its-errno", refusals },
	{ "without-cap-sys-admin-eperm", without_capability },
	{ "by-a-read-only-fd-eacces", read_only_fd },
	{ "a-file-that-changes-estale", replaced_meanwhile },
	{ "takes-no-second-copy", no_second_copy },
	{ "takes-no-second-copy-of-an-odd-length", no_second_copy_odd },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
