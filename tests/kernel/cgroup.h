/* SPDX-License-Identifier: MIT */
/*
 * A memory cgroup (v2) for processes of a test. There is one at a time.
 */
#ifndef CGROUP_H
#define CGROUP_H

/* A new one with that limit ("64M"); the row is skipped if the kernel has none. */
void
cgroup_make(const char *limit);

/* The calling process is in it from now on, and so are its children. */
void
cgroup_enter(void);

/* The number in a file of it: "memory.current". */
unsigned long long
cgroup_read(const char *file);

/* The number after a name in a file of it: "memory.events", "oom_kill". */
unsigned long long
cgroup_read_line(const char *file, const char *name);

/* It goes, when nobody is in it any more; within a second, or the row fails. */
void
cgroup_remove(void);

#endif /* CGROUP_H */
