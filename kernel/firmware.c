// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware files into buffers, without a second copy in memory: each part is
 * read to where it belongs, through a window.
 *
 * request_partial_firmware_into_buf() opens the file anew for each part and says
 * nothing of the file's size, so the file may be another one for each part. It
 * is read twice, therefore: a file that is replaced by another one makes the two
 * readings differ, in length or checksum, unless the replaced one comes back.
 */
#include <linux/export.h>
#include <linux/firmware.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"

/*
 * At most so much is read at once, where so much lies in one piece: between two
 * parts the caller can be killed.
 */
#define PART_MAX SZ_4M

/*
 * Shorter pieces are put together: each part that is read leaves an open file
 * behind until the caller returns to user space (fput() is asynchronous).
 */
#define SCRATCH_SIZE SZ_64K

/* Inside of the firmware folders. The loader of newer kernels checks that, too. */
static bool is_name(const char *name)
{
	const char *at = name;

	if (*name == '\0' || *name == '/')
		return false;
	while (at) {
		size_t len = strcspn(at, "/");

		if (len == 2 && !strncmp(at, "..", 2))
			return false;
		at = at[len] ? at + len + 1 : NULL;
	}
	return true;
}

#if IS_REACHABLE(CONFIG_FW_LOADER)

/**
 * struct load - one call
 * @buf: the buffer
 * @offset: where the file begins in it
 * @room: bytes from there on
 * @dev: for the loader's messages
 * @name: of the file
 * @scratch: SCRATCH_SIZE bytes, or NULL as long as none were needed
 */
struct load {
	struct bufalloc_buffer *buf;
	size_t offset;
	size_t room;
	struct device *dev;
	const char *name;
	void *scratch;
};

/**
 * struct reading - what was read of the file, in one go through it
 * @length: bytes
 * @checksum: of them
 */
struct reading {
	size_t length;
	u32 checksum;
};

/*
 * Read up to @length bytes of the file from @at on. Return: how many there
 * were; 0 at the end of the file, or if there is no file; -EOPNOTSUPP (it is
 * built into the kernel, or the system is about to sleep), or the errno of
 * reading.
 */
static ssize_t read_part(struct device *dev, const char *name, size_t at,
			 void *data, size_t length)
{
	const struct firmware *firmware;
	ssize_t ret;

	ret = request_partial_firmware_into_buf(&firmware, name, dev, data,
						length, at);
	/* -EINVAL: an empty file, or a folder. */
	if (ret)
		return ret == -ENOENT || ret == -EINVAL ? 0 : ret;
	/* What is built in is copied as a whole, wherever it was to begin. */
	ret = firmware->data == data ? firmware->size : -EOPNOTSUPP;
	release_firmware(firmware);
	return ret;
}

/* Has the file more than @at bytes? 1, 0 or an errno. */
static ssize_t is_longer(struct device *dev, const char *name, size_t at)
{
	u8 byte;

	return read_part(dev, name, at, &byte, 1);
}

static int write_buffer(struct bufalloc_window *window, size_t offset,
			const void *data, size_t length)
{
	while (length) {
		int ret = bufalloc_window_move(window, offset, length);

		if (ret)
			return ret;
		memcpy(window->data, data, window->length);
		offset += window->length;
		data += window->length;
		length -= window->length;
	}
	return 0;
}

/*
 * Where to read the next part to: to its place in the buffer, or to the scratch
 * memory if too little of that is in one piece. *@length is set to the part's.
 * NULL: there is no memory, or no address space for a window.
 */
static void *place_of_part(struct load *load, struct bufalloc_window *window,
			   size_t offset, size_t left, size_t *length)
{
	size_t enough = min_t(size_t, left, SCRATCH_SIZE);

	if (bufalloc_window_move(window, offset, min_t(size_t, left, PART_MAX)))
		return NULL;
	*length = window->length;
	if (*length >= enough)
		return window->data;
	if (!load->scratch)
		load->scratch = kvmalloc(SCRATCH_SIZE, GFP_KERNEL);
	*length = enough;
	return load->scratch;
}

/*
 * Read one part of the file to where it belongs, and note it. Return: 1 if
 * there may be more, 0 at the end of the file, or an errno.
 */
static ssize_t load_part(struct load *load, struct bufalloc_window *window,
			 struct reading *reading)
{
	size_t offset = load->offset + reading->length;
	size_t length;
	ssize_t ret;
	void *data;

	data = place_of_part(load, window, offset, load->room - reading->length,
			     &length);
	if (!data)
		return -ENOMEM;
	ret = read_part(load->dev, load->name, reading->length, data, length);
	if (ret <= 0)
		return ret;
	reading->checksum = jhash(data, ret, reading->checksum);
	reading->length += ret;
	if (data == load->scratch) {
		int error = write_buffer(window, offset, data, ret);

		if (error)
			return error;
	}
	return ret == length;
}

/* Go through the file, for as long as there is room. */
static int load_file(struct load *load, struct reading *reading)
{
	struct bufalloc_window window;
	ssize_t ret = 1;

	*reading = (struct reading){};
	/* What the file does not fill must stay what a device wrote. */
	bufalloc_window_init(&window, load->buf, DMA_BIDIRECTIONAL);
	while (ret > 0 && reading->length < load->room)
		ret = fatal_signal_pending(current) ?
			      -EINTR :
			      load_part(load, &window, reading);
	bufalloc_window_close(&window);
	return min_t(ssize_t, ret, 0);
}

/* Is there such a file that the loader would have to unpack? */
static bool is_compressed(struct device *dev, const char *name)
{
	static const char * const suffixes[] = { ".zst", ".xz" };
	bool found = false;
	char *longer;
	int i;

	for (i = 0; !found && i < ARRAY_SIZE(suffixes); i++) {
		longer = kasprintf(GFP_KERNEL, "%s%s", name, suffixes[i]);
		found = longer && is_longer(dev, longer, 0) > 0;
		kfree(longer);
	}
	return found;
}

static ssize_t load_twice(struct load *load, struct reading *reading)
{
	struct reading second;
	ssize_t ret;

	ret = is_longer(load->dev, load->name, load->room);
	if (ret)
		return ret > 0 ? -EFBIG : ret;
	ret = load_file(load, reading);
	if (ret)
		return ret;
	if (!reading->length)
		return is_compressed(load->dev, load->name) ? -EMEDIUMTYPE :
							      -ENOENT;
	ret = load_file(load, &second);
	if (ret)
		return ret;
	if (second.length != reading->length ||
	    second.checksum != reading->checksum)
		return -ESTALE;
	ret = is_longer(load->dev, load->name, second.length);
	return ret > 0 ? -ESTALE : ret;
}

static int load(struct bufalloc_buffer *buf, size_t offset, const char *name,
		struct device *dev, size_t *length)
{
	struct load load = {
		.buf = buf,
		.offset = offset,
		.room = buf->length - offset,
		.dev = dev,
		.name = name,
	};
	struct reading reading;
	ssize_t ret;

	ret = load_twice(&load, &reading);
	kvfree(load.scratch);
	if (!ret)
		*length = reading.length;
	return ret;
}

#else /* no firmware loader */

static int load(struct bufalloc_buffer *buf, size_t offset, const char *name,
		struct device *dev, size_t *length)
{
	return -EOPNOTSUPP;
}

#endif

/**
 * bufalloc_load_firmware() - load a firmware file into a buffer
 * @buf: the buffer; also one that is never mapped for the CPU
 * @offset: where the file shall begin in it
 * @name: of the file, as for request_firmware()
 * @dev: the device that it is for, which the firmware loader names in its
 *	messages, or NULL: bufalloc's own
 * @length: out: bytes that the file has
 *
 * What request_firmware() and a copy do, without the memory for the file as a
 * whole: it is read in parts to where it belongs, twice, to see that both times
 * it was the same. Devices that still work on the buffer are not waited for.
 *
 * Return: 0 or
 * -EINVAL (@offset is not in the buffer, or @name is empty, absolute or has a
 * part ".."), -EACCES (the buffer is memory that was imported to be read only),
 * -ENOENT (no such file, or it is empty), -EMEDIUMTYPE (there is a compressed
 * one only), -EFBIG (it is longer than the rest of the buffer): the buffer is as
 * it was;
 * -ESTALE (the file changed meanwhile), -EINTR (fatal signal), -EOPNOTSUPP (no
 * firmware loader, the file is built into the kernel, or the system is about to
 * sleep), -ENOMEM, or the errno of reading (-EACCES, -EIO): the bytes from
 * @offset on may be parts of any file that had the name meanwhile.
 */
int bufalloc_load_firmware(struct bufalloc_buffer *buf, size_t offset,
			   const char *name, struct device *dev, size_t *length)
{
	if (offset >= buf->length || !is_name(name))
		return -EINVAL;
	if (buf->direction != DMA_BIDIRECTIONAL)
		return -EACCES;
	/* The loader looks at the device, too. */
	return load(buf, offset, name, dev ?: bufalloc_main_device(), length);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_load_firmware, BUFALLOC_NS);
