/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "mock.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum call_kind {
	CALL_OPEN,
	CALL_IOCTL,
	CALL_MMAP,
	CALL_MUNMAP,
};

struct call {
	enum call_kind kind;
	int err;
	const char *path;
	enum mock_file file;
	unsigned long request;
	size_t size;
	bool has_out;
	bool gives_fd;
	bool for_devices;
	bool has_results;
	struct bufalloc_alloc_verdict verdict;
	uint32_t out_flags;
	uint64_t out_offset;
	_Alignas(8) unsigned char in[512];
	_Alignas(8) unsigned char out[512];
};

static struct call calls[256];
static size_t calls_len;
static size_t calls_done;

static int node_fd;
static int buffer_fd;
static void *mapping;
static size_t mapping_length;
static unsigned int memory_countdown;
static unsigned int fds_before;

struct mock_system mock_system;
unsigned int mock_group_calls;

const struct bufalloc_info mock_info = {
	.size = sizeof(struct bufalloc_info),
	.out_version = 0x000102,
	.out_heaps = 0x6,
	.out_max_length = UINT64_C(4294967296),
	.out_contig_limit = UINT64_C(1073741824),
	.out_contig_used = UINT64_C(8294400),
};

int
__real_open64(const char *path, int flags, ...);
void *
__real_mmap64(void *addr, size_t length, int prot, int flags, int fd,
	      off64_t offset);
int
__real_munmap(void *addr, size_t length);
void *
__real_calloc(size_t count, size_t size);
void *
__real_realloc(void *ptr, size_t size);

int
__wrap_open64(const char *path, int flags, ...);
int
__wrap_ioctl(int fd, unsigned long request, ...);
void *
__wrap_mmap64(void *addr, size_t length, int prot, int flags, int fd,
	      off64_t offset);
int
__wrap_munmap(void *addr, size_t length);
void *
__wrap_calloc(size_t count, size_t size);
void *
__wrap_realloc(void *ptr, size_t size);
int
__wrap_stat64(const char *path, struct stat64 *st);
int
__wrap_access(const char *path, int mode);
int
__wrap_getgrgid_r(gid_t gid, struct group *group, char *buf, size_t size,
		  struct group **result);
int
__wrap_getrlimit64(int resource, struct rlimit64 *limit);

static unsigned int
count_fds(void)
{
	unsigned int count = 0;
	DIR *dir = opendir("/proc/self/fd");

	assert_non_null(dir);
	while (readdir(dir) != NULL) {
		count++;
	}
	closedir(dir);
	return count;
}

int
mock_setup(void **state)
{
	(void)state;
	calls_len = 0;
	calls_done = 0;
	node_fd = -1;
	buffer_fd = -1;
	mapping = NULL;
	memory_countdown = 0;
	mock_group_calls = 0;
	mock_system = (struct mock_system){
		.mode = S_IFCHR | 0660,
		.gid = 44,
		.group = "video",
		.rlimit = 1024,
	};
	fds_before = count_fds();
	return 0;
}

void
mock_expect_nothing_left(void)
{
	assert_int_equal(calls_done, calls_len);
}

int
mock_teardown(void **state)
{
	(void)state;
	mock_expect_nothing_left();
	assert_null(mapping);
	assert_int_equal(count_fds(), fds_before);
	return 0;
}

static struct call *
add_call(enum call_kind kind, int err)
{
	struct call *call;

	assert_true(calls_len < LEN(calls));
	call = &calls[calls_len++];
	memset(call, 0, sizeof(*call));
	call->kind = kind;
	call->err = err;
	return call;
}

static struct call *
next_call(enum call_kind kind)
{
	if (calls_done == calls_len) {
		fail_msg("a call too many (kind %d)", kind);
	}
	assert_int_equal(calls[calls_done].kind, kind);
	return &calls[calls_done++];
}

void
mock_expect_open(const char *path, int err)
{
	add_call(CALL_OPEN, err)->path = path;
}

void
mock_expect_ioctl(enum mock_file file, unsigned long request, const void *in,
		  size_t size, const void *out, int err)
{
	struct call *call = add_call(CALL_IOCTL, err);

	assert_true(size <= sizeof(call->in));
	call->file = file;
	call->request = request;
	call->size = size;
	memcpy(call->in, in, size);
	if (out != NULL) {
		call->has_out = true;
		memcpy(call->out, out, size);
	}
}

void
mock_expect_alloc(uint64_t length, uint32_t heap, int err)
{
	struct bufalloc_alloc in = {
		.size = 64,
		.length = length,
		.heap = heap,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_ALLOC, &in, sizeof(in),
			  NULL, err);
	calls[calls_len - 1].gives_fd = err == 0;
}

/* The last call is for these devices, and answers with those results. */
static void
add_devices(const struct bufalloc_use *uses, uint32_t count,
	    const struct bufalloc_alloc_device *results,
	    const struct bufalloc_alloc_verdict *verdict)
{
	struct call *call = &calls[calls_len - 1];

	assert_true(count <= BUFALLOC_MAX_DEVICES);
	call->for_devices = true;
	call->has_results = results != NULL;
	if (results != NULL) {
		memcpy(call->out, results, count * sizeof(*results));
	}
	if (verdict != NULL) {
		call->verdict = *verdict;
	}
	memcpy(call->in + call->size, uses, count * sizeof(*uses));
}

void
mock_expect_alloc_for(const struct mock_alloc_for *want,
		      const struct bufalloc_alloc_device *results,
		      const struct bufalloc_alloc_verdict *verdict, int err)
{
	struct bufalloc_alloc in = {
		.size = 64,
		.flags = want->flags,
		.length = want->length,
		.heap = want->heap,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.device_count = want->count,
		.attributes = want->attributes,
		.required = want->required,
	};

	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_ALLOC, &in, sizeof(in),
			  NULL, err);
	calls[calls_len - 1].gives_fd = err == 0 && (want->flags & 1) == 0;
	add_devices(want->uses, want->count, results, verdict);
}

void
mock_expect_import_user(const struct mock_import_user *want,
			const struct bufalloc_alloc_device *results,
			const struct bufalloc_alloc_verdict *verdict, int err)
{
	struct bufalloc_import_user in = {
		.size = 72,
		.flags = want->flags,
		.address = (uintptr_t)want->address,
		.length = want->length,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.device_count = want->count,
	};
	struct call *call;

	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_IMPORT_USER, &in,
			  sizeof(in), NULL, err);
	call = &calls[calls_len - 1];
	call->gives_fd = err == 0 && (want->flags & 1) == 0;
	call->out_flags = want->out_flags;
	call->out_offset = want->out_offset;
	add_devices(want->uses, want->count, results, verdict);
}

void
mock_expect_device_info(int fd, uint32_t access,
			const struct bufalloc_device_info *out, int err)
{
	struct bufalloc_device_info in = {
		.size = 176,
		.fd = fd,
		.access = access,
	};

	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_DEVICE_INFO, &in,
			  sizeof(in), out, err);
}

void
mock_expect_buffer_info(const struct bufalloc_buffer_info *out, int err)
{
	struct bufalloc_buffer_info in = { .size = 112 };

	/* The descriptor is known when the call comes: see __wrap_ioctl(). */
	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_BUFFER_INFO, &in,
			  sizeof(in), out, err);
}

void
mock_expect_set_name(const char *name, int err)
{
	mock_expect_ioctl(MOCK_BUFFER, DMA_BUF_SET_NAME, name,
			  strlen(name) + 1, NULL, err);
}

void
mock_expect_sync(uint64_t flags, int err)
{
	mock_expect_ioctl(MOCK_BUFFER, DMA_BUF_IOCTL_SYNC, &flags,
			  sizeof(flags), NULL, err);
}

void
mock_expect_mmap(uint64_t length, int err)
{
	add_call(CALL_MMAP, err)->size = (size_t)length;
}

void
mock_expect_munmap(void)
{
	add_call(CALL_MUNMAP, 0);
}

void
mock_fail_memory(unsigned int nth)
{
	memory_countdown = nth;
}

struct bufalloc_ctx *
mock_open(void)
{
	struct bufalloc_info in = { .size = sizeof(in) };
	struct bufalloc_ctx *ctx = NULL;

	mock_expect_open(BUFALLOC_DEVICE, 0);
	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_INFO, &in, sizeof(in),
			  &mock_info, 0);
	assert_int_equal(bufalloc_open_module(&ctx, NULL), 0);
	assert_non_null(ctx);
	return ctx;
}

struct bufalloc_buf *
mock_alloc(struct bufalloc_ctx *ctx)
{
	struct bufalloc_buffer_info info = {
		.size = sizeof(info),
		.out_length = MOCK_LENGTH,
	};
	struct bufalloc_buf *buf = NULL;

	mock_expect_alloc(MOCK_LENGTH, BUFALLOC_HEAP_SYSTEM, 0);
	mock_expect_buffer_info(&info, 0);
	mock_expect_set_name("bufalloc", 0);
	assert_int_equal(bufalloc_alloc_bytes(ctx, MOCK_LENGTH, BUFALLOC_SYSTEM,
					      NULL, &buf),
			 0);
	assert_non_null(buf);
	return buf;
}

int
__wrap_open64(const char *path, int flags, ...)
{
	const struct call *call = next_call(CALL_OPEN);

	assert_string_equal(path, call->path);
	assert_int_equal(flags, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (call->err != 0) {
		errno = call->err;
		return -1;
	}
	node_fd = memfd_create("node", MFD_CLOEXEC);
	assert_true(node_fd >= 0);
	return node_fd;
}

/*
 * What the addresses of devices and verdict lead to is compared and answered
 * here; count is what the library says.
 */
static void
answer_devices(const struct call *call, uint64_t devices_at, uint32_t count,
	       uint64_t verdict_at)
{
	const struct bufalloc_use *uses = (const void *)(call->in + call->size);
	struct bufalloc_alloc_device *devices = (void *)(uintptr_t)devices_at;
	struct bufalloc_alloc_verdict *verdict = (void *)(uintptr_t)verdict_at;
	const struct bufalloc_alloc_device *results = (const void *)call->out;
	uint32_t i;

	assert_int_equal(devices != NULL, count > 0);
	assert_non_null(verdict);
	assert_int_equal(verdict->size, sizeof(*verdict));
	assert_int_equal(verdict->__reserved, 0);
	assert_int_equal(verdict->__reserved2, 0);
	assert_int_equal(verdict->__reserved3, 0);
	for (i = 0; i < count; i++) {
		assert_int_equal(devices[i].fd, uses[i].fd);
		assert_int_equal(devices[i].access, uses[i].access);
		if (call->has_results) {
			devices[i] = results[i];
		}
	}
	if (call->verdict.size != 0) {
		/* An older module has less to say. */
		memcpy(verdict, &call->verdict, call->verdict.size);
	}
}

/* The addresses are the library's own: nothing can be said of them before. */
static void
answer_alloc(struct call *call, const struct bufalloc_alloc *alloc)
{
	struct bufalloc_alloc *want = (void *)call->in;

	assert_int_equal(alloc->device_count, want->device_count);
	answer_devices(call, alloc->devices, alloc->device_count,
		       alloc->verdict);
	want->devices = alloc->devices;
	want->verdict = alloc->verdict;
}

static void
answer_import(struct call *call, const struct bufalloc_import_user *import)
{
	struct bufalloc_import_user *want = (void *)call->in;

	assert_int_equal(import->device_count, want->device_count);
	answer_devices(call, import->devices, import->device_count,
		       import->verdict);
	want->devices = import->devices;
	want->verdict = import->verdict;
}

/* The descriptor is a new one. */
static void
give_fd(const struct call *call, void *arg)
{
	struct bufalloc_import_user *import = arg;

	buffer_fd = memfd_create("buffer", MFD_CLOEXEC);
	assert_true(buffer_fd >= 0);
	assert_int_equal(ftruncate(buffer_fd, MOCK_LENGTH), 0);
	if (call->request != BUFALLOC_IOCTL_IMPORT_USER) {
		((struct bufalloc_alloc *)arg)->out_fd = buffer_fd;
		return;
	}
	import->out_fd = buffer_fd;
	import->out_flags = call->out_flags;
	import->out_offset = call->out_offset;
}

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	struct call *call = next_call(CALL_IOCTL);
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	assert_int_equal(fd, call->file == MOCK_NODE ? node_fd : buffer_fd);
	assert_int_equal(request, call->request);
	if (request == BUFALLOC_IOCTL_BUFFER_INFO && buffer_fd >= 0) {
		memcpy(call->in + offsetof(struct bufalloc_buffer_info, fd),
		       &buffer_fd, sizeof(buffer_fd));
	}
	if (call->for_devices && request == BUFALLOC_IOCTL_IMPORT_USER) {
		answer_import(call, arg);
	} else if (call->for_devices) {
		answer_alloc(call, arg);
	}
	assert_memory_equal(arg, call->in, call->size);

	/* Of COPY also with an error. */
	if (call->has_out &&
	    (call->err == 0 || request == BUFALLOC_IOCTL_COPY)) {
		memcpy(arg, call->out, call->size);
	}
	if (call->err != 0) {
		errno = call->err;
		return -1;
	}
	if (call->gives_fd) {
		give_fd(call, arg);
	}
	/* What went well may leave anything there: errno(3). */
	errno = ENOTRECOVERABLE;
	return 0;
}

void *
__wrap_mmap64(void *addr, size_t length, int prot, int flags, int fd,
	      off64_t offset)
{
	const struct call *call = next_call(CALL_MMAP);

	assert_null(addr);
	assert_int_equal(length, call->size);
	assert_int_equal(prot, PROT_READ | PROT_WRITE);
	assert_int_equal(flags, MAP_SHARED);
	assert_int_equal(fd, buffer_fd);
	assert_int_equal(offset, 0);
	if (call->err != 0) {
		errno = call->err;
		return MAP_FAILED;
	}
	assert_null(mapping);
	mapping = __real_mmap64(addr, length, prot, flags, fd, offset);
	assert_ptr_not_equal(mapping, MAP_FAILED);
	mapping_length = length;
	return mapping;
}

int
__wrap_munmap(void *addr, size_t length)
{
	next_call(CALL_MUNMAP);
	assert_ptr_equal(addr, mapping);
	assert_int_equal(length, mapping_length);
	mapping = NULL;
	return __real_munmap(addr, length);
}

static bool
memory_fails(void)
{
	if (memory_countdown == 0) {
		return false;
	}
	memory_countdown--;
	return memory_countdown == 0;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	if (memory_fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(count, size);
}

void *
__wrap_realloc(void *ptr, size_t size)
{
	if (memory_fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_realloc(ptr, size);
}

int
__wrap_stat64(const char *path, struct stat64 *st)
{
	(void)path;
	if (mock_system.stat_err != 0) {
		errno = mock_system.stat_err;
		return -1;
	}
	memset(st, 0, sizeof(*st));
	st->st_mode = mock_system.mode;
	st->st_gid = mock_system.gid;
	return 0;
}

int
__wrap_access(const char *path, int mode)
{
	assert_string_equal(path, "/sys/module/bufalloc");
	assert_int_equal(mode, F_OK);
	errno = ENOENT;
	return mock_system.module_loaded ? 0 : -1;
}

int
__wrap_getgrgid_r(gid_t gid, struct group *group, char *buf, size_t size,
		  struct group **result)
{
	mock_group_calls++;
	*result = NULL;
	assert_int_equal(gid, mock_system.gid);
	if (size < mock_system.group_size) {
		return ERANGE;
	}
	if (mock_system.group == NULL) {
		return 0;
	}
	assert_true(strlen(mock_system.group) < size);
	strcpy(buf, mock_system.group);
	memset(group, 0, sizeof(*group));
	group->gr_name = buf;
	group->gr_gid = gid;
	*result = group;
	return 0;
}

int
__wrap_getrlimit64(int resource, struct rlimit64 *limit)
{
	assert_int_equal(resource, RLIMIT_NOFILE);
	if (mock_system.rlimit_err != 0) {
		errno = mock_system.rlimit_err;
		return -1;
	}
	limit->rlim_cur = mock_system.rlimit;
	limit->rlim_max = mock_system.rlimit;
	return 0;
}
