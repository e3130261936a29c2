// SPDX-License-Identifier: GPL-2.0
/*
 * Regions that the administrator names: module parameter reserved=.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bufalloc_private.h"
#include "region.h"

/* Where such memory is, is for root alone to read. */
static char *reserved;
module_param(reserved, charp, 0400);
MODULE_PARM_DESC(reserved,
		 "memory that the kernel does not use, SIZE@START[,SIZE@START...] in bytes, K, M or G");

/* Those that were added. */
static struct bufalloc_region **added;
static unsigned int added_count;

/* A number of bytes with K, M or G and nothing else. -EINVAL, -ERANGE. */
static int parse_bytes(char *text, u64 *bytes)
{
	static const char units[] = "KMG";
	size_t length = strlen(text);
	const char *unit;
	int ret;

	/* kstrtoull() takes it. */
	if (!length || !isdigit(text[0]) || !isalnum(text[length - 1]))
		return -EINVAL;
	unit = strchr(units, toupper(text[length - 1]));
	if (unit)
		text[length - 1] = '\0';
	ret = kstrtoull(text, 0, bytes);
	if (ret || !unit)
		return ret;
	return check_shl_overflow(*bytes, 10 * (unit - units + 1), bytes) ?
		       -ERANGE : 0;
}

/* SIZE@START. The text changes. */
static int parse_region(char *text, u64 *start, u64 *length)
{
	char *size = strsep(&text, "@");

	if (!text)
		return -EINVAL;
	return parse_bytes(size, length) ?: parse_bytes(text, start);
}

static unsigned int count_texts(const char *list)
{
	unsigned int count = 1;

	for (; *list; list++)
		count += *list == ',';
	return count;
}

/* One that cannot be is left out, and the log says why. -EINVAL: it is none. */
static int add(char *text)
{
	struct bufalloc_region *region;
	char *name = kstrdup(text, GFP_KERNEL);
	u64 start, length;
	const char *why;
	int ret = 0;

	if (!name)
		return -ENOMEM;
	if (parse_region(text, &start, &length)) {
		pr_err("%s: parameter reserved: \"%s\" is not SIZE@START\n",
		       KBUILD_MODNAME, name);
		ret = -EINVAL;
		goto out_free;
	}
	region = bufalloc_region_add(name, start, length, NULL, &why);
	if (IS_ERR(region))
		pr_err("%s: reserved region %s is not used: %s\n",
		       KBUILD_MODNAME, name, why);
	else
		added[added_count++] = region;
out_free:
	kfree(name);
	return ret;
}

/* Add the regions of the parameter; -EINVAL if it is no list of such. */
int bufalloc_region_parameter_init(void)
{
	char *copy, *rest, *text;
	int ret = 0;

	if (!reserved)
		return 0;
	added = kcalloc(count_texts(reserved), sizeof(*added), GFP_KERNEL);
	copy = kstrdup(reserved, GFP_KERNEL);
	if (!added || !copy)
		ret = -ENOMEM;
	for (rest = copy; !ret && (text = strsep(&rest, ","));)
		ret = add(text);
	kfree(copy);
	if (ret)
		bufalloc_region_parameter_exit();
	return ret;
}

void bufalloc_region_parameter_exit(void)
{
	while (added_count)
		bufalloc_region_remove(added[--added_count]);
	kfree(added);
	added = NULL;
}
