// SPDX-License-Identifier: MIT
/*
 * Programs as text, and changes that keep them whole; see program.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

unsigned int
op_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < op_count; i++) {
		if (strcmp(ops[i].name, name) == 0) {
			break;
		}
	}
	return i;
}

/* snprintf() behind what is there. */
#define PUT(...)                                                           \
	do {                                                               \
		int n_ = snprintf(text + at, size - at, __VA_ARGS__);      \
		at += n_ < 0 ? 0 : (size_t)n_;                             \
		if (at >= size) {                                          \
			return size - 1;                                   \
		}                                                          \
	} while (0)

size_t
program_print(const struct program *program, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < program->count; i++) {
		const struct call *call = &program->calls[i];
		const struct arg *arg = ops[call->op].args;
		const char *between = "";

		PUT("r%u = %s(", i, ops[call->op].name);
		for (int a = 0; arg[a].name != NULL; a++) {
			bool is_result = arg[a].kind == ARG_RESULT;

			if (call->args[a] == (is_result ? NO_RESULT : 0)) {
				continue;
			}
			PUT("%s%s=", between, arg[a].name);
			PUT(is_result	       ? "r%" PRIu64 :
			    call->args[a] > 9 ? "0x%" PRIx64 :
						"%" PRIu64,
			    call->args[a]);
			between = ", ";
		}
		PUT(")\n");
	}
	return at;
}

/* NAME=VALUE of the call. Names that it does not have are of another version. */
static bool
parse_arg(struct call *call, unsigned int number, char *word)
{
	const struct arg *arg = ops[call->op].args;
	char *value = strchr(word, '=');
	char *end;

	if (value == NULL) {
		return false;
	}
	*value++ = '\0';
	word += strspn(word, " ");
	for (int a = 0; arg[a].name != NULL; a++) {
		if (strcmp(arg[a].name, word) != 0) {
			continue;
		}
		if (arg[a].kind != ARG_RESULT) {
			call->args[a] = strtoull(value, &end, 0);
			return end != value;
		}
		if (value[0] == '-') {
			return true;
		}
		call->args[a] = strtoull(value + 1, &end, 10);
		return value[0] == 'r' && end != value + 1 &&
		       call->args[a] < number;
	}
	return false;
}

bool
program_parse_line(struct program *program, const char *line)
{
	char text[MAX_LINE], *name, *word, *rest, *end;
	struct call call = { 0 };

	line += strspn(line, " \t");
	if (line[0] == '#' || line[0] == '\n' || line[0] == '\0') {
		return true;
	}
	if (program->count == MAX_CALLS || strlen(line) >= sizeof(text)) {
		return false;
	}
	strcpy(text, line);
	name = strstr(text, "= ");
	rest = strchr(text, '(');
	end = strrchr(text, ')');
	if (name == NULL || rest == NULL || end == NULL || name > rest) {
		return false;
	}
	*rest++ = '\0';
	*end = '\0';
	call.op = op_find(name + 2);
	if (call.op == op_count) {
		return false;
	}
	for (int a = 0; ops[call.op].args[a].name != NULL; a++) {
		if (ops[call.op].args[a].kind == ARG_RESULT) {
			call.args[a] = NO_RESULT;
		}
	}
	for (word = strtok_r(rest, ",", &end); word != NULL;
	     word = strtok_r(NULL, ",", &end)) {
		if (!parse_arg(&call, program->count, word)) {
			return false;
		}
	}
	program->calls[program->count++] = call;
	return true;
}

/* From call @first on, add @change to what names call @from or a later one. */
static void
renumber(struct program *program, unsigned int first, unsigned int from, int change)
{
	for (unsigned int i = first; i < program->count; i++) {
		struct call *call = &program->calls[i];
		const struct arg *arg = ops[call->op].args;

		for (int a = 0; arg[a].name != NULL; a++) {
			if (arg[a].kind == ARG_RESULT &&
			    call->args[a] != NO_RESULT && call->args[a] >= from) {
				call->args[a] += (uint64_t)(int64_t)change;
			}
		}
	}
}

void
program_remove(struct program *program, unsigned int at)
{
	program->count--;
	memmove(&program->calls[at], &program->calls[at + 1],
		(program->count - at) * sizeof(program->calls[0]));
	for (unsigned int i = at; i < program->count; i++) {
		struct call *call = &program->calls[i];
		const struct arg *arg = ops[call->op].args;

		for (int a = 0; arg[a].name != NULL; a++) {
			if (arg[a].kind == ARG_RESULT && call->args[a] == at) {
				call->args[a] = NO_RESULT;
			}
		}
	}
	renumber(program, at, at + 1, -1);
}

bool
program_insert(struct program *program, unsigned int at, const struct call *call)
{
	if (program->count == MAX_CALLS) {
		return false;
	}
	memmove(&program->calls[at + 1], &program->calls[at],
		(program->count - at) * sizeof(program->calls[0]));
	program->count++;
	program->calls[at] = *call;
	renumber(program, at + 1, at, 1);
	return true;
}

void
program_append(struct program *program, const struct program *other)
{
	unsigned int first = program->count;

	for (unsigned int i = 0; i < other->count && program->count < MAX_CALLS; i++) {
		program->calls[program->count++] = other->calls[i];
	}
	renumber(program, first, 0, (int)first);
}
