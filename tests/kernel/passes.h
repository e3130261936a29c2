/* SPDX-License-Identifier: MIT */
/*
 * How many passes over the CPU's caches a buffer costs: probes on
 * arch_sync_dma_for_device() (write back) and arch_sync_dma_for_cpu()
 * (invalidate) see each, and our counters must agree. For cache coherent
 * devices the probes are on the DMA API's functions, which nobody may call.
 */
#ifndef PASSES_H
#define PASSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ktest.h"
#include "modules/ba_importer.h"

/* Several runs, whatever the page allocator has. */
#define LENGTH ((size_t)12533760)

/**
 * struct kind - devices of one kind
 * @name: of the kind
 * @open: number 0 or 1; -1 if there is none
 * @import: dma-buf @fd, for an enum ba_importer_how; is it coherent?
 * @release: the end of that
 * @does_dma: edu_write() and the like work on it, and ALLOC knows it
 */
struct kind {
	const char *name;
	int (*open)(unsigned int index);
	bool (*import)(int file, unsigned int index, int fd, uint32_t how);
	void (*release)(int file);
	bool does_dma;
};

/**
 * struct setup - one buffer and two devices, and what a row did with it
 * @kind: of the devices
 * @coherent: both are cache coherent
 * @calls_per_pass: calls of the probed function that a pass takes
 * @before: our counters, at watch()
 * @write_backs: calls of arch_sync_dma_for_device() that expect() saw
 * @data: a mapping of the whole buffer, or NULL
 * @third: file descriptor of a ba_importer that is none of the two, or -1
 * @child: process that was forked, or 0
 */
struct setup {
	const struct kind *kind;
	int node, fd;
	int devices[2];
	bool coherent;
	uint64_t calls_per_pass;
	struct bufalloc_buffer_info before;
	uint64_t write_backs;
	void *data;
	int third;
	pid_t child;
};

/*
 * Run @body for each kind of device that the guest has: the stand-ins of
 * ba_importer (no IOMMU), QEMU's edu. The buffer is new and belongs to this
 * call of @body; what is in the setup afterwards is undone. The row is skipped
 * if there is no kind.
 */
void
on_each_kind(void (*body)(struct setup *setup), uint32_t fd_flags);

/* Device 0 or 1 maps the buffer (BA_IMPORTER_BOTH), and unmaps it. */
void
import(struct setup *setup, unsigned int index);
void
import_for(struct setup *setup, unsigned int index, uint32_t how);
void
release(struct setup *setup, unsigned int index);

/* The first import of a new buffer, which must cost one pass. */
void
import_first(struct setup *setup);

/* From now on calls are counted, ... */
void
watch(struct setup *setup);
/*
 * ... until this, which demands so many passes over the whole buffer, and that
 * so many were skipped. With coherent devices none may be made or skipped.
 */
void
expect(struct setup *setup, uint64_t write_back, uint64_t invalidate,
       uint64_t skipped);

/* Has a row seen devices that are not cache coherent? */
bool
not_coherent_seen(void);

#endif /* PASSES_H */
