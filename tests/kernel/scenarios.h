/* SPDX-License-Identifier: MIT */
/*
 * What programs do with buffers, from the first open to the last close: for tests
 * that end such programs in the middle. A step that fails ends the process, when it is
 * a child.
 */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct scenario - one of them
 * @name: of it, for messages
 * @run: it, once
 * @alone: it has a camera or a display to itself: one at a time can
 */
struct scenario {
	const char *name;
	void (*run)(void);
	bool alone;
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* Before the first: which nodes they are. The row is skipped if one is missing. */
void
scenarios_set_up(void);

#endif /* SCENARIOS_H */
