// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"
#include "modules/ba_faults.h"
#include "user.h"

#define DEBUG "/sys/kernel/debug/"
#define LIVE DEBUG "bufalloc/live"
#define KMEMLEAK DEBUG "kmemleak"
/* In the guest's memory: gone when it stops. */
#define TOTALS "/tmp/ba-faults-totals"
#define PAGES DEBUG "page_owner_stacks/show_stacks"

/* Points of one operation. More are a loop. */
#define CAP 20000
#define MAX_FDS 64

static const struct {
	const char *name;
	unsigned long begin;
} ways[] = {
	{ "once", BA_FAULTS_ONCE },
	{ "forever", BA_FAULTS_FOREVER },
};

static unsigned int points[2], leaks;

/* What must be as it was. A number that is taken has no file, perhaps. */
struct state {
	bool fds[MAX_FDS];
	int next_fd;
	long long pins;
	char live[512];
};

static void
read_state(struct state *state)
{
	int fd;

	memset(state, 0, sizeof(*state));
	for (int i = 0; i < MAX_FDS; i++) {
		state->fds[i] = fcntl(i, F_GETFD) >= 0;
	}
	state->next_fd = dup(STDOUT_FILENO);
	close(state->next_fd);
	state->pins = user_pins();
	/* The module need not be loaded. */
	fd = open(LIVE, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		CHECK(read(fd, state->live, sizeof(state->live) - 1) > 0);
		close(fd);
	}
}

/* fput() is asynchronous. */
static bool
is_state(const struct state *before)
{
	for (int try = 0; try < 1000; try++) {
		struct state now;

		read_state(&now);
		if (memcmp(&now, before, sizeof(now)) == 0) {
			return true;
		}
		ktest_pause_1ms();
	}
	return false;
}

/* All allocations count, whoever can wait for memory and whatever order it has. */
static void
set_up(void)
{
	static const char *const settings[][2] = {
		{ DEBUG "failslab/ignore-gfp-wait", "N" },
		{ DEBUG "failslab/verbose", "0" },
		{ DEBUG "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUG "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUG "fail_page_alloc/min-order", "0" },
		{ DEBUG "fail_page_alloc/verbose", "0" },
		{ DEBUG "fail_usercopy/verbose", "0" },
	};

	if (access("/dev/ba_faults", F_OK) != 0) {
		ktest_skip("this kernel has no fault injection");
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		CHECK(ktest_put(settings[i][0], settings[i][1], 0));
	}
}

int
faults_errno(long ret)
{
	return ret == -1 ? errno : 0;
}

void
faults_close(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
}

static bool
is_documented(const struct faults_op *op, int error)
{
	for (int i = 0; i < FAULTS_ERRNOS; i++) {
		if (error == op->errnos[i]) {
			return true;
		}
	}
	return error == 0;
}

/* One run with a fault at the Nth point. Returns the number of faults. */
static int
run_once(const struct faults_op *op, int faults, int way, unsigned int n,
	 bool *failed)
{
	int fired, error;

	if (op->prepare != NULL) {
		op->prepare();
	}
	if (ioctl(faults, ways[way].begin, n) != 0) {
		CHECK(false);
	}
	error = op->run();
	fired = ioctl(faults, BA_FAULTS_END);
	CHECK(fired >= 0);
	if (op->undo != NULL) {
		op->undo();
	}
	if (fired == 0 ? error != 0 : !is_documented(op, error)) {
		errno = error;
		ktest_note("%s, point %u %s: errno %s", op->name, n,
			   ways[way].name, ktest_errno_name());
		*failed = true;
	}
	return fired;
}

static void
sweep(const struct faults_op *op, int faults, int way, bool *failed)
{
	struct state before;
	unsigned int n = 0;
	int fired;

	read_state(&before);
	do {
		n++;
		CHECK(n < CAP);
		fired = run_once(op, faults, way, n, failed);
		if (!is_state(&before)) {
			leaks++;
			ktest_fail(__FILE__, __LINE__,
				   "%s, point %u %s: something of it is left",
				   op->name, n, ways[way].name);
		}
	} while (fired > 0);
	points[way] += n - 1;
	ktest_note("%s: %u points failed %s", op->name, n - 1, ways[way].name);
}

void
faults_sweep(const struct faults_op *op)
{
	bool failed = false;
	int faults;

	set_up();
	faults = open("/dev/ba_faults", O_RDWR | O_CLOEXEC);
	CHECK(faults >= 0);
	for (int way = 0; way < 2; way++) {
		sweep(op, faults, way, &failed);
	}
	close(faults);
	CHECK(!failed);
}

/*
 * Is that part of a file about memory of our modules'? Not about pages of the slab
 * allocator's, which keeps them for others, nor of page tables and shadow memory.
 */
static bool
is_ours(const char *part)
{
	static const char *const modules[] = { "[bufalloc]", "[bufalloc_v4l2]",
					       "[bufalloc_drm]" };
	static const char *const others[] = { "allocate_slab", "kasan_", "pte_alloc",
					      "dma_pte", "stack_depot",
					      "change_page_attr" };
	bool ours = false;

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		ours = ours || strstr(part, modules[i]) != NULL;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ours = ours && strstr(part, others[i]) == NULL;
	}
	return ours;
}

/* Print those parts; the first line of each begins with @begin. */
static unsigned int
print_ours(const char *path, const char *begin)
{
	FILE *file = fopen(path, "re");
	char part[8192] = "", line[512];
	unsigned int count = 0;
	size_t length = 0;

	CHECK(file != NULL);
	for (;;) {
		char *got = fgets(line, sizeof(line), file);

		if (got == NULL || strncmp(line, begin, strlen(begin)) == 0) {
			if (is_ours(part)) {
				printf("%s", part);
				count++;
			}
			part[0] = '\0';
			length = 0;
		}
		if (got == NULL) {
			break;
		}
		if (length + strlen(line) + 3 < sizeof(part)) {
			length += (size_t)sprintf(part + length, "# %s", line);
		}
	}
	fclose(file);
	return count;
}

void
faults_check_leaks(void)
{
	unsigned int found;

	if (access(KMEMLEAK, W_OK) != 0) {
		ktest_skip("this kernel does not look for leaks");
	}
	/* kmemleak leaves alone what is younger than 5 s, and wants two scans. */
	nanosleep(&(struct timespec){ .tv_sec = 5, .tv_nsec = 100000000 }, NULL);
	CHECK(ktest_put(KMEMLEAK, "scan", 0));
	CHECK(ktest_put(KMEMLEAK, "scan", 0));
	found = print_ours(KMEMLEAK, "unreferenced object");
	/* Pages have no owner where nobody asked for it by page_owner=on. */
	CHECK_EQ(access(PAGES, R_OK), 0);
	found += print_ours(PAGES, "\n");
	leaks += found;
	CHECK_EQ(found, 0);
}

void
faults_keep(void)
{
	FILE *file = fopen(TOTALS, "ae");

	CHECK(file != NULL);
	fprintf(file, "%u %u %u\n", points[0], points[1], leaks);
	CHECK_EQ(fclose(file), 0);
}

void
faults_report(void)
{
	unsigned int sums[3] = { 0, 0, 0 }, parts[3];
	FILE *file = fopen(TOTALS, "re");

	/* Only some rows were asked for. */
	if (file == NULL) {
		return;
	}
	while (fscanf(file, "%u %u %u", &parts[0], &parts[1], &parts[2]) == 3) {
		for (int i = 0; i < 3; i++) {
			sums[i] += parts[i];
		}
	}
	fclose(file);
	/* Numbers, which a kernel that is slow does not change. */
	printf("# figure fault_points_failed_once %u\n", sums[0]);
	printf("# figure fault_points_failed_forever %u\n", sums[1]);
	printf("# figure fault_leaks %u\n", sums[2]);
}
