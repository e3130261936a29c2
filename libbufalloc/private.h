/* SPDX-License-Identifier: MIT */
/* What the files of libbufalloc share and its users do not see. */
#ifndef LIBBUFALLOC_PRIVATE_H
#define LIBBUFALLOC_PRIVATE_H

#include <bufalloc/bufalloc.h>
#include <linux/bufalloc.h>
#include <stdbool.h>

/** Room for 16 devices, each with its label and the longest sentence. */
#define VERDICT_TEXT_SIZE 8192

/** Things that one bufalloc_alloc() tries at most: nodes, heaps, displays. */
#define MAX_TRIES 32

#define MAX_BACKENDS 5

struct backend;

struct bufalloc_ctx {
	int fd;		  /* of the module's node, or -1 */
	int module_error; /* why it is -1 */
	/* Those that may be tried, in order; none: the module alone. */
	const struct backend *backends[MAX_BACKENDS];
	size_t backend_count;
};

/** O_RDWR | O_CLOEXEC: a descriptor, or a negative errno. */
int
private_open(const char *path);

/** ioctl(2) that returns 0 or -errno. */
int
private_ioctl(int fd, unsigned long request, void *arg);

/** An ioctl on the module's node. */
int
private_module_ioctl(const struct bufalloc_ctx *ctx, unsigned long request,
		     void *arg);

/** The same for one that may simply be repeated: not with EINTR. */
int
private_module_ioctl_again(const struct bufalloc_ctx *ctx,
			   unsigned long request, void *arg);

/** private_ioctl() for what may simply be repeated: not with EINTR or EAGAIN. */
int
private_ioctl_again(int fd, unsigned long request, void *arg);

/** ALLOC as it is asked for, and the buffer of it. */
int
private_alloc(struct bufalloc_ctx *ctx, struct bufalloc_alloc *alloc,
	      const char *name, struct bufalloc_buf **buf);

/** IMPORT_USER as it is asked for, and the buffer of it. */
int
private_import(struct bufalloc_ctx *ctx, struct bufalloc_import_user *import,
	       const char *name, struct bufalloc_buf **buf);

/** One device of a verdict. */
struct verdict_use {
	struct bufalloc_use_result result;
	bool has_info;
	struct bufalloc_dev_info info;
};

struct verdict_try {
	struct bufalloc_try pub; /* its strings are the two below */
	bool is_contiguous;
	char place[64];
	char text[256];
};

struct bufalloc_verdict {
	/* Of a request, by bufalloc_alloc(); else of bufalloc_alloc_for(). */
	bool of_request;
	uint32_t format; /* a number of it, or 0 */
	uint32_t width;
	uint32_t height;
	bool has_layout;
	bool wants_memory; /* not of bufalloc_request_negotiate() */
	bool is_for_module; /* it asks for what only bufalloc.ko has */
	struct bufalloc_layout layout;
	char detail[64]; /* of reason; may be empty */
	const struct backend *backend;	/* chosen, or NULL */
	char place[64];
	size_t try_count;
	struct verdict_try tries[MAX_TRIES];

	int error;
	enum bufalloc_heap asked;
	enum bufalloc_heap heap;
	uint32_t tried;
	uint32_t reason;
	int device;
	/** Bit (1 << index) for each device beside that one. */
	uint32_t with;
	uint32_t runs;
	bool imports;		/* the caller's memory */
	bool is_dmabuf;		/* which is a mapping of one */
	bool is_read_only;
	uint64_t wanted;	/* attributes */
	uint64_t granted;
	uint64_t length;
	uint64_t limit;
	size_t count;
	struct verdict_use uses[BUFALLOC_MAX_DEVICES];
	char text[VERDICT_TEXT_SIZE];
};

/** What the devices of a call are asked with. */
void
private_fill_devices(struct bufalloc_alloc_device *devices,
		     const struct bufalloc_use *uses, size_t count);

/** Fill in the verdict of a call that returned error, from its answer. */
void
private_verdict_fill(struct bufalloc_verdict *verdict, struct bufalloc_ctx *ctx,
		     const struct bufalloc_use *uses,
		     const struct bufalloc_alloc_device *devices,
		     const struct bufalloc_alloc_verdict *raw, int error);

/** Write verdict->text from all the rest. */
void
private_verdict_write(struct bufalloc_verdict *verdict);

#endif /* LIBBUFALLOC_PRIVATE_H */
