/* SPDX-License-Identifier: MIT */
/*
 * What a piece of work in the kernel takes besides its result, looked at from
 * outside: pages that this process makes the kernel allocate (the tracepoints
 * kmem:mm_page_alloc and mm_page_free), and kernel address space
 * (/proc/vmallocinfo).
 */
#ifndef PAGES_H
#define PAGES_H

/*
 * Bytes at the worst moment, more than at the beginning. What @memory does not
 * see, pages that are allocated in bulk, is for vmalloc(), so for address space;
 * @less_free is all of it, and all that others of the guest took meanwhile.
 */
struct pages_peak {
	unsigned long long memory;
	unsigned long long address_space;
	unsigned long long less_free;
	/* How often the address space was looked at. */
	unsigned int looks;
};

/* The sum of all of /proc/vmallocinfo. */
unsigned long long
pages_vmalloc_bytes(void);

/*
 * Begin to watch; the row is skipped if the kernel has no such tracepoints.
 * One at a time.
 */
void
pages_begin(void);

/* End it. */
struct pages_peak
pages_end(void);

#endif /* PAGES_H */
