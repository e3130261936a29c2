// SPDX-License-Identifier: GPL-2.0
/*
 * From a file descriptor to a device, through whoever knows its kind.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kmod.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>

#include "bufalloc_private.h"
#include "resolver.h"

static DEFINE_MUTEX(lock); /* protects resolvers */
static LIST_HEAD(resolvers);

void bufalloc_resolver_register(struct bufalloc_resolver *resolver)
{
	mutex_lock(&lock);
	list_add(&resolver->node, &resolvers);
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_resolver_register, BUFALLOC_NS);

/* Its module goes only when no endpoint refers to it: see find(). */
void bufalloc_resolver_unregister(struct bufalloc_resolver *resolver)
{
	mutex_lock(&lock);
	list_del(&resolver->node);
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_resolver_unregister, BUFALLOC_NS);

/* The resolver of that major, with a reference to its module, or NULL. */
static const struct bufalloc_resolver *find(unsigned int major)
{
	struct bufalloc_resolver *resolver, *found = NULL;

	mutex_lock(&lock);
	list_for_each_entry(resolver, &resolvers, node) {
		if (resolver->major == major &&
		    try_module_get(resolver->owner)) {
			found = resolver;
			break;
		}
	}
	mutex_unlock(&lock);
	return found;
}

/*
 * Media controller nodes have no major of their own. An open node's character
 * device holds the device that it is of, if it is of one.
 */
static bool is_media_node(struct inode *inode)
{
	struct kobject *kobj = inode->i_cdev ? inode->i_cdev->kobj.parent : NULL;
	const struct bus_type *bus;

	if (!kobj || get_ktype(kobj) != get_ktype(&platform_bus.kobj))
		return false;
	bus = kobj_to_dev(kobj)->bus;
	return bus && !strcmp(bus->name, "media");
}

/*
 * Find the device of an open node. Undone by bufalloc_resolver_put().
 *
 * Return: 0, -EBADF, -EINVAL (@access), -ENODEV (no device of a kind that is
 * known), -ENXIO (a node that is no device), -EOPNOTSUPP (it takes no dma-buf).
 */
int bufalloc_resolver_get(struct bufalloc_endpoint *endpoint, int fd,
			  u32 access)
{
	struct inode *inode;
	int ret = -ENODEV;

	if (!access ||
	    access & ~(BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE))
		return -EINVAL;

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->access = access;
	endpoint->max_segments = BUFALLOC_ANY_SEGMENTS;
	endpoint->file = fget(fd);
	if (!endpoint->file)
		return -EBADF;

	inode = file_inode(endpoint->file);
	if (!S_ISCHR(inode->i_mode))
		goto err_file;
	if (is_media_node(inode)) {
		ret = -ENXIO;
		goto err_file;
	}
	endpoint->resolver = find(imajor(inode));
	if (!endpoint->resolver) {
		request_module("bufalloc-resolver-%u", imajor(inode));
		endpoint->resolver = find(imajor(inode));
	}
	if (!endpoint->resolver)
		goto err_file;

	ret = endpoint->resolver->resolve(endpoint);
	if (ret)
		goto err_module;
	return 0;

err_module:
	module_put(endpoint->resolver->owner);
err_file:
	fput(endpoint->file);
	return ret;
}

void bufalloc_resolver_put(struct bufalloc_endpoint *endpoint)
{
	put_device(endpoint->dev);
	module_put(endpoint->resolver->owner);
	fput(endpoint->file);
}

/*
 * Keep the device bound to its driver until bufalloc_resolver_unlock(). Who
 * found it by a node can only take the lock under which drivers are unbound; a
 * driver that asks for its own device may hold that lock itself.
 *
 * Return: 0, or -ENODEV: it was unbound, and nothing is locked.
 */
int bufalloc_resolver_lock(const struct bufalloc_endpoint *endpoint)
{
	if (!endpoint->resolver)
		return 0;
	device_lock(endpoint->dev);
	if (endpoint->resolver->alive(endpoint))
		return 0;
	device_unlock(endpoint->dev);
	return -ENODEV;
}

void bufalloc_resolver_unlock(const struct bufalloc_endpoint *endpoint)
{
	if (endpoint->resolver)
		device_unlock(endpoint->dev);
}
