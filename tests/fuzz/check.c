// SPDX-License-Identifier: MIT
/*
 * Programs stay programs: as text, and when they are changed.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "generate.h"

static char text[MAX_CALLS * MAX_LINE], again[MAX_CALLS * MAX_LINE];

/* Line by line, as from a file. */
static bool
parse(struct program *program, const char *lines)
{
	char line[MAX_LINE];

	program->count = 0;
	while (*lines != '\0') {
		size_t length = strcspn(lines, "\n") + 1;

		if (length >= sizeof(line)) {
			return false;
		}
		memcpy(line, lines, length);
		line[length] = '\0';
		if (!program_parse_line(program, line)) {
			return false;
		}
		lines += length;
	}
	return true;
}

/* Its calls are known, and what they name is before them. */
static bool
is_whole(const struct program *program)
{
	if (program->count == 0 || program->count > MAX_CALLS) {
		return false;
	}
	for (unsigned int i = 0; i < program->count; i++) {
		const struct call *call = &program->calls[i];

		if (call->op >= op_count) {
			return false;
		}
		for (int a = 0; ops[call->op].args[a].name != NULL; a++) {
			if (ops[call->op].args[a].kind == ARG_RESULT &&
			    call->args[a] != NO_RESULT && call->args[a] >= i) {
				return false;
			}
		}
	}
	return true;
}

static bool
comes_back(const struct program *program)
{
	struct program copy;

	program_print(program, text, sizeof(text));
	if (!parse(&copy, text)) {
		return false;
	}
	program_print(&copy, again, sizeof(again));
	return strcmp(text, again) == 0;
}

static void
result(int number, bool good, const char *name, const struct program *program)
{
	if (!good) {
		program_print(program, text, sizeof(text));
		printf("# %s", text);
	}
	printf("%s %d - %s\n", good ? "ok" : "not ok", number, name);
}

int
check(const struct corpus *corpus, unsigned int count)
{
	static const char *const wrong[] = {
		"alloc(length=1)", "r0 = nothing(size=0)", "r0 = info(size)",
		"r0 = info(other=1)", "r0 = info(size=)", "r0 = drop(fd=r0)",
		"r0 = drop(fd=x)", "r0 = info(size=0",
	};
	struct program program = { 0 }, other = { 0 }, bad = { 0 };
	bool whole = true, back = true, refused = true;
	struct random random;

	random_seed(&random, 1);
	generate(&other, &random);
	for (unsigned int i = 0; i < count && whole && back; i++) {
		generate(&program, &random);
		for (int m = 0; m < 4 && whole && back; m++) {
			whole = is_whole(&program);
			back = comes_back(&program);
			if (whole && back) {
				mutate(&program, &other, &random);
			}
		}
		other = program;
	}
	result(1, whole, "changed programs are whole", &program);
	result(2, back, "what is printed is read as the same", &program);
	back = true;
	for (uint32_t i = 0; i < corpus->count && back; i++) {
		back = is_whole(&corpus->programs[i]) &&
		       comes_back(&corpus->programs[i]);
		program = corpus->programs[i];
	}
	result(3, back, "the programs of the files are, too", &program);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		refused &= !program_parse_line(&bad, wrong[i]);
	}
	result(4, refused, "what is no call is refused", &bad);
	printf("1..4\n");
	return !(whole && back && refused);
}
