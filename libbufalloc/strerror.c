/* SPDX-License-Identifier: MIT */
/* Sentences: what is wrong and what to do about it. */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

#define MIB (UINT64_C(1) << 20)

#define LOAD_HINT "load it with 'modprobe bufalloc' (or 'insmod bufalloc.ko'), as root"
#define MODULE_DIR "/sys/module/bufalloc"
#define CONTIG_LIMIT_PARAM MODULE_DIR "/parameters/contig_limit_bytes"

#define SENTENCE_EMFILE "this process has no file descriptor left: close some, or raise its limit with 'ulimit -n'"
#define SENTENCE_ENFILE "the system has no file descriptor left: close some, or raise /proc/sys/fs/file-max, as root"
#define SENTENCE_EPERM "the kernel's security policy or a container's device rules forbid the use of bufalloc: allow its character device there"

/* A count of bytes as text: "8294400 bytes (7.9 MiB)". */
struct amount {
	char text[64];
};

static struct amount
amount(uint64_t bytes)
{
	struct amount a;

	if (bytes < MIB) {
		snprintf(a.text, sizeof(a.text), "%" PRIu64 " byte%s", bytes,
			 bytes == 1 ? "" : "s");
	} else {
		snprintf(a.text, sizeof(a.text),
			 "%" PRIu64 " bytes (%" PRIu64 ".%" PRIu64 " MiB)",
			 bytes, bytes / MIB, bytes % MIB * 10 / MIB);
	}
	return a;
}

/* "system", or the number of a heap that has no name here. */
struct heap_label {
	char text[16];
};

static struct heap_label
heap_label(enum bufalloc_heap heap)
{
	const char *name = bufalloc_heap_name(heap);
	struct heap_label label;

	if (name != NULL) {
		snprintf(label.text, sizeof(label.text), "%s", name);
	} else {
		snprintf(label.text, sizeof(label.text), "%" PRIu32,
			 (uint32_t)heap);
	}
	return label;
}

/* The heaps of a mask as "system, contig"; "none" if there is none. */
struct heap_list {
	char text[64];
};

static struct heap_list
heap_list(uint32_t mask)
{
	struct heap_list list = { .text = "" };
	const char *name;
	size_t len = 0;
	uint32_t i;

	for (i = 0; (name = bufalloc_heap_name((enum bufalloc_heap)i)) != NULL;
	     i++) {
		if ((mask & (UINT32_C(1) << i)) != 0) {
			len += (size_t)snprintf(list.text + len,
						sizeof(list.text) - len,
						"%s%s", len > 0 ? ", " : "",
						name);
		}
	}
	if (len == 0) {
		snprintf(list.text, sizeof(list.text), "none");
	}
	return list;
}

/* Name of a group, or its number where it has none. */
struct group_label {
	char text[64];
};

static struct group_label
group_label(gid_t gid)
{
	struct group_label label;
	struct group group, *found = NULL;
	size_t size = 1024;
	char *members = NULL, *bigger;
	int ret;

	snprintf(label.text, sizeof(label.text), "%ju", (uintmax_t)gid);

	/* The list of the group's members has no upper limit. */
	do {
		bigger = realloc(members, size);
		if (bigger == NULL) {
			break;
		}
		members = bigger;
		ret = getgrgid_r(gid, &group, members, size, &found);
		size *= 2;
	} while (ret == ERANGE && size <= MIB);

	if (found != NULL) {
		snprintf(label.text, sizeof(label.text), "%s", group.gr_name);
	}
	free(members);
	return label;
}

/* The positive errno of a caller's err, which may have either sign. */
static int
error_number(int err)
{
	if (err == INT_MIN) {
		return INT_MAX;
	}
	return abs(err);
}

const char *
bufalloc_strerror(int err)
{
	switch (error_number(err)) {
	case 0:
		return "no error";
	case ENOENT:
		return BUFALLOC_DEVICE " does not exist: bufalloc.ko is not loaded; " LOAD_HINT;
	case ENODEV:
		return "no driver that bufalloc knows is behind the device node: name a V4L2 or DRM node that is bound, and load bufalloc-v4l2 and bufalloc-drm; if the node is bufalloc's own, bufalloc.ko is not loaded; " LOAD_HINT;
	case ENXIO:
		return "the node is no device that moves pictures (a subdevice, media, VBI or radio node): name the one that captures or shows; or it is bufalloc's own and has no driver behind it: bufalloc.ko is not loaded; " LOAD_HINT;
	case EACCES:
		return "no permission on the device node: join its group (usually 'usermod -aG video USER', as root) and log in again; or the buffer has the attribute never-cpu: allocate it without; or the memory to import may not be written: import it as read only";
	case EPERM:
		return SENTENCE_EPERM;
	case ENOTTY:
		return "the device node is not bufalloc's, or bufalloc.ko is older than this library: use " BUFALLOC_DEVICE ", or update the module";
	case EINVAL:
		return "an argument is not valid: a length of 0, an unknown heap, attribute or access, a file descriptor that is no dma-buf, or a buffer that is not mapped";
	case EBADF:
		return "the file descriptor is not open";
	case EOPNOTSUPP:
		return "this kernel has no such heap or cannot honour a required attribute, the device takes no dma-bufs, or the dma-buf is of another exporter than bufalloc";
	case ENOMEM:
		return "the memory ran out: ask for less, or free some";
	case ENOSPC:
		return "no heap can satisfy what the devices need, however much memory is free: the verdict says which device and why (bufalloc_verdict_text, 'bufalloc explain')";
	case EDQUOT:
		return "the limit on contiguous memory of this user is reached: free some, or raise " CONTIG_LIMIT_PARAM ", as root";
	case EMFILE:
		return SENTENCE_EMFILE;
	case ENFILE:
		return SENTENCE_ENFILE;
	case EBUSY:
		return "the buffer is mapped already: unmap it first";
	case EINTR:
		return "a fatal signal ended the call";
	case EFAULT:
		return "the kernel cannot read or write the caller's memory";
	case E2BIG:
		return "more than 16 devices, or bufalloc.ko is older than this library and does not know what it asks for: name fewer, or update the module";
	default:
		return "an error that bufalloc does not make itself: errno(3) explains its number";
	}
}

/* What strerror(3) says, for an errno that bufalloc does not make itself. */
static int
other_sentence(const char *subject, int number, char *text, size_t size)
{
	char reason[128] = "unknown error";

	/* Without a description, "unknown error" is as good as its failure. */
	(void)!strerror_r(number, reason, sizeof(reason));
	return snprintf(text, size, "%s: %s (errno %d)", subject, reason,
			number);
}

static int
open_files_sentence(const char *subject, char *text, size_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
		return snprintf(text, size, "%s: " SENTENCE_EMFILE, subject);
	}
	return snprintf(text, size,
			"%s: this process has all the %ju file descriptors open that it may have; close some, or raise its limit with 'ulimit -n'",
			subject, (uintmax_t)limit.rlim_cur);
}

/* No node: is the module not loaded, or is its node somewhere else? */
static int
missing_sentence(const char *path, char *text, size_t size)
{
	if (access(MODULE_DIR, F_OK) == 0) {
		return snprintf(text, size,
				"%s does not exist, although bufalloc.ko is loaded: its node is " BUFALLOC_DEVICE "; a container must be given it",
				path);
	}
	return snprintf(text, size,
			"%s does not exist: bufalloc.ko is not loaded; " LOAD_HINT,
			path);
}

/* Permission is refused: by what, and which group is let in? */
static int
access_sentence(const char *path, char *text, size_t size)
{
	struct group_label group;
	struct stat st;

	if (stat(path, &st) < 0) {
		return snprintf(text, size,
				"no permission to reach %s: a folder on its path is closed to this user; open it with chmod, as root",
				path);
	}

	if ((st.st_mode & 0006) == 0006) {
		return snprintf(text, size,
				"no permission on %s, although its mode lets everyone in: " SENTENCE_EPERM,
				path);
	}

	group = group_label(st.st_gid);
	if (st.st_gid == 0 || (st.st_mode & 0060) != 0060) {
		return snprintf(text, size,
				"no permission on %s: it belongs to group %s with mode %04o, which lets only root in; install bufalloc's udev rule 60-bufalloc.rules and apply it with 'udevadm control --reload' and 'udevadm trigger %s', as root",
				path, group.text,
				(unsigned int)st.st_mode & 07777, path);
	}
	return snprintf(text, size,
			"no permission on %s: it is open to the members of group %s; join it with 'usermod -aG %s USER', as root, and log in again",
			path, group.text, group.text);
}

int
bufalloc_open_strerror(const char *path, int err, char *text, size_t size)
{
	int number = error_number(err);
	char subject[128];

	if (path == NULL) {
		path = BUFALLOC_DEVICE;
	}
	snprintf(subject, sizeof(subject), "cannot open %s", path);

	switch (number) {
	case 0:
		return snprintf(text, size, "%s is open", path);
	case ENOENT:
		return missing_sentence(path, text, size);
	case ENXIO:
	case ENODEV:
		return snprintf(text, size,
				"%s exists, but no driver is behind it: bufalloc.ko is not loaded; " LOAD_HINT,
				path);
	case EACCES:
		return access_sentence(path, text, size);
	case ENOTTY:
		return snprintf(text, size,
				"%s is not bufalloc's device node: use the one that bufalloc.ko makes, " BUFALLOC_DEVICE,
				path);
	case EPERM:
		return snprintf(text, size, "%s: " SENTENCE_EPERM, subject);
	case EMFILE:
		return open_files_sentence(subject, text, size);
	case ENFILE:
		return snprintf(text, size, "%s: " SENTENCE_ENFILE, subject);
	case ENOMEM:
		return snprintf(text, size, "%s: the memory ran out; free some",
				subject);
	default:
		return other_sentence(subject, number, text, size);
	}
}

static int
no_memory_sentence(const struct bufalloc_module_info *info, uint64_t length,
		   enum bufalloc_heap heap, char *text, size_t size)
{
	struct amount asked = amount(length);
	struct amount all = amount(info->max_length);

	if (info->max_length != 0 && length > info->max_length) {
		return snprintf(text, size,
				"cannot allocate %s: all the memory of this machine is %s; ask for less",
				asked.text, all.text);
	}
	if (heap == BUFALLOC_CONTIG) {
		return snprintf(text, size,
				"cannot allocate %s: no contiguous range of that length is free below 4 GiB (a request may have up to %s); ask for less, free some memory, or use heap auto or system",
				asked.text, all.text);
	}
	if (heap == BUFALLOC_RESERVED) {
		return snprintf(text, size,
				"cannot allocate %s: no range of that length is free in the memory that was set aside for bufalloc; ask for less, free some, or use heap auto, system or contig",
				asked.text);
	}
	return snprintf(text, size,
			"cannot allocate %s: the memory of this machine or of this control group ran out (a request may have up to %s); ask for less, or free some",
			asked.text, all.text);
}

static int
quota_sentence(const struct bufalloc_module_info *info, uint64_t length,
	       char *text, size_t size)
{
	struct amount asked = amount(length);
	struct amount used = amount(info->contig_used);
	struct amount limit = amount(info->contig_limit);

	return snprintf(text, size,
			"cannot allocate %s: this user holds %s of contiguous memory and may hold %s; free some, or raise " CONTIG_LIMIT_PARAM ", as root",
			asked.text, used.text, limit.text);
}

int
bufalloc_alloc_strerror(struct bufalloc_ctx *ctx, uint64_t length,
			enum bufalloc_heap heap, int err, char *text,
			size_t size)
{
	struct bufalloc_module_info info = { .heaps = 0 };
	bool has_info = ctx != NULL && bufalloc_get_info(ctx, &info) == 0;
	struct heap_list heaps = heap_list(info.heaps);
	struct heap_label label = heap_label(heap);
	struct amount asked = amount(length);
	int number = error_number(err);
	char subject[128];

	snprintf(subject, sizeof(subject), "cannot allocate %s of heap %s",
		 asked.text, label.text);

	switch (number) {
	case 0:
		return snprintf(text, size, "%s of heap %s are allocated",
				asked.text, label.text);
	case EINVAL:
		if (length == 0) {
			return snprintf(text, size,
					"cannot allocate a buffer of length 0: ask for 1 byte or more");
		}
		if (bufalloc_heap_name(heap) == NULL) {
			return snprintf(text, size,
					"%s: no heap has that number; use auto (%d), system (%d), contig (%d), reserved (%d) or device (%d)",
					subject, BUFALLOC_AUTO,
					BUFALLOC_SYSTEM, BUFALLOC_CONTIG,
					BUFALLOC_RESERVED,
					BUFALLOC_DEVICE_MEMORY);
		}
		return snprintf(text, size,
				"%s: bufalloc.ko does not accept the request; its version differs from the library's, update the older one",
				subject);
	case EOPNOTSUPP:
		if (!has_info) {
			break;
		}
		if (heap == BUFALLOC_RESERVED) {
			return snprintf(text, size,
					"%s: no memory was set aside for bufalloc; do that as docs/reserved-memory.md says, or use one of: %s",
					subject, heaps.text);
		}
		return snprintf(text, size,
				"%s: this kernel cannot provide that heap; it provides: %s",
				subject, heaps.text);
	case ENOSPC:
		if (heap != BUFALLOC_DEVICE_MEMORY) {
			break;
		}
		return snprintf(text, size,
				"%s: it is one device's own memory, and that device must be named; allocate for devices, or use heap auto",
				subject);
	case ENOMEM:
		if (!has_info) {
			break;
		}
		return no_memory_sentence(&info, length, heap, text, size);
	case EDQUOT:
		if (!has_info) {
			break;
		}
		return quota_sentence(&info, length, text, size);
	case EMFILE:
		return open_files_sentence(subject, text, size);
	case ENFILE:
		return snprintf(text, size, "%s: " SENTENCE_ENFILE, subject);
	case EINTR:
		return snprintf(text, size,
				"%s: a fatal signal ended the call", subject);
	default:
		return other_sentence(subject, number, text, size);
	}

	return snprintf(text, size, "%s: %s", subject, bufalloc_strerror(err));
}
