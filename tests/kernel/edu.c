// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "edu.h"
#include "pci.h"

int
edu_try_open(unsigned int index, unsigned int max_segments)
{
	char path[32];
	int edu;

	snprintf(path, sizeof(path), "/dev/ba_edu%u", index);
	edu = open(path, O_RDWR | O_CLOEXEC);
	if (edu >= 0 && ioctl(edu, BA_EDU_MAX_SEGMENTS, max_segments) != 0) {
		/* It was unbound just now. */
		CHECK_EQ(errno, ENODEV);
		close(edu);
		return -1;
	}
	return edu;
}

int
edu_open(unsigned int index, unsigned int max_segments)
{
	int edu = edu_try_open(index, max_segments);

	if (edu < 0) {
		ktest_skip("no device ba_edu%u", index);
	}
	return edu;
}

int
edu_try_import(int edu, int fd, struct ba_edu_import *import)
{
	memset(import, 0, sizeof(*import));
	import->fd = fd;
	return ioctl(edu, BA_EDU_IMPORT, import);
}

int
edu_try_import_to_read(int edu, int fd, struct ba_edu_import *import)
{
	memset(import, 0, sizeof(*import));
	import->fd = fd;
	import->flags = BA_EDU_ONLY_READS;
	return ioctl(edu, BA_EDU_IMPORT, import);
}

struct ba_edu_import
edu_import(int edu, int fd)
{
	struct ba_edu_import import;

	CHECK_EQ(edu_try_import(edu, fd, &import), 0);
	return import;
}

static void
transfer(int edu, unsigned long request, const void *data, uint64_t offset,
	 uint64_t length, uint64_t flags)
{
	struct ba_edu_transfer arg = {
		.offset = offset,
		.length = length,
		.data = (uintptr_t)data,
		.flags = flags,
	};

	CHECK_EQ(ioctl(edu, request, &arg), 0);
}

void
edu_write(int edu, const void *data, uint64_t offset, uint64_t length)
{
	transfer(edu, BA_EDU_WRITE, data, offset, length, 0);
}

void
edu_read(int edu, void *data, uint64_t offset, uint64_t length)
{
	transfer(edu, BA_EDU_READ, data, offset, length, 0);
}

void
edu_write_stale(int edu, const void *data, uint64_t offset, uint64_t length)
{
	transfer(edu, BA_EDU_WRITE, data, offset, length, BA_EDU_STALE);
}

void
edu_read_stale(int edu, void *data, uint64_t offset, uint64_t length)
{
	transfer(edu, BA_EDU_READ, data, offset, length, BA_EDU_STALE);
}

void
edu_release(int edu)
{
	CHECK_EQ(ioctl(edu, BA_EDU_RELEASE), 0);
}

bool
edu_spots_match(int writer, int reader, uint64_t length)
{
	enum { SPOT = 4096 };
	const uint64_t spots[] = { 0, length / 2 / SPOT * SPOT, length - SPOT };
	static uint8_t sent[3][SPOT], seen[SPOT];
	static uint8_t seed;

	/* All are written before any is read: a wrong address may hit another. */
	seed += 97;
	for (int i = 0; i < 3; i++) {
		for (int n = 0; n < SPOT; n++) {
			sent[i][n] = (uint8_t)(pattern_byte((size_t)n) + seed + i);
		}
		edu_write(writer, sent[i], spots[i], SPOT);
	}
	for (int i = 0; i < 3; i++) {
		edu_read(reader, seen, spots[i], SPOT);
		if (memcmp(seen, sent[i], SPOT) != 0) {
			return false;
		}
	}
	return true;
}

const char *
edu_pci_name(unsigned int index)
{
	static char name[PATH_MAX];
	char path[64];
	const char *end;

	snprintf(path, sizeof(path), "/sys/class/ba_edu/ba_edu%u/device", index);
	end = pci_name(path, name);
	if (end == NULL) {
		ktest_skip("no device ba_edu%u", index);
	}
	return end;
}

void
edu_unbind(const char *pci_name)
{
	pci_tell_driver("ba_edu", "unbind", pci_name);
}

void
edu_bind(const char *pci_name)
{
	pci_tell_driver("ba_edu", "bind", pci_name);
}

struct bufalloc_device_info
edu_info(int node, int edu)
{
	struct bufalloc_device_info info = {
		.size = sizeof(info),
		.fd = edu,
		.access = BUFALLOC_ACCESS_READ,
	};

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info), 0);
	return info;
}

/*
 * The words by which drivers of IOMMUs tell of a fault, all in one line. QEMU's
 * virtio-iommu leaves out which direction it was.
 */
static const struct {
	const char *name;
	const char *fault;
	const char *on_read;
	const char *on_write;
} fault_lines[] = {
	{ "DMAR", "fault addr", "DMA Read", "DMA Write" },
	{ "virtio_iommu", "page fault from EP", "", "" },
};

/*
 * The SMMU's driver prints the event as it is: after the heading four words of
 * 64 bits; the second has the direction. Returns BUFALLOC_ACCESS_* or 0.
 */
static uint32_t
smmu_fault(const char *text)
{
	static int words = 4;
	const char *word = strstr(text, "\\x090x");

	if (strstr(text, "arm-smmu-v3") == NULL) {
		return 0;
	}
	/* Of a translation, of a permission. */
	if (strstr(text, "event 0x10 received") != NULL ||
	    strstr(text, "event 0x13 received") != NULL) {
		words = 0;
		return 0;
	}
	if (word == NULL || words++ != 1) {
		return 0;
	}
	return strtoull(word + 4, NULL, 16) >> 35 & 1 ? BUFALLOC_ACCESS_READ :
							 BUFALLOC_ACCESS_WRITE;
}

uint32_t
edu_logged_faults(int log)
{
	char text[1024];
	uint32_t faults = 0;
	ssize_t n;

	while ((n = read(log, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		faults |= smmu_fault(text);
		for (size_t i = 0; i < sizeof(fault_lines) / sizeof(fault_lines[0]);
		     i++) {
			if (strstr(text, fault_lines[i].name) == NULL ||
			    strstr(text, fault_lines[i].fault) == NULL) {
				continue;
			}
			if (strstr(text, fault_lines[i].on_read) != NULL) {
				faults |= BUFALLOC_ACCESS_READ;
			}
			if (strstr(text, fault_lines[i].on_write) != NULL) {
				faults |= BUFALLOC_ACCESS_WRITE;
			}
		}
	}
	return faults;
}
