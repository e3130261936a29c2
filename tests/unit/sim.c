/* SPDX-License-Identifier: MIT */
/* The stand-in's machinery: descriptors, system calls, failures. */
#define _GNU_SOURCE /* memfd_create */
#include "sim_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAX_FILES 256
#define MAX_REQUESTS 64

/* When to fail. */
struct failure {
	unsigned int countdown; /* 1: the next; 0: never */
	bool for_ever;
	bool happened;
};

static struct sim_file files[MAX_FILES];
static unsigned int fds_before;
static struct failure call_failure;
static int call_errno;
static bool call_only_ioctls;
static struct failure memory_failure;
static struct {
	unsigned long request;
	unsigned int count;
} requests[MAX_REQUESTS];

void *
__real_calloc(size_t count, size_t size);
void *
__real_realloc(void *ptr, size_t size);
int
__real_fstat64(int fd, struct stat64 *st);
int
__real_memfd_create(const char *name, unsigned int flags);
DIR *
__real_opendir(const char *path);
int
__real_closedir(DIR *dir);

int
__wrap_ioctl(int fd, unsigned long request, ...);
void *
__wrap_calloc(size_t count, size_t size);
void *
__wrap_realloc(void *ptr, size_t size);
int
__wrap_fstat64(int fd, struct stat64 *st);
ssize_t
__wrap_readlink(const char *path, char *buf, size_t size);
int
__wrap_close(int fd);
int
__real_close(int fd);

int
__wrap_eventfd(unsigned int count, int flags);
int
__real_eventfd(unsigned int count, int flags);
int
__wrap_epoll_create1(int flags);
int
__real_epoll_create1(int flags);
int
__wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int
__real_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int
__wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int
__real_poll(struct pollfd *fds, nfds_t count, int timeout);

void *
__wrap_mmap64(void *address, size_t length, int prot, int flags, int fd,
	      off64_t offset);
void *
__real_mmap64(void *address, size_t length, int prot, int flags, int fd,
	      off64_t offset);
int
__wrap_fcntl64(int fd, int command, ...);
int
__real_fcntl64(int fd, int command, ...);

struct sim_machine sim_machine;

unsigned int
sim_count_fds(void)
{
	unsigned int count = 0;
	DIR *dir = __real_opendir("/proc/self/fd");

	assert_non_null(dir);
	while (readdir(dir) != NULL) {
		count++;
	}
	__real_closedir(dir);
	return count;
}

int
sim_setup(void **state)
{
	(void)state;
	memset(files, 0, sizeof(files));
	memset(requests, 0, sizeof(requests));
	sim_machine = (struct sim_machine){ .module_errno = ENOENT };
	call_failure = (struct failure){ 0 };
	memory_failure = (struct failure){ 0 };
	fds_before = sim_count_fds();
	return 0;
}

void
sim_close(int fd)
{
	struct sim_file *file = sim_file(fd);

	assert_non_null(file);
	assert_int_equal(file->handles, 0);
	assert_int_equal(file->framebuffers, 0);
	assert_int_equal(file->buffers, 0);
	close(fd);
}

/* The library's own files are its to close; a device's are the test's. */
static bool
is_device(const struct sim_file *file)
{
	return file->kind == SIM_V4L2 || file->kind == SIM_DRM ||
	       file->kind == SIM_FILE;
}

void
sim_close_all(void)
{
	int fd;

	for (fd = 0; fd < MAX_FILES; fd++) {
		if (is_device(&files[fd])) {
			sim_close(fd);
		}
	}
}

int
sim_teardown(void **state)
{
	(void)state;
	sim_close_all();
	assert_int_equal(sim_count_fds(), fds_before);
	return 0;
}

struct sim_file *
sim_file(int fd)
{
	if (fd < 0 || fd >= MAX_FILES || files[fd].kind == SIM_NONE) {
		return NULL;
	}
	return &files[fd];
}

int
sim_new_file(enum sim_kind kind, const char *name)
{
	int fd = __real_memfd_create(name, MFD_CLOEXEC);

	sim_adopt_file(fd, kind, name);
	return fd;
}

void
sim_adopt_file(int fd, enum sim_kind kind, const char *name)
{
	assert_in_range(fd, 0, MAX_FILES - 1);
	memset(&files[fd], 0, sizeof(files[fd]));
	files[fd].kind = kind;
	snprintf(files[fd].name, sizeof(files[fd].name), "%s", name);
}

int
sim_open_v4l2(const struct sim_v4l2 *device)
{
	int fd = sim_new_file(SIM_V4L2, device->name == NULL ? "video0" :
							       device->name);

	files[fd].v4l2 = *device;
	return fd;
}

int
sim_open_drm(const struct sim_drm *device)
{
	int fd = sim_new_file(SIM_DRM, device->name == NULL ? "card0" :
							      device->name);

	files[fd].drm = *device;
	return fd;
}

int
sim_open_file(void)
{
	return sim_new_file(SIM_FILE, "file");
}

void
sim_forget_objects(void)
{
	int fd;

	for (fd = 0; fd < MAX_FILES; fd++) {
		files[fd].handles = 0;
		files[fd].framebuffers = 0;
		files[fd].buffers = 0;
	}
}

unsigned int
sim_calls_of(unsigned long request)
{
	size_t i;

	for (i = 0; i < MAX_REQUESTS; i++) {
		if (requests[i].request == request) {
			return requests[i].count;
		}
	}
	return 0;
}

static void
count_request(unsigned long request)
{
	size_t i = 0;

	while (requests[i].count != 0 && requests[i].request != request) {
		i++;
		assert_true(i < MAX_REQUESTS);
	}
	requests[i].request = request;
	requests[i].count++;
}

void
sim_fail_call(unsigned int nth, int err, bool for_ever, bool only_ioctls)
{
	call_failure = (struct failure){ .countdown = nth, .for_ever = for_ever };
	call_errno = err;
	call_only_ioctls = only_ioctls;
}

void
sim_fail_memory(unsigned int nth, bool for_ever)
{
	memory_failure = (struct failure){ .countdown = nth, .for_ever = for_ever };
}

bool
sim_has_failed(void)
{
	return call_failure.happened || memory_failure.happened;
}

static bool
fails(struct failure *failure)
{
	if (failure->countdown == 0) {
		return false;
	}
	if (failure->countdown > 1) {
		failure->countdown--;
		return false;
	}
	if (!failure->for_ever) {
		failure->countdown = 0;
	}
	failure->happened = true;
	return true;
}

bool
sim_fails_call(void)
{
	if (call_only_ioctls || !fails(&call_failure)) {
		return false;
	}
	errno = call_errno;
	return true;
}

bool
sim_fails_without_signal(void)
{
	return call_errno != EINTR && sim_fails_call();
}

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	struct sim_file *file = sim_file(fd);
	va_list args;
	void *arg;
	int err;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	count_request(request);
	if (fails(&call_failure)) {
		errno = call_errno;
		return -1;
	}
	switch (file == NULL ? SIM_NONE : file->kind) {
	case SIM_V4L2:
		err = sim_v4l2_ioctl(file, request, arg);
		break;
	case SIM_DRM:
		err = sim_drm_ioctl(file, request, arg);
		break;
	case SIM_NONE:
		err = EBADF;
		break;
	default:
		err = -sim_memory_ioctl(file, request, arg);
	}
	if (err > 0) {
		errno = err;
		return -1;
	}
	/* What went well may leave anything there: errno(3). */
	errno = ENOTRECOVERABLE;
	return -err;
}

int
__wrap_close(int fd)
{
	struct sim_file *file = sim_file(fd);

	if (file != NULL) {
		file->kind = SIM_NONE;
	}
	return __real_close(fd);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	if (fails(&memory_failure)) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(count, size);
}

void *
__wrap_realloc(void *ptr, size_t size)
{
	if (fails(&memory_failure)) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_realloc(ptr, size);
}

int
__wrap_fstat64(int fd, struct stat64 *st)
{
	const struct sim_file *file = sim_file(fd);

	if (sim_fails_without_signal()) {
		return -1;
	}
	if (file == NULL) {
		errno = EBADF;
		return -1;
	}
	if (__real_fstat64(fd, st) < 0) {
		return -1;
	}
	if (file->kind == SIM_V4L2) {
		st->st_mode = S_IFCHR | 0660;
		st->st_rdev = makedev(81, 0);
	} else if (file->kind == SIM_DRM) {
		st->st_mode = S_IFCHR | 0660;
		st->st_rdev = makedev(226, 0);
	}
	return 0;
}

ssize_t
__wrap_readlink(const char *path, char *buf, size_t size)
{
	const struct sim_file *file;
	char text[64];
	int fd, len;

	if (sscanf(path, "/proc/self/fd/%d", &fd) != 1) {
		fail_msg("readlink of %s", path);
	}
	file = sim_file(fd);
	if (file == NULL) {
		errno = ENOENT;
		return -1;
	}
	len = snprintf(text, sizeof(text), "%s%s",
		       file->kind == SIM_FILE ? "/tmp/" : "/dev/", file->name);
	if ((size_t)len > size) {
		len = (int)size;
	}
	memcpy(buf, text, (size_t)len);
	return len;
}

int
__wrap_eventfd(unsigned int count, int flags)
{
	assert_int_equal(flags, EFD_CLOEXEC | EFD_NONBLOCK);
	return sim_fails_without_signal() ? -1 : __real_eventfd(count, flags);
}

int
__wrap_epoll_create1(int flags)
{
	assert_int_equal(flags, EPOLL_CLOEXEC);
	return sim_fails_without_signal() ? -1 : __real_epoll_create1(flags);
}

int
__wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	if (sim_fails_without_signal()) {
		return -1;
	}
	return __real_epoll_ctl(epoll, op, fd, event);
}

int
__wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (sim_fails_call()) {
		return -1;
	}
	return __real_poll(fds, count, timeout);
}

void *
__wrap_mmap64(void *address, size_t length, int prot, int flags, int fd,
	      off64_t offset)
{
	if (sim_fails_without_signal()) {
		return MAP_FAILED;
	}
	return __real_mmap64(address, length, prot, flags, fd, offset);
}

/* A duplicate is what it is one of. */
int
__wrap_fcntl64(int fd, int command, ...)
{
	va_list args;
	int arg, copy;

	va_start(args, command);
	arg = va_arg(args, int);
	va_end(args);
	if (sim_fails_without_signal()) {
		return -1;
	}
	copy = __real_fcntl64(fd, command, arg);
	if (command == F_DUPFD_CLOEXEC && copy >= 0 && sim_file(fd) != NULL) {
		assert_in_range(copy, 0, MAX_FILES - 1);
		files[copy] = files[fd];
	}
	return copy;
}
