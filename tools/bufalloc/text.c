/* SPDX-License-Identifier: MIT */
/* How the tool prints: amounts, errors, JSON. */
#define _GNU_SOURCE /* strerrorname_np */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define MIB (UINT64_C(1) << 20)

struct tool_amount
tool_amount(uint64_t bytes)
{
	struct tool_amount a;

	if (bytes < MIB) {
		snprintf(a.text, sizeof(a.text), "%" PRIu64 " byte%s", bytes,
			 bytes == 1 ? "" : "s");
	} else {
		snprintf(a.text, sizeof(a.text),
			 "%" PRIu64 " bytes (%" PRIu64 ".%" PRIu64 " MiB)",
			 bytes, bytes / MIB, bytes % MIB * 10 / MIB);
	}
	return a;
}

struct tool_version
tool_version(uint32_t version)
{
	struct tool_version v;

	snprintf(v.text, sizeof(v.text), "%u.%u.%u", version >> 16,
		 version >> 8 & 0xff, version & 0xff);
	return v;
}

bool
tool_number(const char *text, bool suffix, uint64_t *value)
{
	static const char suffixes[] = "KMG";
	unsigned long long number;
	unsigned int shift = 0;
	const char *found;
	char *end;

	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0) {
		return false;
	}
	if (suffix && end[0] != '\0' && end[1] == '\0') {
		found = strchr(suffixes, end[0] & ~0x20);
		if (found == NULL || *found == '\0') {
			return false;
		}
		shift = 10 * (unsigned int)(found - suffixes + 1);
		end++;
	}
	if (*end != '\0' || number > UINT64_MAX >> shift) {
		return false;
	}
	*value = (uint64_t)number << shift;
	return true;
}

enum tool_exit
tool_usage_error(const struct tool_command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bufalloc: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see 'bufalloc help%s%s'\n",
		command == NULL ? "" : " ",
		command == NULL ? "" : command->name);
	return TOOL_USAGE;
}

enum tool_exit
tool_option_error(const struct tool_command *command, int result, char *argv[])
{
	const char *arg = argv[optind - 1];

	if (result == ':') {
		return tool_usage_error(command, "option %s needs a value",
					arg);
	}
	/* optopt is the letter of a short option, else 0 or what it lacks. */
	if (optopt != 0 && strncmp(arg, "--", 2) == 0) {
		return tool_usage_error(command, "option %s takes no value",
					arg);
	}
	if (optopt != 0) {
		return tool_usage_error(command, "unknown option -%c", optopt);
	}
	return tool_usage_error(command, "unknown option %s", arg);
}

const char *
tool_errno_name(int err)
{
	const char *name = strerrorname_np(abs(err));

	return name == NULL ? "unknown errno" : name;
}

enum tool_exit
tool_error(int err, const char *sentence)
{
	fprintf(stderr, "bufalloc: %s [%s]\n", sentence, tool_errno_name(err));
	return TOOL_FAILED;
}

void
tool_json_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key,
			       text == NULL ? NULL :
					      json_object_new_string(text));
}

void
tool_json_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static void
add_name(struct tool_names *names, const char *name)
{
	size_t len = strlen(names->text);

	if (name != NULL) {
		snprintf(names->text + len, sizeof(names->text) - len, "%s%s",
			 len == 0 ? "" : ", ", name);
	}
}

struct tool_names
tool_heap_names(uint32_t mask)
{
	struct tool_names names = { .text = "" };
	uint32_t i;

	for (i = 0; i < 32; i++) {
		if ((mask & UINT32_C(1) << i) != 0) {
			add_name(&names,
				 bufalloc_heap_name((enum bufalloc_heap)i));
		}
	}
	add_name(&names, names.text[0] == '\0' ? "none" : NULL);
	return names;
}

struct tool_names
tool_attribute_names(uint64_t mask)
{
	struct tool_names names = { .text = "" };
	unsigned int i;

	for (i = 0; i < 64; i++) {
		if ((mask & UINT64_C(1) << i) != 0) {
			add_name(&names, bufalloc_attr_name(UINT64_C(1) << i));
		}
	}
	add_name(&names, names.text[0] == '\0' ? "none" : NULL);
	return names;
}

struct json_object *
tool_json_heaps(uint32_t mask)
{
	struct json_object *list = json_object_new_array();
	const char *name;
	uint32_t i;

	for (i = 0; i < 32; i++) {
		name = bufalloc_heap_name((enum bufalloc_heap)i);
		if (name != NULL && (mask & (UINT32_C(1) << i)) != 0) {
			json_object_array_add(list,
					      json_object_new_string(name));
		}
	}
	return list;
}

struct json_object *
tool_json_attributes(uint64_t attributes)
{
	struct json_object *list = json_object_new_array();
	const char *name;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		name = bufalloc_attr_name(attributes & UINT64_C(1) << bit);
		if (name != NULL) {
			json_object_array_add(list,
					      json_object_new_string(name));
		}
	}
	return list;
}

enum tool_exit
tool_print_json(struct json_object *object)
{
	const char *text;

	text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_SPACED |
				JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text == NULL) {
		json_object_put(object);
		return tool_error(-ENOMEM, bufalloc_strerror(-ENOMEM));
	}
	puts(text);
	json_object_put(object);
	return TOOL_OK;
}
