/* SPDX-License-Identifier: MIT */
/* bufalloc info: is the module usable, and what can it do? */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define LIBRARY_VERSION                                               \
	(BUFALLOC_VERSION_MAJOR << 16 | BUFALLOC_VERSION_MINOR << 8 | \
	 BUFALLOC_VERSION_PATCH)

/* Everything that is found out before anything is printed. */
struct state {
	const char *path;
	bool node_exists;
	struct stat node;
	char owner[64];
	char group[64];
	int err; /* of bufalloc_open_module() or bufalloc_get_info() */
	struct bufalloc_module_info info;
	char problem[512]; /* why it is not usable; "" if it is */
	char advice[512]; /* what works, but not as it should; or "" */
};

static void
look_at_node(struct state *state)
{
	const struct passwd *user;
	const struct group *group;

	state->node_exists = stat(state->path, &state->node) == 0;
	if (!state->node_exists) {
		return;
	}

	user = getpwuid(state->node.st_uid);
	group = getgrgid(state->node.st_gid);
	snprintf(state->owner, sizeof(state->owner), "%ju",
		 (uintmax_t)state->node.st_uid);
	snprintf(state->group, sizeof(state->group), "%ju",
		 (uintmax_t)state->node.st_gid);
	if (user != NULL) {
		snprintf(state->owner, sizeof(state->owner), "%s",
			 user->pw_name);
	}
	if (group != NULL) {
		snprintf(state->group, sizeof(state->group), "%s",
			 group->gr_name);
	}
}

static void
look_at_module(struct state *state)
{
	struct bufalloc_ctx *ctx;

	state->err = bufalloc_open_module(&ctx, state->path);
	if (state->err < 0) {
		bufalloc_open_strerror(state->path, state->err, state->problem,
				       sizeof(state->problem));
		return;
	}

	state->err = bufalloc_get_info(ctx, &state->info);
	if (state->err < 0) {
		snprintf(state->problem, sizeof(state->problem), "%s",
			 bufalloc_strerror(state->err));
	}
	bufalloc_close(ctx);
}

static bool
has_heap(const struct state *state, enum bufalloc_heap heap)
{
	return (state->info.heaps & (UINT32_C(1) << heap)) != 0;
}

static void
look_for_advice(struct state *state)
{
	mode_t mode = state->node.st_mode;

	if (state->err < 0) {
		return;
	}
	if (!has_heap(state, BUFALLOC_CONTIG)) {
		snprintf(state->advice, sizeof(state->advice),
			 "heap contig is missing: this kernel was built without CONFIG_CONTIG_ALLOC");
	} else if ((mode & 0006) != 0006 &&
		   ((mode & 0060) != 0060 || state->node.st_gid == 0)) {
		snprintf(state->advice, sizeof(state->advice),
			 "only root may use %s: install the udev rule 60-bufalloc.rules and apply it with 'udevadm control --reload' and 'udevadm trigger %s', as root",
			 state->path, state->path);
	}
}

static enum tool_exit
print_json(const struct state *state)
{
	struct json_object *object = json_object_new_object();
	struct json_object *modules;
	size_t i;
	char mode[8];

	if (object == NULL) {
		return tool_error(-ENOMEM, bufalloc_strerror(-ENOMEM));
	}

	json_object_object_add(object, "usable",
			       json_object_new_boolean(state->err == 0));
	tool_json_text(object, "library_version",
		       tool_version(LIBRARY_VERSION).text);
	tool_json_text(object, "node", state->path);
	if (state->node_exists) {
		snprintf(mode, sizeof(mode), "%04o",
			 (unsigned int)state->node.st_mode & 07777);
		tool_json_text(object, "node_owner", state->owner);
		tool_json_text(object, "node_group", state->group);
		tool_json_text(object, "node_mode", mode);
	}

	if (state->err < 0) {
		tool_json_text(object, "errno", tool_errno_name(state->err));
		tool_json_text(object, "problem", state->problem);
		return tool_print_json(object);
	}

	tool_json_text(object, "module_version",
		       tool_version(state->info.version).text);
	json_object_object_add(object, "heaps",
			       tool_json_heaps(state->info.heaps));
	tool_json_number(object, "max_length", state->info.max_length);
	tool_json_number(object, "contig_limit", state->info.contig_limit);
	tool_json_number(object, "contig_used", state->info.contig_used);
	json_object_object_add(object, "attributes",
			       tool_json_attributes(state->info.attributes));
	modules = json_object_new_object();
	for (i = 0; i < TOOL_RESOLVERS; i++) {
		json_object_object_add(
			modules, tool_resolver_name(i),
			json_object_new_boolean(tool_resolver_is_loaded(i)));
	}
	json_object_object_add(object, "resolvers", modules);
	if (state->advice[0] != '\0') {
		tool_json_text(object, "advice", state->advice);
	}
	return tool_print_json(object);
}

static void
print_text(const struct state *state)
{
	size_t i;

	printf("library       %s\n", tool_version(LIBRARY_VERSION).text);
	if (state->node_exists) {
		printf("node          %s, %s:%s, mode %04o\n", state->path,
		       state->owner, state->group,
		       (unsigned int)state->node.st_mode & 07777);
	} else {
		printf("node          %s, missing\n", state->path);
	}

	if (state->err < 0) {
		printf("module        not usable\n");
		return;
	}

	printf("module        %s\n", tool_version(state->info.version).text);
	printf("heaps         %s\n", tool_heap_names(state->info.heaps).text);
	printf("max length    %s\n", tool_amount(state->info.max_length).text);
	printf("contig limit  %s for this user\n",
	       tool_amount(state->info.contig_limit).text);
	printf("contig used   %s by this user\n",
	       tool_amount(state->info.contig_used).text);
	printf("attributes    %s\n",
	       tool_attribute_names(state->info.attributes).text);
	for (i = 0; i < TOOL_RESOLVERS; i++) {
		printf("%-14s%s\n", tool_resolver_name(i),
		       tool_resolver_is_loaded(i) ? "loaded" : "not loaded");
	}
	if (state->advice[0] != '\0') {
		printf("advice        %s\n", state->advice);
	}
}

static enum tool_exit
run_info(struct tool_options *options)
{
	struct state state = { .path = options->path };

	look_at_node(&state);
	look_at_module(&state);
	look_for_advice(&state);

	if (options->json) {
		if (print_json(&state) != TOOL_OK) {
			return TOOL_FAILED;
		}
	} else {
		print_text(&state);
	}
	if (state.err < 0) {
		fflush(stdout);
		return tool_error(state.err, state.problem);
	}
	return TOOL_OK;
}

const struct tool_command tool_info = {
	.name = "info",
	.summary = "tell whether the module is usable, its heaps and limits",
	.help =
		"usage: bufalloc info [--json] [--node PATH]\n"
		"\n"
		"Tell whether bufalloc.ko is loaded and this user may use it, which heaps and\n"
		"limits it has, whether the modules that know devices are loaded, and what to do\n"
		"where something is missing.\n"
		"\n"
		"  --json       print one JSON object\n"
		"  --node PATH  bufalloc's device node (default: " BUFALLOC_DEVICE ")\n"
		"  -h, --help   print this text\n"
		"\n"
		"Exit status: 0 usable, 1 not usable, 2 wrong usage.\n",
	.run = run_info,
};
