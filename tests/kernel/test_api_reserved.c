// SPDX-License-Identifier: MIT
/*
 * The in-kernel API on memory that the kernel has no mapping of, with and without
 * struct pages: the checks are those of test_api.c, on another heap. Of each
 * nothing is left mapped.
 */
#include <unistd.h>

#include "apirun.h"
#include "ktest.h"
#include "region.h"

#define RESERVED BUFALLOC_HEAP_RESERVED
#define MIB ((size_t)1 << 20)
/* The first region of the guest (guest.sh), and all of it that has struct pages. */
#define WITH_PAGES (32 * MIB)
#define LENGTH (2 * MIB)

enum kind { PAGES, NO_PAGES };

/* As long as that is held, other memory is without struct pages. */
static int
begin(int node, enum kind kind)
{
	ba_set_parameter("contig_limit_bytes", 1ULL << 40);
	return kind == PAGES ? -1 : ba_alloc(node, RESERVED, WITH_PAGES);
}

static void
end(int node, int held)
{
	if (held >= 0) {
		close(held);
	}
	close(node);
	CHECK_EQ(region_aliases(), 0);
}

static void
check(const char *name, enum kind kind)
{
	int node = ba_open();
	int held = begin(node, kind);

	apirun(name, RESERVED, -1);
	end(node, held);
}

static void
domains(enum kind kind)
{
	int node = ba_open();
	int held = begin(node, kind);

	apirun_two_domains(RESERVED);
	end(node, held);
}

static void
firmware(enum kind kind)
{
	int node = ba_open();
	int held = begin(node, kind);
	int fd = ba_alloc(node, RESERVED, LENGTH);

	apirun_firmware(fd, LENGTH);
	CHECK_EQ(region_aliases(), 0);
	close(fd);
	end(node, held);
}

#define EACH_CHECK(name)                  \
	static void name##_pages(void)    \
	{                                 \
		check(#name, PAGES);      \
	}                                 \
	static void name##_no_pages(void) \
	{                                 \
		check(#name, NO_PAGES);   \
	}

EACH_CHECK(map)
EACH_CHECK(window)
EACH_CHECK(window_moves)
EACH_CHECK(domain_refusals)

#define EACH_KIND(name)                   \
	static void name##_pages(void)    \
	{                                 \
		name(PAGES);              \
	}                                 \
	static void name##_no_pages(void) \
	{                                 \
		name(NO_PAGES);           \
	}

EACH_KIND(domains)
EACH_KIND(firmware)

static const struct ktest_row rows[] = {
	{ "pages-map-for-a-device", map_pages },
	{ "no-pages-map-for-a-device", map_no_pages },
	{ "pages-window-slides-over-a-buffer", window_pages },
	{ "no-pages-window-slides-over-a-buffer", window_no_pages },
	{ "pages-window-moves-and-refuses", window_moves_pages },
	{ "no-pages-window-moves-and-refuses", window_moves_no_pages },
	{ "pages-two-own-domains-at-fixed-addresses", domains_pages },
	{ "no-pages-two-own-domains-at-fixed-addresses", domains_no_pages },
	{ "pages-own-domain-refusals-each-its-errno", domain_refusals_pages },
	{ "no-pages-own-domain-refusals-each-its-errno", domain_refusals_no_pages },
	{ "pages-firmware-leaves-no-alias", firmware_pages },
	{ "no-pages-firmware-leaves-no-alias", firmware_no_pages },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
