// SPDX-License-Identifier: GPL-2.0
/*
 * MODULE_IMPORT_NS() takes a bare word (up to 6.12). The other question, does
 * it take a string, compiles everywhere and means something else before 6.13.
 */
#include <linux/module.h>
MODULE_IMPORT_NS(DMA_BUF);
