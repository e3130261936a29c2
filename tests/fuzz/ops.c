// SPDX-License-Identifier: MIT
/*
 * The table of calls that programs are made of.
 */
#include "run.h"

#define LEN(n) { n, ARG_LENGTH, 0 }
#define OFF(n) { n, ARG_OFFSET, 0 }
#define ENUM(n, most) { n, ARG_ENUM, most }
#define FLAGS(n, known) { n, ARG_FLAGS, known }
#define BUFFER { "buffer", ARG_RESULT, RESULT_BUFFER }
#define DEVICE(n) { n, ARG_RESULT, RESULT_DEVICE }
#define MAP { "map", ARG_RESULT, RESULT_MAP }
#define HANDLE { "handle", ARG_RESULT, RESULT_HANDLE }
#define ANY_FD { "fd", ARG_RESULT, RESULT_FD }
#define SIZE { "size", ARG_SIZE, 0 }
/* O_RDWR and O_CLOEXEC */
#define FD_FLAGS FLAGS("fd_flags", 02000002)
/* 0: none; 1: as it should be; 2: nowhere; 3: too short; 4: with more behind it. */
#define VERDICT ENUM("verdict", 4)

const struct op ops[] = {
	/* The ioctls of /dev/bufalloc. */
	{ "info", 2, RESULT_NONE, op_info, { SIZE, FLAGS("flags", 0) } },
	{ "device_info", 8, RESULT_NONE, op_device_info,
	  { DEVICE("device"), FLAGS("access", 3), SIZE, FLAGS("flags", 0) } },
	{ "alloc", 40, RESULT_BUFFER, op_alloc,
	  { LEN("length"), ENUM("heap", 5), FLAGS("attributes", 0x1f),
	    FLAGS("required", 0x1f), FLAGS("flags", 1), FD_FLAGS,
	    DEVICE("device"), FLAGS("access", 3), DEVICE("device2"),
	    FLAGS("access2", 3), VERDICT, SIZE } },
	{ "import_user", 20, RESULT_BUFFER, op_import_user,
	  { MAP, OFF("offset"), LEN("length"), FLAGS("flags", 3), FD_FLAGS,
	    DEVICE("device"), FLAGS("access", 3), DEVICE("device2"),
	    FLAGS("access2", 3), VERDICT, SIZE } },
	{ "sync_range", 10, RESULT_NONE, op_sync_range,
	  { BUFFER, FLAGS("flags", 7), OFF("offset"), LEN("length"), SIZE } },
	{ "copy", 15, RESULT_NONE, op_copy,
	  { BUFFER, FLAGS("flags", 1), OFF("offset"), LEN("length"), MAP,
	    OFF("at"), SIZE } },
	{ "load_firmware", 6, RESULT_NONE, op_load_firmware,
	  { BUFFER, OFF("offset"), ENUM("name", 7), SIZE } },
	{ "buffer_info", 6, RESULT_NONE, op_buffer_info,
	  { BUFFER, FLAGS("flags", 0), SIZE } },
	{ "raw", 3, RESULT_NONE, op_raw,
	  { ENUM("number", 9), SIZE, ENUM("fill", 255), OFF("at"), OFF("value") } },

	/* What any dma-buf can do. */
	{ "sync", 6, RESULT_NONE, op_sync, { BUFFER, FLAGS("flags", 7) } },
	{ "set_name", 1, RESULT_NONE, op_set_name, { BUFFER, ENUM("length", 40) } },
	{ "export_fence", 2, RESULT_FD, op_export_fence, { BUFFER, FLAGS("flags", 3) } },
	{ "import_fence", 2, RESULT_NONE, op_import_fence,
	  { BUFFER, ANY_FD, FLAGS("flags", 3) } },
	{ "look", 3, RESULT_NONE, op_look, { BUFFER, ENUM("at", 5) } },
	{ "duplicate", 2, RESULT_BUFFER, op_duplicate, { BUFFER, FLAGS("flags", 1) } },
	{ "drop", 8, RESULT_NONE, op_drop, { ANY_FD } },

	/* Memory. */
	{ "map", 12, RESULT_MAP, op_map,
	  { BUFFER, LEN("length"), FLAGS("protection", 3), ENUM("private", 1),
	    OFF("offset") } },
	{ "memory", 10, RESULT_MAP, op_memory,
	  { LEN("length"), ENUM("from", 9), FLAGS("protection", 3) } },
	{ "touch", 12, RESULT_NONE, op_touch,
	  { MAP, OFF("offset"), LEN("length"), ENUM("write", 1) } },
	{ "unmap", 6, RESULT_NONE, op_unmap, { MAP, OFF("offset"), LEN("length") } },
	{ "remap", 1, RESULT_MAP, op_remap, { MAP, OFF("offset"), LEN("length") } },
	{ "protect", 2, RESULT_NONE, op_protect,
	  { MAP, OFF("offset"), LEN("length"), FLAGS("protection", 3) } },
	{ "advise", 2, RESULT_NONE, op_advise,
	  { MAP, OFF("offset"), LEN("length"), ENUM("advice", 9) } },
	{ "pin", 4, RESULT_FD, op_pin,
	  { MAP, OFF("offset"), LEN("length"), FLAGS("how", 1) } },

	/* Processes, and what they may. */
	{ "child", 3, RESULT_NONE, op_child,
	  { ENUM("calls", 6), ENUM("end", 3), ENUM("user", 1) } },
	{ "fail", 6, RESULT_NONE, op_fail, { ENUM("nth", 40) } },
	{ "limit", 1, RESULT_NONE, op_limit, { ENUM("of", 2), LEN("bytes") } },
	{ "pressure", 1, RESULT_NONE, op_pressure, { ENUM("how", 2) } },
	{ "bind", 1, RESULT_NONE, op_bind,
	  { ENUM("device", BINDABLE - 1), ENUM("bound", 1) } },
	{ "parameter", 1, RESULT_NONE, op_parameter, { LEN("bytes") } },

	/* Devices. */
	{ "device", 30, RESULT_DEVICE, op_device, { ENUM("which", DEVICE_COUNT - 1) } },
	{ "import", 40, RESULT_HANDLE, op_import,
	  { DEVICE("device"), BUFFER, ENUM("how", 5) } },
	{ "release", 6, RESULT_NONE, op_release, { HANDLE } },
	{ "transfer", 0, RESULT_NONE, op_transfer,
	  { HANDLE, OFF("offset"), ENUM("write", 1) } },
	{ "dumb", 4, RESULT_HANDLE, op_dumb,
	  { DEVICE("device"), ENUM("width", 2048), ENUM("height", 2048),
	    ENUM("bits", 64) } },
	{ "export_handle", 4, RESULT_BUFFER, op_export_handle,
	  { HANDLE, FD_FLAGS } },
	{ "map_handle", 3, RESULT_MAP, op_map_handle,
	  { HANDLE, LEN("length"), FLAGS("protection", 3) } },
	{ "fence", 2, RESULT_FD, op_fence,
	  { DEVICE("device"), BUFFER, FLAGS("flags", 1), ENUM("signal", 1) } },
	{ "show", 2, RESULT_NONE, op_show,
	  { HANDLE, ENUM("width", 2048), ENUM("height", 2048), ENUM("fourcc", 3),
	    ENUM("how", 2) } },

	/* Cameras and converters. */
	{ "format", 4, RESULT_NONE, op_format,
	  { DEVICE("device"), ENUM("output", 1), ENUM("width", 1920),
	    ENUM("height", 1080), ENUM("pixels", 5) } },
	{ "request", 6, RESULT_NONE, op_request,
	  { DEVICE("device"), ENUM("output", 1), ENUM("memory", 4),
	    ENUM("count", 33), ENUM("create", 1) } },
	{ "queue", 8, RESULT_NONE, op_queue,
	  { DEVICE("device"), ENUM("output", 1), ENUM("memory", 4),
	    ENUM("index", 4), BUFFER, MAP, LEN("length"), ENUM("prepare", 1) } },
	{ "dequeue", 1, RESULT_NONE, op_dequeue,
	  { DEVICE("device"), ENUM("output", 1), ENUM("memory", 4) } },
	{ "stream", 1, RESULT_NONE, op_stream,
	  { DEVICE("device"), ENUM("output", 1), ENUM("on", 1) } },
	{ "export_video", 4, RESULT_BUFFER, op_export_video,
	  { DEVICE("device"), ENUM("output", 1), ENUM("index", 4), FD_FLAGS } },
	{ "map_video", 3, RESULT_MAP, op_map_video,
	  { DEVICE("device"), ENUM("output", 1), ENUM("index", 4),
	    FLAGS("protection", 3) } },
};

const unsigned int op_count = sizeof(ops) / sizeof(ops[0]);
