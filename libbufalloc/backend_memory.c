/* SPDX-License-Identifier: MIT */
/* Memory files: as dma-bufs through udmabuf, and as what they are. */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"

#define UDMABUF "/dev/udmabuf"

static int
one_place(struct place *places)
{
	places[0] = (struct place){ .is_contiguous = false };
	return 1;
}

/* A memory file of whole pages that does not shrink under its dma-buf. */
static int
make_file(const char *name, uint64_t length, struct memory *memory)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int ret;

	if (length > INT64_MAX - page) {
		return -ENOMEM;
	}
	memory->length = (length + page - 1) / page * page;
	memory->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory->fd < 0) {
		return -errno;
	}
	if (ftruncate(memory->fd, (off_t)memory->length) < 0 ||
	    fcntl(memory->fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0) {
		ret = -errno;
		close(memory->fd);
		return ret;
	}
	return 0;
}

static int
list_udmabuf(const struct attempt *attempt, struct place *places, size_t max,
	     struct writer *text)
{
	int fd;

	(void)attempt;
	(void)max;
	fd = private_open(UDMABUF);
	if (fd < 0) {
		private_put_open_error(text, UDMABUF, fd);
		return fd;
	}
	close(fd);
	return one_place(places);
}

static int
alloc_udmabuf(const struct attempt *attempt, const struct place *place,
	      uint64_t length, struct memory *memory, struct refusal *refusal,
	      struct writer *text)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC };
	struct memory file;
	int fd, ret;

	(void)place;
	ret = make_file(attempt->req->name, length, &file);
	if (ret < 0) {
		return private_refuse_alloc(refusal, ret, length, text);
	}
	fd = private_open(UDMABUF);
	if (fd < 0) {
		close(file.fd);
		private_put_open_error(text, UDMABUF, fd);
		return private_refuse(refusal, fd, BUFALLOC_WHY_OPEN, "%s", "");
	}
	create.memfd = (uint32_t)file.fd;
	create.size = file.length;
	ret = private_ioctl_fd_again(fd, UDMABUF_CREATE, &create);
	close(fd);
	/* The dma-buf has its pages. */
	close(file.fd);
	if (ret == -EINVAL) {
		put(text, "it takes no %llu bytes: raise /sys/module/udmabuf/parameters/size_limit_mb",
		    (unsigned long long)file.length);
		return private_refuse(refusal, ret, BUFALLOC_WHY_ALLOC, "%s",
				      "");
	}
	if (ret < 0) {
		return private_refuse_alloc(refusal, ret, length, text);
	}
	memory->fd = ret;
	memory->length = file.length;
	return 0;
}

const struct backend private_backend_udmabuf = {
	.name = "udmabuf",
	.makes_dmabufs = true,
	.list = list_udmabuf,
	.alloc = alloc_udmabuf,
};

static int
list_memfd(const struct attempt *attempt, struct place *places, size_t max,
	   struct writer *text)
{
	(void)max;
	if (attempt->req->count > 0) {
		put(text, "it is no dma-buf, which a device needs");
		return -EOPNOTSUPP;
	}
	return one_place(places);
}

static int
alloc_memfd(const struct attempt *attempt, const struct place *place,
	    uint64_t length, struct memory *memory, struct refusal *refusal,
	    struct writer *text)
{
	int ret;

	(void)place;
	ret = make_file(attempt->req->name, length, memory);
	if (ret < 0) {
		return private_refuse_alloc(refusal, ret, length, text);
	}
	return 0;
}

const struct backend private_backend_memfd = {
	.name = "memfd",
	.makes_dmabufs = false,
	.list = list_memfd,
	.alloc = alloc_memfd,
};
