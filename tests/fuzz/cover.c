// SPDX-License-Identifier: MIT
/*
 * What of the modules ran; see cover.h.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kcov.h>

#include "cover.h"

#define WORDS (1u << 16)

static int kcov = -1;
static uint64_t *trace;
static uint64_t length;
static size_t new_places;
/* Of the last run. */
static uint64_t last[COVER_BITS / 64];

bool
cover_open(void)
{
	kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov < 0) {
		return false;
	}
	if (ioctl(kcov, KCOV_INIT_TRACE, WORDS) != 0) {
		close(kcov);
		kcov = -1;
		return false;
	}
	trace = mmap(NULL, WORDS * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED,
		     kcov, 0);
	if (trace == MAP_FAILED || ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC) != 0) {
		close(kcov);
		kcov = -1;
		return false;
	}
	return true;
}

void
cover_close(void)
{
	if (kcov >= 0) {
		ioctl(kcov, KCOV_DISABLE, 0);
		munmap(trace, WORDS * sizeof(*trace));
		close(kcov);
		kcov = -1;
	}
}

void
cover_begin(void)
{
	if (kcov >= 0) {
		__atomic_store_n(&trace[0], 0, __ATOMIC_RELAXED);
	}
}

static uint32_t
hash(uint64_t value)
{
	return (uint32_t)(value * 0x9e3779b97f4a7c15ull >> 44);
}

/* Is the bit new? Several processes set them. */
static bool
set(uint64_t *bits, uint32_t at)
{
	uint64_t bit = 1ull << (at & 63);

	if (bits[at / 64] & bit) {
		return false;
	}
	return !(__atomic_fetch_or(&bits[at / 64], bit, __ATOMIC_RELAXED) & bit);
}

size_t
cover_end(struct cover_map *map, uint32_t *fresh, size_t size)
{
	uint64_t before = 0;
	size_t count = 0;

	new_places = 0;
	if (kcov < 0) {
		return 0;
	}
	length = __atomic_load_n(&trace[0], __ATOMIC_RELAXED);
	if (length > WORDS - 1) {
		length = WORDS - 1;
	}
	for (uint64_t i = 1; i <= length; i++) {
		uint32_t step = hash(trace[i] ^ before << 17);

		if (set(map->places, hash(trace[i]))) {
			__atomic_fetch_add(&map->place_count, 1, __ATOMIC_RELAXED);
			new_places++;
		}
		if (set(map->steps, step)) {
			__atomic_fetch_add(&map->step_count, 1, __ATOMIC_RELAXED);
			if (count < size) {
				fresh[count] = step;
			}
			count++;
		}
		before = trace[i];
	}
	return count;
}

size_t
cover_new_places(void)
{
	return new_places;
}

bool
cover_has(const uint32_t *steps, size_t count)
{
	uint64_t before = 0;

	memset(last, 0, sizeof(last));
	for (uint64_t i = 1; i <= length; i++) {
		uint32_t step = hash(trace[i] ^ before << 17);

		last[step / 64] |= 1ull << (step & 63);
		before = trace[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (!(last[steps[i] / 64] & 1ull << (steps[i] & 63))) {
			return false;
		}
	}
	return true;
}
