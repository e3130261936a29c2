/* SPDX-License-Identifier: MIT */
/*
 * What a kernel's configuration for gcc has and the same for clang would not. After
 * <generated/autoconf.h>; see clang-cc.
 */
#undef CONFIG_CC_IS_GCC
#define CONFIG_CC_IS_CLANG 1
#undef CONFIG_CC_HAS_NAMED_AS
#undef CONFIG_USE_X86_SEG_SUPPORT
