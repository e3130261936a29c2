// SPDX-License-Identifier: MIT
/*
 * The programs that are kept; see corpus.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "corpus.h"

bool
corpus_add(struct corpus *corpus, const struct program *program)
{
	uint32_t at = __atomic_fetch_add(&corpus->count, 1, __ATOMIC_RELAXED);

	if (at >= CORPUS_MAX) {
		__atomic_fetch_sub(&corpus->count, 1, __ATOMIC_RELAXED);
		return false;
	}
	corpus->programs[at] = *program;
	return true;
}

bool
corpus_load(struct corpus *corpus, const char *path)
{
	FILE *file = fopen(path, "re");
	struct program program = { 0 };
	char line[MAX_LINE];
	unsigned int number = 0;
	bool good = true, full = false;

	if (file == NULL) {
		printf("# %s: %s\n", path, strerror(errno));
		return false;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		number++;
		if (line[0] == '\n') {
			full |= program.count > 0 && !corpus_add(corpus, &program);
			program.count = 0;
		} else if (!program_parse_line(&program, line)) {
			printf("# %s:%u: no call: %s", path, number, line);
			good = false;
		}
	}
	full |= program.count > 0 && !corpus_add(corpus, &program);
	if (full) {
		printf("# %s: more than %u programs; the rest is left out\n", path,
		       CORPUS_MAX);
	}
	fclose(file);
	return good;
}

uint32_t
corpus_save(const struct corpus *corpus, uint32_t first, const char *path)
{
	static char text[MAX_CALLS * MAX_LINE];
	uint32_t count = corpus->count;
	FILE *file = fopen(path, "ae");

	if (file == NULL) {
		printf("# %s: %s\n", path, strerror(errno));
		return first;
	}
	for (uint32_t i = first; i < count; i++) {
		program_print(&corpus->programs[i], text, sizeof(text));
		fprintf(file, "%s\n", text);
	}
	fclose(file);
	return count;
}
