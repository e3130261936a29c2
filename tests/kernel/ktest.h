/* SPDX-License-Identifier: MIT */
/*
 * What the guest tests share. A test program is a table of named rows; it
 * prints TAP. After each row the program's file descriptors and the module's
 * live objects must be as they were before it, or the row fails.
 *
 * Own code and not cmocka, because guests of other architectures run these
 * programs without a root file system of theirs, and because of that check.
 */
#ifndef KTEST_H
#define KTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bufalloc.h>

struct ktest_row {
	const char *name;
	void (*run)(void);
};

/* Run the rows; returns main()'s exit status. */
int
ktest_main(const struct ktest_row *rows, size_t count);

/* End the row: failed, or skipped for a reason. */
void __attribute__((noreturn, format(printf, 3, 4)))
ktest_fail(const char *file, int line, const char *format, ...);
void __attribute__((noreturn, format(printf, 1, 2)))
ktest_skip(const char *format, ...);

/* A diagnostic line. */
void __attribute__((format(printf, 1, 2)))
ktest_note(const char *format, ...);

/*
 * Write @text to a file of the kernel's by one call, which is opened with these
 * flags of open() besides. false: that failed, errno says why.
 */
bool
ktest_put(const char *path, const char *text, int flags);

/* How many lines a file has. */
unsigned int
ktest_count_lines(const char *path);

/* A named figure for build/check/figures.json. */
void
ktest_figure(const char *name, double value);
/* The same of words, with commas and no spaces between them. */
void
ktest_figure_list(const char *name, const char *words);

/* The row fails unless the condition holds; the expression is the message. */
#define CHECK(condition)                                               \
	do {                                                           \
		if (!(condition)) {                                    \
			ktest_fail(__FILE__, __LINE__, "%s (errno %s)", \
				   #condition, ktest_errno_name());    \
		}                                                      \
	} while (0)

/* The row fails unless both are equal; both values are printed. */
#define CHECK_EQ(a, b)                                                  \
	do {                                                            \
		long long a_ = (long long)(a), b_ = (long long)(b);     \
		if (a_ != b_) {                                         \
			ktest_fail(__FILE__, __LINE__,                  \
				   "%s is %lld, expected %s, %lld", #a, \
				   a_, #b, b_);                         \
		}                                                       \
	} while (0)

/* The call must return -1 with exactly this errno. */
#define CHECK_ERRNO(expected, call)                                          \
	do {                                                                 \
		errno = 0;                                                   \
		long long ret_ = (long long)(call);                          \
		if (ret_ != -1 || errno != (expected)) {                     \
			ktest_fail(__FILE__, __LINE__,                       \
				   "%s: %lld, errno %s, expected errno %s",  \
				   #call, ret_, ktest_errno_name(), #expected); \
		}                                                            \
	} while (0)

const char *
ktest_errno_name(void);

/* Poll until the condition holds, for at most a second; then the row fails. */
#define CHECK_WITHIN_1S(condition)                                          \
	do {                                                                \
		for (int try_ = 0; !(condition); try_++) {                  \
			if (try_ == 1000) {                                 \
				ktest_fail(__FILE__, __LINE__,              \
					   "not within 1 s: %s", #condition); \
			}                                                   \
			ktest_pause_1ms();                                  \
		}                                                           \
	} while (0)

void
ktest_pause_1ms(void);

/* Time on the monotonic clock, in seconds. */
double
ktest_now(void);

/* /dev/bufalloc, opened; the row fails if that fails. */
int
ba_open(void);

/* ALLOC with O_RDWR | O_CLOEXEC: a file descriptor, or -1 and errno. */
int
ba_try_alloc(int node, uint32_t heap, uint64_t length);

/* The same; the row fails if that fails. */
int
ba_alloc(int node, uint32_t heap, uint64_t length);

/* The same with enum bufalloc_attribute bits. */
int
ba_alloc_with(int node, uint32_t heap, uint64_t length, uint64_t attributes);

/* From heap auto; its holder may read it by mmap and not write. */
int
ba_alloc_read_only(int node, uint64_t length);

/* What became of an ALLOC for devices; fd is -1 if it was refused. */
struct ba_outcome {
	int fd;
	struct bufalloc_alloc_device devices[BUFALLOC_MAX_DEVICES];
	struct bufalloc_alloc_verdict verdict;
};

/*
 * ALLOC for devices that all read and write; the row fails if the verdict and
 * the errno disagree.
 */
struct ba_outcome
ba_alloc_for(int node, uint32_t heap, uint64_t length, const int *fds,
	     uint32_t count, uint32_t flags);

/* COPY with its flags: 0, or -1 and errno; the row fails if it copied a part. */
int
ba_try_copy(int node, int fd, uint32_t flags, uint64_t offset, uint64_t length,
	    const void *data);

/* The same; the row fails if that fails. */
void
ba_copy(int node, int fd, uint32_t flags, uint64_t offset, uint64_t length,
	const void *data);

/* BUFFER_INFO; the row fails if that fails. */
struct bufalloc_buffer_info
ba_buffer_info(int node, int fd);

/* mmap of the whole buffer, shared, for reading and writing. */
void *
ba_map(int fd, size_t length);

/* What the kernel may map by one entry of its page tables. */
#define BA_LARGE_PAGE ((size_t)2 << 20)

/*
 * The same, from @shift bytes behind a multiple of BA_LARGE_PAGE on. Blocks of the
 * page allocator's are aligned to one, so that one page behind it no large page
 * fits.
 */
void *
ba_map_at(int fd, size_t length, size_t shift);

/*
 * The physical address of a contiguous buffer's first byte, as a probe sees it
 * (below).
 */
uint64_t
ba_address_of(int fd, size_t length);

/* A number from /sys/kernel/debug/bufalloc/live; -1 without the module. */
int
ba_live(const char *name);

/* DMA_BUF_IOCTL_SYNC; the row fails if that fails. */
void
ba_sync(int fd, uint64_t flags);

/* Module parameter, as /sys/module/bufalloc/parameters has it. */
unsigned long long
ba_get_parameter(const char *name);
void
ba_set_parameter(const char *name, unsigned long long value);

/*
 * Load and unload bufalloc.ko ($BUFALLOC_KO). ba_try_load() and ba_unload(): -1 and
 * errno.
 */
void
ba_load(void);
int
ba_try_load(const char *parameters);
int
ba_unload(void);

/*
 * The sum of /proc/vmallocinfo, the kernel's address space in use: of the lines
 * that count; NULL: of all.
 */
unsigned long long
ba_vmalloc_sum(bool (*counts)(const char *line));

/* What of it bufalloc's mappings take. */
unsigned long long
ba_vmalloc_bytes(void);

/*
 * Watch a function of the kernel: each call of it, from trace_begin() on until
 * trace_end(), is one line of the trace with the given arguments of kprobe
 * events ("pfn=$arg3:u64"). trace_end() calls line() with each and returns
 * their number. The row is skipped if the kernel cannot do that.
 */
void
trace_begin(const char *function, const char *arguments);
/* The same for several functions at once. */
void
trace_begin_all(const char *const *functions, unsigned int count,
		const char *arguments);
/* Until one of them was called; the row fails if that takes half a minute. */
void
trace_wait(void);
unsigned int
trace_end(void (*line)(const char *text, void *data), void *data);

/* Has the kernel a function of that name? */
bool
trace_has(const char *function);

/* The value of "name=" in a line of a trace. */
unsigned long long
trace_value(const char *text, const char *name);

/*
 * Open the DRM card of a driver ("vgem", "vkms"); the row is skipped if there
 * is none.
 */
int
drm_open_driver(const char *name);

/* The DRM device of that driver among "<prefix><first>" and on, or -1. */
int
drm_try_open(const char *prefix, int first, const char *driver);

/* The V4L2 node (of any type) that /sys/class/video4linux calls so, or -1. */
int
v4l2_try_open(const char *name);

/* The V4L2 capture node of vivid; the row is skipped if there is none. */
int
vivid_open(void);

/* Was vivid loaded with allocators=1? Ends the program if it was not loaded. */
bool
vivid_is_dma_contig(void);

/* A byte of the test pattern that marks an owner's data. */
static inline uint8_t
pattern_byte(size_t offset)
{
	return (uint8_t)((offset * 2654435761u) >> 13) | 1;
}

void
pattern_fill(void *data, size_t length);

/* Offset of the first byte that differs from the pattern, or length. */
size_t
pattern_mismatch(const void *data, size_t length);

/* Offset of the first byte that is not 0, or length. */
size_t
first_nonzero(const void *data, size_t length);

/* How many bytes are not 0. */
size_t
count_nonzero(const void *data, size_t length);

#endif /* KTEST_H */
