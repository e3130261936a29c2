/* SPDX-License-Identifier: MIT */
/*
 * QEMU's device "edu" (modules/ba_edu.h), as the tests use it: a device that
 * really does DMA, through an IOMMU where there is one.
 */
#ifndef EDU_H
#define EDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ktest.h"
#include "modules/ba_edu.h"

#define EDU_ANY_SEGMENTS 0
#define EDU_MAX 8

/* Device @index, opened; -1 if there is none. */
int
edu_try_open(unsigned int index, unsigned int max_segments);

/* The same; the row is skipped if there is none. */
int
edu_open(unsigned int index, unsigned int max_segments);

/* IMPORT: -1 and errno, or 0. */
int
edu_try_import(int edu, int fd, struct ba_edu_import *import);

/* The same, mapped for reading only. */
int
edu_try_import_to_read(int edu, int fd, struct ba_edu_import *import);

/* IMPORT; the row fails if that fails. */
struct ba_edu_import
edu_import(int edu, int fd);

/* The device writes those bytes to the buffer; the row fails if that fails. */
void
edu_write(int edu, const void *data, uint64_t offset, uint64_t length);
void
edu_read(int edu, void *data, uint64_t offset, uint64_t length);

/* To and from where the buffer was before RELEASE. */
void
edu_write_stale(int edu, const void *data, uint64_t offset, uint64_t length);
void
edu_read_stale(int edu, void *data, uint64_t offset, uint64_t length);

void
edu_release(int edu);

/*
 * Some bytes at the start, in the middle and at the end of a buffer, written by
 * one device and read by another (or the same): do they match?
 */
bool
edu_spots_match(int writer, int reader, uint64_t length);

/* PCI address ("0000:00:04.0") of device @index; the row is skipped without. */
const char *
edu_pci_name(unsigned int index);

/* Unbind it from its driver, and bind it again; the row fails if that fails. */
void
edu_unbind(const char *pci_name);
void
edu_bind(const char *pci_name);

/*
 * What IOMMUs' drivers have said in @log (/dev/kmsg, not blocking) since the last
 * call: faults on BUFALLOC_ACCESS_*.
 */
uint32_t
edu_logged_faults(int log);

/* DEVICE_INFO; the row fails if that fails. */
struct bufalloc_device_info
edu_info(int node, int edu);

#endif /* EDU_H */
