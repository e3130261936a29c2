/* SPDX-License-Identifier: MIT */
/* What the commands of the tool share. */
#ifndef TOOL_H
#define TOOL_H

#include <bufalloc/bufalloc.h>
#include <json-c/json_object.h>

/** Exit statuses. */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2,
};

/** A command: "bufalloc NAME ...". argv[0] is the name. */
struct tool_command {
	const char *name;
	const char *summary;
	const char *help;
	enum tool_exit (*run)(int argc, char *argv[]);
};

extern const struct tool_command tool_info;
extern const struct tool_command tool_alloc;

/** A count of bytes as text: "8294400 bytes (7.9 MiB)". */
struct tool_amount {
	char text[64];
};

struct tool_amount
tool_amount(uint64_t bytes);

/** A version as text: "0.1.0". */
struct tool_version {
	char text[32];
};

struct tool_version
tool_version(uint32_t version);

/** Print "bufalloc: ..." and where the help is; returns TOOL_USAGE. */
enum tool_exit
tool_usage_error(const struct tool_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** After '?' of getopt_long() (with ':' first in its string) or ':'. */
enum tool_exit
tool_option_error(const struct tool_command *command, int result,
		  char *argv[]);

/** Name of a positive or negative errno: "EINVAL". Static storage. */
const char *
tool_errno_name(int err);

/** Print "bufalloc: SENTENCE [ENAME]" to stderr; returns TOOL_FAILED. */
enum tool_exit
tool_error(int err, const char *sentence);

/** Print the object on one line of stdout and free it. */
enum tool_exit
tool_print_json(struct json_object *object);

#endif /* TOOL_H */
