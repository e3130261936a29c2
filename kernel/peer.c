// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: the other devices that a driver's buffers are for. The driver names them,
 * or its device's node in the devicetree does:
 * docs/bindings/bufalloc-peers.yaml.
 */
#include <linux/amba/bus.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"

static const char property[] = "bufalloc,peers";

/*
 * Entries of the property that the log has had something about since the driver
 * was bound: once will do. The last bit is for the property itself.
 */
struct said {
	unsigned long entries;
};

#define PROPERTY (BITS_PER_LONG - 1)

static void forget(struct device *dev, void *said)
{
}

static bool is_news(struct device *dev, unsigned int entry)
{
	struct said *said = devres_alloc(forget, sizeof(*said), GFP_KERNEL);

	if (!said)
		return true;
	said = devres_get(dev, said, NULL, NULL);
	return !test_and_set_bit(min_t(unsigned int, entry, PROPERTY),
				 &said->entries);
}

/* The device of @node, with a reference, on one of the buses that have DMA. */
static struct device *find_device(struct device_node *node)
{
	struct device *dev;

	dev = bus_find_device_by_of_node(&platform_bus_type, node);
#ifdef CONFIG_PCI
	if (!dev)
		dev = bus_find_device_by_of_node(&pci_bus_type, node);
#endif
#ifdef CONFIG_ARM_AMBA
	if (!dev)
		dev = bus_find_device_by_of_node(&amba_bustype, node);
#endif
	return dev;
}

/**
 * bufalloc_peers_add() - one more device that a buffer is for
 * @peers: the devices, the first of which is the driver's own
 * @dev: the device that does the DMA, for instance a display
 *
 * It is taken to read and write, and to need one DMA segment, as most displays do;
 * so without an IOMMU it makes buffers contiguous.
 *
 * Return: 0, -EINVAL (it is the driver's own), -EEXIST, -E2BIG (there are
 * BUFALLOC_MAX_DEVICES).
 */
int bufalloc_peers_add(struct bufalloc_peers *peers, struct device *dev)
{
	unsigned int i, place = peers->count;

	if (dev == peers->uses[0].dev)
		return -EINVAL;
	/* By address: in that order they are locked. */
	for (i = peers->count; i-- > 1;) {
		if (peers->uses[i].dev == dev)
			return -EEXIST;
		if (peers->uses[i].dev > dev)
			place = i;
	}
	if (peers->count == BUFALLOC_MAX_DEVICES)
		return -E2BIG;
	for (i = peers->count++; i > place; i--)
		peers->uses[i] = peers->uses[i - 1];
	peers->uses[place] = (struct bufalloc_use){
		.dev = get_device(dev),
		.access = BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE,
		.max_segments = 1,
	};
	return 0;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_peers_add, BUFALLOC_NS);

/* What is wrong with an entry, or NULL; and may that be different later? */
static const char *add_node(struct bufalloc_peers *peers, struct device *dev,
			    struct device_node *node, bool *for_now)
{
	struct device *peer;
	bool bound;
	int ret;

	if (!node)
		return "is no node of the devicetree";
	if (node == dev->of_node)
		return "is the device itself";
	/* Not on this board: that is how a devicetree says it. */
	if (!of_device_is_available(node))
		return NULL;
	*for_now = true;
	peer = find_device(node);
	if (!peer)
		return "is no platform, PCI or AMBA device";
	ret = bufalloc_peers_add(peers, peer);
	/* For the log. bufalloc_peers_hold() asks with the lock held. */
	bound = READ_ONCE(peer->driver);
	put_device(peer);
	if (ret == -E2BIG) {
		*for_now = false;
		return "is one too many";
	}
	return bound ? NULL : "has no driver";
}

static void add_entry(struct bufalloc_peers *peers, struct device *dev, int i)
{
	struct device_node *node;
	bool for_now = false;
	const char *why;
	u32 phandle;

	/* 0: a place that is left free. */
	if (of_property_read_u32_index(dev->of_node, property, i, &phandle) ||
	    !phandle)
		return;
	node = of_find_node_by_phandle(phandle);
	why = add_node(peers, dev, node, &for_now);
	if (!why || !is_news(dev, i))
		;
	else if (for_now)
		dev_info(dev, "buffers are not made for %pOF of %s yet: it %s\n",
			 node, property, why);
	else
		dev_err(dev, "entry %d of %s is left out: phandle %#x %s\n",
			i, property, phandle, why);
	of_node_put(node);
}

/* Add what @dev's node names. What cannot be is left out, and the log says why. */
static void add_named(struct bufalloc_peers *peers, struct device *dev)
{
	int i, count;

	if (!of_find_property(dev->of_node, property, NULL))
		return;
	count = of_property_count_u32_elems(dev->of_node, property);
	if (count < 0 && is_news(dev, PROPERTY))
		dev_err(dev, "%s of %pOF is no list of phandles: it is left out\n",
			property, dev->of_node);
	for (i = 0; i < count; i++)
		add_entry(peers, dev, i);
}

/**
 * bufalloc_peers_hold() - add the peers that a devicetree names, and keep all
 *	bound to their drivers
 * @peers: the devices, the first of which is the driver's own
 * @dev: whose node has the property bufalloc,peers; bound to its driver, and mostly
 *	the first one. It need not have a node
 *
 * A peer that has no driver counts for nothing, as it will not import: it is taken
 * out. Devices are found on the platform bus, PCI and AMBA. An entry of the property
 * that can be no peer is left out, and the kernel's log says why, once for
 * each time that @dev is bound.
 *
 * Between this and bufalloc_peers_release() a peer's driver cannot come or go, so
 * the caller holds no lock that one takes for that.
 *
 * Return: 0, or -EINTR (a fatal signal while it waited for a driver): then only
 * the first one is left.
 */
int bufalloc_peers_hold(struct bufalloc_peers *peers, struct device *dev)
{
	unsigned int i, count, held = 1;
	int ret = 0;

	add_named(peers, dev);
	count = peers->count;
	for (i = 1; i < count; i++) {
		struct device *peer = peers->uses[i].dev;

		/* Drivers are bound and unbound under it. */
		if (!ret)
			ret = mutex_lock_killable(&peer->mutex);
		if (!ret && peer->driver) {
			peers->uses[held++] = peers->uses[i];
			continue;
		}
		if (!ret)
			device_unlock(peer);
		put_device(peer);
	}
	peers->count = held;
	if (ret)
		bufalloc_peers_release(peers);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_peers_hold, BUFALLOC_NS);

/**
 * bufalloc_peers_release() - let the peers' drivers come and go
 * @peers: what bufalloc_peers_hold() returned 0 for; only the first one is left
 */
void bufalloc_peers_release(struct bufalloc_peers *peers)
{
	while (peers->count > 1) {
		struct device *peer = peers->uses[--peers->count].dev;

		device_unlock(peer);
		put_device(peer);
	}
}
EXPORT_SYMBOL_NS_GPL(bufalloc_peers_release, BUFALLOC_NS);
