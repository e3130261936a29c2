/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Resolvers find the device behind an open node. bufalloc-v4l2.ko and
 * bufalloc-drm.ko each register one for their character major; bufalloc.ko
 * itself links to neither subsystem.
 */
#ifndef BUFALLOC_RESOLVER_H
#define BUFALLOC_RESOLVER_H

#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/bufalloc.h>

struct device;
struct file;
struct module;

/**
 * struct bufalloc_endpoint - a device, as an open node names it, or a driver
 * @file: the open node; referenced
 * @resolver: who found it; its module is referenced. NULL: a driver asks for
 *	its own device (api.c) and keeps it bound
 * @dev: the device that does the DMA; referenced if there is a @resolver. NULL
 *	with BUFALLOC_DEVICE_NO_DMA
 * @access: enum bufalloc_device_access bits that it was asked for
 * @found: enum bufalloc_found
 * @flags: BUFALLOC_DEVICE_{NEEDS_VMAP,NO_DMA,SELF_MANAGED,INFERRED}; the others
 *	are found out by the core
 * @max_segments: 1 or BUFALLOC_ANY_SEGMENTS
 * @driver: name of the driver
 * @name: name of the device, for people
 */
struct bufalloc_endpoint {
	struct file *file;
	const struct bufalloc_resolver *resolver;
	struct device *dev;
	u32 access;
	u32 found;
	u32 flags;
	u32 max_segments;
	char driver[32];
	char name[64];
};

/**
 * struct bufalloc_resolver - finds devices of one character major
 * @node: the core's
 * @owner: its module
 * @major: of the nodes that it knows
 * @resolve: fill in @dev (with a reference, which the core drops), @found,
 *	@flags, @max_segments, @driver and @name from @file and @access; or
 *	-EINVAL (@access), -ENODEV, -ENXIO or -EOPNOTSUPP and no reference
 * @alive: is the device still there? Called with the lock of
 *	bufalloc_endpoint.dev held, under which drivers are unbound
 */
struct bufalloc_resolver {
	struct list_head node;
	struct module *owner;
	unsigned int major;
	int (*resolve)(struct bufalloc_endpoint *endpoint);
	bool (*alive)(const struct bufalloc_endpoint *endpoint);
};

void bufalloc_resolver_register(struct bufalloc_resolver *resolver);
void bufalloc_resolver_unregister(struct bufalloc_resolver *resolver);

/* For the core. */
int bufalloc_resolver_get(struct bufalloc_endpoint *endpoint, int fd,
			  u32 access);
void bufalloc_resolver_put(struct bufalloc_endpoint *endpoint);
int bufalloc_resolver_lock(const struct bufalloc_endpoint *endpoint);
void bufalloc_resolver_unlock(const struct bufalloc_endpoint *endpoint);

#endif /* BUFALLOC_RESOLVER_H */
