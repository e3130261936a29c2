/* SPDX-License-Identifier: MIT */
/* The command bufalloc: finds the command in its arguments and runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const struct tool_command *const commands[] = {
	&tool_info,
	&tool_explain,
	&tool_alloc,
	&tool_selftest,
	&tool_trace,
};

#define COMMANDS_LEN (sizeof(commands) / sizeof(commands[0]))

static const struct tool_command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS_LEN; i++) {
		if (strcmp(commands[i]->name, name) == 0) {
			return commands[i];
		}
	}
	return NULL;
}

static void
print_usage(FILE *file)
{
	size_t i;

	fputs("usage: bufalloc COMMAND [OPTION]...\n"
	      "\n"
	      "Buffers that cameras, codecs and displays share without copying.\n"
	      "\n",
	      file);
	for (i = 0; i < COMMANDS_LEN; i++) {
		fprintf(file, "  %-15s%s\n", commands[i]->name,
			commands[i]->summary);
	}
	fputs("  help [COMMAND] explain a command\n"
	      "\n"
	      "  -h, --help     print this text\n"
	      "  --version      print the version\n",
	      file);
}

static enum tool_exit
run_help(int argc, char *argv[])
{
	const struct tool_command *command;

	if (argc < 2) {
		print_usage(stdout);
		return TOOL_OK;
	}
	if (argc > 2) {
		return tool_usage_error(NULL, "unexpected argument '%s'",
					argv[2]);
	}
	command = find_command(argv[1]);
	if (command == NULL) {
		return tool_usage_error(NULL, "no command is called '%s'",
					argv[1]);
	}
	fputs(command->help, stdout);
	return TOOL_OK;
}

static enum tool_exit
run_command(const struct tool_command *command, int argc, char *argv[])
{
	struct tool_options options;
	enum tool_exit status;
	bool is_help;

	if (command->run_alone != NULL) {
		return command->run_alone(argc, argv);
	}
	status = tool_options_parse(command, &options, argc, argv, &is_help);
	if (status != TOOL_OK) {
		return status;
	}
	if (is_help) {
		fputs(command->help, stdout);
		return TOOL_OK;
	}
	return command->run(&options);
}

static enum tool_exit
run(int argc, char *argv[])
{
	const struct tool_command *command;

	if (argc < 2) {
		print_usage(stderr);
		return TOOL_USAGE;
	}
	if (strcmp(argv[1], "help") == 0) {
		return run_help(argc - 1, argv + 1);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return TOOL_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("bufalloc %d.%d.%d\n", BUFALLOC_VERSION_MAJOR,
		       BUFALLOC_VERSION_MINOR, BUFALLOC_VERSION_PATCH);
		return TOOL_OK;
	}

	command = find_command(argv[1]);
	if (command == NULL) {
		return tool_usage_error(NULL, "no %s is called '%s'",
					argv[1][0] == '-' ? "option" :
							    "command",
					argv[1]);
	}
	return run_command(command, argc - 1, argv + 1);
}

int
main(int argc, char *argv[])
{
	enum tool_exit status;

	status = run(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		status = tool_error(errno, "cannot write to standard output");
	}
	return (int)status;
}
