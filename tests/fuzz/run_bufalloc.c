// SPDX-License-Identifier: MIT
/*
 * The ioctls of /dev/bufalloc.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/bufalloc.h>

#include "run.h"

/* As it should be, or what the program says. */
#define SIZED(type, arg) ((uint32_t)((arg) ? (arg) : sizeof(type)))

/* Room behind each structure, for sizes that are too large. */
#define ROOM 8192

long
op_info(struct run *run, const uint64_t *args)
{
	union {
		struct bufalloc_info info;
		uint8_t room[ROOM];
	} data = { .info.size = SIZED(struct bufalloc_info, args[0]),
		   .info.flags = (uint32_t)args[1] };

	return ioctl(run->node, BUFALLOC_IOCTL_INFO, &data);
}

long
op_device_info(struct run *run, const uint64_t *args)
{
	struct bufalloc_device_info info = {
		.size = SIZED(struct bufalloc_device_info, args[2]),
		.fd = run_fd(run, args[0]),
		.access = (uint32_t)args[1],
		.flags = (uint32_t)args[3],
	};

	/* Nothing is behind it. */
	if (info.size > sizeof(info)) {
		return op_raw(run, (const uint64_t[]){ 1, info.size, 0, 8,
						       (uint32_t)info.fd });
	}
	return ioctl(run->node, BUFALLOC_IOCTL_DEVICE_INFO, &info);
}

/**
 * struct wanted - what ALLOC and IMPORT_USER say of devices
 * @devices: what they write, too
 * @verdict: with room behind it
 * @address: of @verdict, or what the program says instead
 */
struct wanted {
	struct bufalloc_alloc_device devices[BUFALLOC_MAX_DEVICES];
	uint32_t count;
	union {
		struct bufalloc_alloc_verdict verdict;
		uint8_t room[ROOM];
	};
	uint64_t address;
};

static void
want(struct run *run, struct wanted *wanted, const uint64_t *args)
{
	memset(wanted, 0, sizeof(*wanted));
	for (int i = 0; i < 4; i += 2) {
		if (args[i] != NO_RESULT) {
			wanted->devices[wanted->count].fd = run_fd(run, args[i]);
			wanted->devices[wanted->count++].access =
				(uint32_t)args[i + 1];
		}
	}
	/* Many of them: as often as there is room, and once more. */
	if (wanted->count > 0 && args[1] > 3) {
		for (uint32_t i = wanted->count; i < BUFALLOC_MAX_DEVICES; i++) {
			wanted->devices[i] = wanted->devices[0];
			wanted->devices[i].access = 1 + i % 3;
		}
		wanted->devices[0].access = 1;
		wanted->count = BUFALLOC_MAX_DEVICES + (args[1] & 1);
	}
	wanted->verdict.size = sizeof(wanted->verdict);
	switch (args[4]) {
	case 1:
		break;
	case 2:
		wanted->address = 8;
		return;
	case 3:
		wanted->verdict.size = 40;
		break;
	case 4:
		wanted->verdict.size += 8;
		wanted->room[sizeof(wanted->verdict)] = args[0] & 1;
		break;
	default:
		return;
	}
	wanted->address = (uintptr_t)&wanted->verdict;
}

long
op_alloc(struct run *run, const uint64_t *args)
{
	struct wanted wanted;
	struct bufalloc_alloc alloc = {
		.size = SIZED(alloc, args[11]),
		.flags = (uint32_t)args[4],
		.length = args[0],
		.heap = (uint32_t)args[1],
		.fd_flags = (uint32_t)args[5],
		.attributes = args[2],
		.required = args[3],
	};

	want(run, &wanted, &args[6]);
	alloc.device_count = wanted.count;
	alloc.devices = wanted.count ? (uintptr_t)wanted.devices : 0;
	alloc.verdict = wanted.address;
	if (alloc.size > sizeof(alloc)) {
		alloc.size = sizeof(alloc);
	}
	if (ioctl(run->node, BUFALLOC_IOCTL_ALLOC, &alloc) != 0) {
		return -1;
	}
	return run_made_fd(run, alloc.out_fd);
}

long
op_import_user(struct run *run, const uint64_t *args)
{
	struct wanted wanted;
	struct bufalloc_import_user import = {
		.size = SIZED(import, args[10]),
		.flags = (uint32_t)args[3],
		.address = (uintptr_t)run_memory(run, args[0], args[1]),
		.length = args[2],
		.fd_flags = (uint32_t)args[4],
	};

	want(run, &wanted, &args[5]);
	import.device_count = wanted.count;
	import.devices = wanted.count ? (uintptr_t)wanted.devices : 0;
	import.verdict = wanted.address;
	if (import.size > sizeof(import)) {
		import.size = sizeof(import);
	}
	if (ioctl(run->node, BUFALLOC_IOCTL_IMPORT_USER, &import) != 0) {
		return -1;
	}
	run->imported_user = true;
	return run_made_fd(run, import.out_fd);
}

long
op_sync_range(struct run *run, const uint64_t *args)
{
	union {
		struct bufalloc_sync_range sync;
		uint8_t room[ROOM];
	} data = { .sync = {
		.size = SIZED(struct bufalloc_sync_range, args[4]),
		.flags = (uint32_t)args[1],
		.fd = run_fd(run, args[0]),
		.offset = args[2],
		.length = args[3],
	} };

	return ioctl(run->node, BUFALLOC_IOCTL_SYNC_RANGE, &data);
}

long
op_copy(struct run *run, const uint64_t *args)
{
	static uint8_t own[4 * PAGE];
	union {
		struct bufalloc_copy copy;
		uint8_t room[ROOM];
	} data = { .copy = {
		.size = SIZED(struct bufalloc_copy, args[6]),
		.flags = (uint32_t)args[1],
		.fd = run_fd(run, args[0]),
		.offset = args[2],
		.length = args[3],
		.address = (uintptr_t)run_memory(run, args[4], args[5]),
	} };

	/* Mostly there is memory to copy. */
	if (args[4] == NO_RESULT && args[5] < sizeof(own) &&
	    args[3] <= sizeof(own) - args[5]) {
		data.copy.address = (uintptr_t)own + args[5];
	}
	/* A long one would overwrite what is not the program's. */
	if (args[4] == NO_RESULT || args[4] >= run->at ||
	    run->slots[args[4]].map == NULL) {
		if (data.copy.length > sizeof(own) && data.copy.length < 1ull << 40) {
			data.copy.length = sizeof(own);
		}
	} else if (run->slots[args[4]].length < args[5] ||
		   run->slots[args[4]].length - args[5] < args[3]) {
		data.copy.flags |= BUFALLOC_COPY_IN;
	}
	return ioctl(run->node, BUFALLOC_IOCTL_COPY, &data);
}

long
op_load_firmware(struct run *run, const uint64_t *args)
{
	static const char *const names[] = {
		"fuzz/small", "fuzz/large", "fuzz/packed", "fuzz/none", "fuzz/empty",
		"/etc/passwd", "../fuzz", "fuzz/../small",
	};
	struct bufalloc_load_firmware load = {
		.size = SIZED(load, args[3]),
		.fd = run_fd(run, args[0]),
		.offset = args[1],
		.name = args[2] < 8 ? (uintptr_t)names[args[2]] : args[2],
	};

	if (load.size > sizeof(load)) {
		load.size = sizeof(load);
	}
	return ioctl(run->node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &load);
}

long
op_buffer_info(struct run *run, const uint64_t *args)
{
	union {
		struct bufalloc_buffer_info info;
		uint8_t room[ROOM];
	} data = { .info = {
		.size = SIZED(struct bufalloc_buffer_info, args[2]),
		.flags = (uint32_t)args[1],
		.fd = run_fd(run, args[0]),
	} };

	return ioctl(run->node, BUFALLOC_IOCTL_BUFFER_INFO, &data);
}

/* Any number, any size, bytes that mean nothing, one value somewhere. */
long
op_raw(struct run *run, const uint64_t *args)
{
	static _Alignas(8) uint8_t data[2 * ROOM];
	uint32_t size = (uint32_t)args[1];

	memset(data, (int)args[2], sizeof(data));
	memcpy(data, &size, sizeof(size));
	if (args[3] > 0) {
		memcpy(data + args[3] % ROOM, &args[4], sizeof(args[4]));
	}
	if (ioctl(run->node, _IO(BUFALLOC_IOC_TYPE, args[0]), data) != 0) {
		return -1;
	}
	if (args[0] == BUFALLOC_CMD_ALLOC) {
		return run_made_fd(run, ((struct bufalloc_alloc *)data)->out_fd);
	}
	if (args[0] == BUFALLOC_CMD_IMPORT_USER) {
		return run_made_fd(run, ((struct bufalloc_import_user *)data)->out_fd);
	}
	return 0;
}
