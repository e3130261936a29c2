/* SPDX-License-Identifier: MIT */
/* What the commands of the tool share. */
#ifndef TOOL_H
#define TOOL_H

#include <bufalloc/bufalloc.h>
#include <json-c/json_object.h>
#include <stdbool.h>

/** Exit statuses. */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2,
};

/** As many devices as a buffer can be for. */
#define TOOL_MAX_DEVICES 16

/** The devices of the options --device. Start with all bytes 0. */
struct tool_devices {
	size_t count;
	/** The nodes; they point into argv. */
	char *nodes[TOOL_MAX_DEVICES];
	/** As the library takes them; the descriptors are the tool's own. */
	struct bufalloc_use uses[TOOL_MAX_DEVICES];
	/** Whether the access was named. */
	bool has_access[TOOL_MAX_DEVICES];
};

/** Options that a command may take; --json, --node and --help all do. */
enum tool_takes {
	/** --size */
	TOOL_SIZE = 1 << 0,
	/** --format, --width and --height, which belong together */
	TOOL_FRAME = 1 << 1,
	/** --device */
	TOOL_DEVICE = 1 << 2,
	/** --heap and --attribute */
	TOOL_HEAP = 1 << 3,
	/** --count, --name and --hold */
	TOOL_HOLD = 1 << 4,
};

/** What the options said; texts point into argv. */
struct tool_options {
	const char *path;
	struct tool_devices devices;
	bool has_length;
	uint64_t length;
	const char *format;
	uint64_t width;
	uint64_t height;
	enum bufalloc_heap heap;
	uint64_t attributes;
	uint64_t count;
	const char *name;
	bool hold;
	bool json;
};

/** A command: "bufalloc NAME ...". */
struct tool_command {
	const char *name;
	const char *summary;
	const char *help;
	/** enum tool_takes bits. */
	unsigned int takes;
	enum tool_exit (*run)(struct tool_options *options);
	/**
	 * Instead of run: a command that reads its arguments itself, argv[0] is
	 * its name. The status may be that of a program which it has run.
	 */
	enum tool_exit (*run_alone)(int argc, char *argv[]);
};

extern const struct tool_command tool_info;
extern const struct tool_command tool_alloc;
extern const struct tool_command tool_explain;
extern const struct tool_command tool_selftest;
extern const struct tool_command tool_trace;

/**
 * Read the options of a command from what follows its name; argv[0] is the
 * name. is_help: it was asked for, and nothing else counts. Says what is wrong.
 */
enum tool_exit
tool_options_parse(const struct tool_command *command,
		   struct tool_options *options, int argc, char *argv[],
		   bool *is_help);

/**
 * The length, where --format, --width and --height say it. It may still be
 * missing afterwards; has_length tells.
 */
enum tool_exit
tool_options_length(const struct tool_command *command,
		    struct tool_options *options);

/**
 * Add "NODE" or "NODE:r", ":w", ":rw"; cuts the end off. false: there are too
 * many.
 */
bool
tool_devices_add(struct tool_devices *devices, char *text);

/** Open a node without waiting: a file descriptor, or -errno. */
int
tool_device_open(const char *node);

/** Open the nodes. Says what is wrong with the first that cannot be opened. */
enum tool_exit
tool_devices_open(struct tool_devices *devices);

/** Close those that are open. */
void
tool_devices_close(struct tool_devices *devices);

/**
 * What a device can use: the columns of a table (without the end of the line),
 * its header (with it), and members of a JSON object.
 *
 * err: of bufalloc_get_device_info(); if it failed, info does not count.
 */
void
tool_device_print_header(void);

void
tool_device_print(const struct bufalloc_dev_info *info,
		  enum bufalloc_access access);

void
tool_device_json(struct json_object *object, const char *node,
		 enum bufalloc_access access, int err,
		 const struct bufalloc_dev_info *info);

/** The modules that find the device behind a node, by their number. */
enum {
	TOOL_RESOLVER_V4L2,
	TOOL_RESOLVER_DRM,
	TOOL_RESOLVERS
};

const char *
tool_resolver_name(size_t i);

bool
tool_resolver_is_loaded(size_t i);

/** "8294400", with suffix also "4K", "64M", "1G"; false if none, too large. */
bool
tool_number(const char *text, bool suffix, uint64_t *value);

/** The number of a format in <drm_fourcc.h>, from its letters ("NV12"); or 0. */
uint32_t
tool_fourcc(const char *format);

/**
 * Bytes of a frame without padding; 0 if the format is none that the library
 * can lay out. Sides are at most 2^20.
 */
uint64_t
tool_frame_size(const char *format, uint64_t width, uint64_t height);

/** Formats that people may want: "NV12 NV21 ...". */
const char *
tool_format_names(void);

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

/** Add a member to an object; text NULL: null. */
void
tool_json_text(struct json_object *object, const char *key, const char *text);

void
tool_json_number(struct json_object *object, const char *key, uint64_t number);

/** Names as text: "system, contig"; "none" if there are none. */
struct tool_names {
	char text[128];
};

struct tool_names
tool_heap_names(uint32_t mask);

struct tool_names
tool_attribute_names(uint64_t mask);

/** The names of the heaps in a mask of (1 << enum bufalloc_heap). */
struct json_object *
tool_json_heaps(uint32_t mask);

/** The names of enum bufalloc_attr bits. */
struct json_object *
tool_json_attributes(uint64_t attributes);

/** Print the object on one line of stdout and free it. */
enum tool_exit
tool_print_json(struct json_object *object);

#endif /* TOOL_H */
