// SPDX-License-Identifier: MIT
/*
 * A request for 20 GiB ends within a second of SIGKILL, whatever it has got by then:
 * from the signal until the process is gone, its memory given back.
 *
 * The guest has that much memory, or the request would be refused at once; but its
 * host may not. So a memory cgroup of 4 GiB is around it: a request that is not
 * stopped goes on for as long as it takes to clear those.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "user.h"

static const uint64_t GIB = 1 << 30;

/* How long it has been at it when it is killed. */
static const unsigned int killed_after_ms[] = { 1, 20, 100, 300, 600, 1000 };
#define KILLS (sizeof(killed_after_ms) / sizeof(killed_after_ms[0]))

static double slowest;

/* Ask; what comes of it does not matter. */
typedef void (*request_fn)(int node);

/* From the signal until waitpid() returns, in seconds. */
static double
kill_during(request_fn request, unsigned int after_ms)
{
	int node = ba_open();
	int ready[2];
	double start, took;
	int status;
	pid_t child;
	char byte;

	CHECK_EQ(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		cgroup_enter();
		CHECK_EQ(write(ready[1], "x", 1), 1);
		for (;;) {
			request(node);
		}
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	start = ktest_now();
	while (ktest_now() < start + after_ms / 1e3) {
		ktest_pause_1ms();
	}
	start = ktest_now();
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	took = ktest_now() - start;
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(node);
	return took;
}

static void
check_request(request_fn request)
{
	struct sysinfo info;
	double worst = 0;

	CHECK_EQ(sysinfo(&info), 0);
	if ((uint64_t)info.totalram * info.mem_unit < 20 * GIB) {
		ktest_skip("a guest with less than 20 GiB of memory");
	}
	for (size_t i = 0; i < KILLS; i++) {
		double took;

		cgroup_make("4G");
		took = kill_during(request, killed_after_ms[i]);
		cgroup_remove();
		CHECK_WITHIN_1S(ba_live("buffers") == 0);
		worst = took > worst ? took : worst;
	}
	ktest_note("gone %.3f s after the signal at the latest", worst);
	CHECK(worst < 1);
	slowest = worst > slowest ? worst : slowest;
}

static void
request_system(int node)
{
	ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, 20 * GIB);
}

static void
system_heap(void)
{
	check_request(request_system);
}

static void
request_pinnable(int node)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = 20 * GIB,
		.heap = BUFALLOC_HEAP_SYSTEM,
		.attributes = BUFALLOC_ATTRIBUTE_PINNABLE,
	};

	(void)!ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc);
}

static void
pinnable(void)
{
	check_request(request_pinnable);
}

static void
request_import(int node)
{
	static void *memory;

	if (memory == NULL) {
		memory = mmap(NULL, 20 * GIB, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			      0);
		CHECK(memory != MAP_FAILED);
	}
	user_try_import(node, memory, 20 * GIB, 0);
}

static void
imported(void)
{
	check_request(request_import);
}

/* There is no range of 20 GiB; of this there is one, and it is cleared. */
static void
request_contig(int node)
{
	int fd = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, GIB + GIB / 4);

	if (fd >= 0) {
		close(fd);
	}
}

static void
contig(void)
{
	check_request(request_contig);
}

static void
figure(void)
{
	ktest_figure("kill_of_20_gib_ms", (double)(int)(slowest * 1000));
}

static const struct ktest_row rows[] = {
	{ "system-of-20-gib", system_heap },
	{ "system-pinnable-of-20-gib", pinnable },
	{ "import-of-20-gib", imported },
	{ "contig-of-what-there-is", contig },
	{ "the-slowest", figure },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
