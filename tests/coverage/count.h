/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Forced into the copy of kernel/ that build.sh makes.
 *
 * There each place that makes an errno says ERRNO_SITE(EINVAL) for EINVAL: a function
 * of its own on that line, which gcov counts by itself. Without it most lines "return
 * -EINVAL;" are no lines to gcov, as gcc has merged them before it begins to count.
 */
#define ERRNO_SITE(errno)						\
	({								\
		__attribute__((__noinline__)) void errno_site(void)	\
		{							\
			asm volatile("");				\
		}							\
		errno_site();						\
		errno;							\
	})

/*
 * gcc's constructors, which would tell the kernel of each file's counters, are not
 * called where CONFIG_CONSTRUCTORS is off. So their addresses are in a section (gcc's
 * -fprofile-info-section), between those of the files FIRST and LAST.
 */
struct gcov_info;
void __gcov_init(struct gcov_info *info);
extern struct gcov_info *const counted_first[], *const counted_last[];

#define COUNTED_INIT(init)						\
	__attribute__((__no_profile_instrument_function__))		\
	static int __init counted_init(void)				\
	{								\
		struct gcov_info *const *info;				\
									\
		for (info = counted_first; info < counted_last; info++)	\
			if (*info)					\
				__gcov_init(*info);			\
		return init();						\
	}								\
	module_init(counted_init)
