// SPDX-License-Identifier: MIT
/*
 * Nobody takes more memory than a memory cgroup lets them have, whatever they take
 * it by; where the kernel cannot charge a cgroup, than contig_limit_bytes. Who is
 * refused or killed for it is who took it, and nobody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xf86drm.h>

#include "cgroup.h"
#include "user.h"

static const unsigned long long MIB = 1 << 20;

#define LIMIT (64 * MIB)
/* Who gets that far is not held by it. */
#define FAR (160 * MIB)

/* What is less free besides: pages that each processor keeps, the kernel's own. */
#define SLACK (24 * MIB)

/* What the others of a row hold. */
#define OTHERS (16 * MIB)

/*
 * What a taker has, as it tells while it takes: it may be killed at any moment.
 * For each step, what was free then at least.
 */
struct taken {
	unsigned long long bytes;
	unsigned long long least_free;
	int error;
};

static struct taken *
new_taken(void)
{
	struct taken *taken =
		user_anonymous(sizeof(*taken), MAP_SHARED | MAP_POPULATE);

	taken->least_free = UINT64_MAX;
	return taken;
}

static unsigned long long
free_bytes(void)
{
	struct sysinfo info;

	CHECK_EQ(sysinfo(&info), 0);
	return (unsigned long long)info.freeram * info.mem_unit;
}

/* Take @step bytes once more, for good: false and errno if that is refused. */
struct way {
	unsigned long long step;
	bool (*take)(int node, unsigned long long step);
};

static bool
system_heap(int node, unsigned long long step)
{
	return ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, step) >= 0;
}

static bool
with_attributes(int node, unsigned long long step, uint64_t attributes)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = step,
		.heap = BUFALLOC_HEAP_SYSTEM,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.attributes = attributes,
		.required = attributes,
	};

	return ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc) == 0;
}

static bool
pinnable(int node, unsigned long long step)
{
	return with_attributes(node, step, BUFALLOC_ATTRIBUTE_PINNABLE);
}

static bool
write_combined(int node, unsigned long long step)
{
	return with_attributes(node, step, BUFALLOC_ATTRIBUTE_WRITE_COMBINE);
}

static bool
never_mapped(int node, unsigned long long step)
{
	return with_attributes(node, step, BUFALLOC_ATTRIBUTE_NEVER_CPU);
}

/* What the import touches is the process's; it forgets it, the buffer does not. */
static bool
import_of(int node, void *memory, unsigned long long step)
{
	bool taken = memory != MAP_FAILED &&
		     user_try_import(node, memory, step, 0) >= 0;
	int error = errno;

	munmap(memory, step);
	errno = error;
	return taken;
}

static bool
anonymous(int node, unsigned long long step)
{
	return import_of(node,
			 mmap(NULL, step, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			 step);
}

static bool
memfd(int node, unsigned long long step)
{
	int file = user_memfd(step, 0);
	bool taken = import_of(node,
			       mmap(NULL, step, PROT_READ | PROT_WRITE,
				    MAP_SHARED, file, 0),
			       step);
	int error = errno;

	close(file);
	errno = error;
	return taken;
}

/*
 * One buffer and more and more importers: each has a table of it, with an entry of
 * 32 bytes for each page.
 */
#define SCATTERED (32 * MIB)
#define TABLE (SCATTERED / PAGE * 32)

static bool
importers(int node, unsigned long long step)
{
	static int fd = -1;
	uint32_t handle;
	int card;

	(void)step;
	if (fd < 0) {
		fd = user_try_import(node, user_scattered(SCATTERED), SCATTERED,
				     0);
	}
	card = drm_open_driver("vgem");
	return fd >= 0 && drmPrimeFDToHandle(card, fd, &handle) == 0;
}

/* Until it is refused; then the taker waits, for its killer. */
static void __attribute__((noreturn))
take_all(int node, const struct way *way, struct taken *taken, int ready)
{
	const struct rlimit files = { 100000, 100000 };

	setrlimit(RLIMIT_NOFILE, &files);
	while (taken->bytes < FAR) {
		unsigned long long now;

		if (!way->take(node, way->step)) {
			taken->error = errno;
			break;
		}
		taken->bytes += way->step;
		now = free_bytes();
		if (now < taken->least_free) {
			taken->least_free = now;
		}
	}
	(void)!write(ready, "x", 1);
	for (;;) {
		pause();
	}
}

/*
 * Somebody else, with a buffer and memory of its own, who must not notice. It looks
 * when @go is closed, and ends with 0 if all is as it was.
 */
static pid_t
start_other(int node, int *go)
{
	int ready[2], end[2];
	pid_t child;
	char byte;

	CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(end, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		uint8_t *own = user_anonymous(OTHERS, MAP_PRIVATE);
		uint8_t *data = ba_map(ba_alloc(node, BUFALLOC_HEAP_SYSTEM,
						OTHERS),
				       OTHERS);

		close(end[1]);
		pattern_fill(own, OTHERS);
		pattern_fill(data, OTHERS);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		CHECK_EQ(read(end[0], &byte, 1), 0);
		CHECK_EQ(pattern_mismatch(own, OTHERS), OTHERS);
		CHECK_EQ(pattern_mismatch(data, OTHERS), OTHERS);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(end[0]);
	*go = end[1];
	return child;
}

/* Processes that the kernel killed for memory, in all the machine. */
static unsigned long long
killed_for_memory(void)
{
	FILE *file = fopen("/proc/vmstat", "re");
	unsigned long long value, found = 0;
	char word[64];

	CHECK(file != NULL);
	while (fscanf(file, "%63s %llu", word, &value) == 2) {
		if (strcmp(word, "oom_kill") == 0) {
			found = value;
		}
	}
	fclose(file);
	return found;
}

/*
 * A process in a cgroup of 64 MiB takes what it can get. @may_be_killed: else it
 * must see an ENOMEM.
 */
static void
check_way(const struct way *way, bool may_be_killed)
{
	unsigned long long killed = killed_for_memory(), before, used;
	struct taken *taken = new_taken();
	int node = ba_open();
	pid_t taker, other;
	int ready[2], go;
	int status;
	char byte;

	cgroup_make("67108864");
	other = start_other(node, &go);
	CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
	before = free_bytes();
	taker = fork();
	if (taker == 0) {
		close(ready[0]);
		close(go);
		cgroup_enter();
		take_all(node, way, taken, ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		used = cgroup_read("memory.current");
		kill(taker, SIGKILL);
	} else {
		used = 0;
	}
	CHECK_EQ(waitpid(taker, &status, 0), taker);
	close(go);
	CHECK_EQ(waitpid(other, &status, 0), other);
	CHECK_EQ(status, 0);
	/* It was one of the cgroup, if anybody. */
	CHECK_EQ(killed_for_memory() - killed,
		 cgroup_read_line("memory.events", "oom_kill"));
	cgroup_remove();
	close(node);
	close(ready[0]);

	ktest_note("%llu MiB taken, %lld MiB less free, then %s",
		   taken->bytes / MIB,
		   (long long)(before - taken->least_free) / (long long)MIB,
		   used ? strerrorname_np(taken->error) : "killed");
	CHECK(taken->bytes <= LIMIT);
	CHECK(before <= taken->least_free + LIMIT + SLACK);
	/* Most of what it may have: nothing else refused it. */
	CHECK(taken->bytes >= LIMIT / 4);
	if (!may_be_killed) {
		CHECK(used > 0);
	}
	if (used > 0) {
		CHECK_EQ(taken->error, ENOMEM);
		CHECK(used <= LIMIT);
	}
	munmap(taken, sizeof(*taken));
}

static void
check_heap(bool (*take)(int node, unsigned long long step))
{
	const struct way way = { MIB, take };

	check_way(&way, false);
}

static void
system_enomem(void)
{
	check_heap(system_heap);
}

static void
pinnable_enomem(void)
{
	check_heap(pinnable);
}

static void
write_combined_enomem(void)
{
	check_heap(write_combined);
}

static void
never_mapped_enomem(void)
{
	check_heap(never_mapped);
}

static void
imported_memory(void)
{
	const struct way way = { MIB, anonymous };

	check_way(&way, true);
}

static void
imported_memfd(void)
{
	const struct way way = { MIB, memfd };

	check_way(&way, true);
}

static void
tables_of_importers(void)
{
	const struct way way = { TABLE, importers };

	check_way(&way, true);
}

/* --- What no cgroup sees: contiguous and reserved memory. */

#define SOMEBODY 4321

/* A process of that user's, which takes from that heap until it is refused. */
static pid_t
start_user(int node, uint32_t heap, struct taken *taken, int ready, int go)
{
	pid_t child = fork();

	if (child == 0) {
		char byte;
		int fd;

		CHECK_EQ(syscall(SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY), 0);
		while ((fd = ba_try_alloc(node, heap, MIB)) >= 0) {
			taken->bytes += MIB;
		}
		taken->error = errno;
		CHECK_EQ(write(ready, "x", 1), 1);
		CHECK_EQ(read(go, &byte, 1), 0);
		_exit(0);
	}
	return child;
}

#define PROCESSES 3

/* That much and no more, whatever the number of processes; root has its own. */
static void
take_as_user(int node, uint32_t heap, unsigned long long limit)
{
	struct taken *taken[PROCESSES];
	unsigned long long sum = 0;
	pid_t child[PROCESSES];
	int ready[2], go[2];
	char byte;

	CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(go, O_CLOEXEC), 0);
	for (int i = 0; i < PROCESSES; i++) {
		taken[i] = new_taken();
		child[i] = fork();
		if (child[i] == 0) {
			int status;
			pid_t user;

			close(go[1]);
			user = start_user(node, heap, taken[i], ready[1], go[0]);
			CHECK_EQ(waitpid(user, &status, 0), user);
			_exit(status != 0);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		CHECK_EQ(read(ready[0], &byte, 1), 1);
	}
	close(ba_alloc(node, heap, MIB));
	close(go[1]);
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		CHECK_EQ(waitpid(child[i], &status, 0), child[i]);
		CHECK_EQ(status, 0);
		CHECK_EQ(taken[i]->error, EDQUOT);
		sum += taken[i]->bytes;
		munmap(taken[i], sizeof(*taken[i]));
	}
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	CHECK_EQ(sum, limit);
	CHECK_WITHIN_1S(ba_live("accounts") == 0);
}

static void
check_user_limit(uint32_t heap, unsigned long long limit)
{
	unsigned long long old = ba_get_parameter("contig_limit_bytes");
	struct bufalloc_info info = { .size = sizeof(info) };
	int node = ba_open();
	pid_t child;
	int status;

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	if (!(info.out_heaps & 1U << heap)) {
		close(node);
		ktest_skip("no such heap here");
	}
	ba_set_parameter("contig_limit_bytes", limit);
	/* Twice: it was given back. In a child, so that the limit is set back. */
	child = fork();
	if (child == 0) {
		take_as_user(node, heap, limit);
		take_as_user(node, heap, limit);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	ba_set_parameter("contig_limit_bytes", old);
	close(node);
	CHECK_EQ(status, 0);
}

static void
contig_edquot(void)
{
	check_user_limit(BUFALLOC_HEAP_CONTIG, LIMIT);
}

static void
reserved_edquot(void)
{
	check_user_limit(BUFALLOC_HEAP_RESERVED, 16 * MIB);
}

static const struct ktest_row rows[] = {
	{ "system-enomem", system_enomem },
	{ "system-pinnable-enomem", pinnable_enomem },
	{ "system-write-combined-enomem", write_combined_enomem },
	{ "system-never-cpu-enomem", never_mapped_enomem },
	{ "imported-memory", imported_memory },
	{ "imported-memfd", imported_memfd },
	{ "tables-of-importers", tables_of_importers },
	{ "contig-of-all-a-user-s-processes-edquot", contig_edquot },
	{ "reserved-of-all-a-user-s-processes-edquot", reserved_edquot },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
