// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "ktest.h"

#define ROOT "/sys/fs/cgroup"
#define GROUP ROOT "/bufalloc"

void
cgroup_make(const char *limit)
{
	if (access(ROOT "/cgroup.controllers", F_OK) != 0 &&
	    mount("cgroup2", ROOT, "cgroup2", 0, NULL) != 0) {
		ktest_skip("no cgroup2");
	}
	if (!ktest_put(ROOT "/cgroup.subtree_control", "+memory", 0)) {
		ktest_skip("no memory cgroups: %s", ktest_errno_name());
	}
	CHECK(mkdir(GROUP, 0755) == 0 || errno == EEXIST);
	CHECK(ktest_put(GROUP "/memory.max", limit, 0));
}

void
cgroup_enter(void)
{
	CHECK(ktest_put(GROUP "/cgroup.procs", "0", 0));
}

static FILE *
open_file(const char *name)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), GROUP "/%s", name);
	file = fopen(path, "re");
	CHECK(file != NULL);
	return file;
}

unsigned long long
cgroup_read(const char *name)
{
	FILE *file = open_file(name);
	unsigned long long value;
	int found = fscanf(file, "%llu", &value);

	fclose(file);
	CHECK_EQ(found, 1);
	return value;
}

unsigned long long
cgroup_read_line(const char *name, const char *key)
{
	FILE *file = open_file(name);
	unsigned long long value, found = 0;
	char word[64];

	while (fscanf(file, "%63s %llu", word, &value) == 2) {
		if (strcmp(word, key) == 0) {
			found = value;
		}
	}
	fclose(file);
	return found;
}

void
cgroup_remove(void)
{
	CHECK_WITHIN_1S(rmdir(GROUP) == 0);
}
