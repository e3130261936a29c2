// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktest.h"
#include "pages.h"

#define TRACING "/sys/kernel/tracing/"

static const char *const events[] = {
	TRACING "events/kmem/mm_page_alloc/enable",
	TRACING "events/kmem/mm_page_free/enable",
	TRACING "events/kmem/mm_page_free_batched/enable",
};

/* Shared with the process that looks at address space and free memory. */
struct looker {
	volatile int stop;
	volatile unsigned int looks;
	unsigned long long before, free_before;
	volatile unsigned long long peak, least_free;
};

static struct looker *looker;
static pid_t looker_pid;

unsigned long long
pages_vmalloc_bytes(void)
{
	return ba_vmalloc_sum(NULL);
}

/* What /proc/meminfo says is free. */
static unsigned long long
free_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "MemFree: %llu", &kib) == 1) {
			break;
		}
	}
	fclose(file);
	return kib << 10;
}

static void
enable(const char *value)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (!ktest_put(events[i], value, O_TRUNC)) {
			ktest_skip("no tracepoint %s", events[i]);
		}
	}
}

static void
look(void)
{
	while (!looker->stop) {
		unsigned long long now = pages_vmalloc_bytes();

		looker->peak = now > looker->peak ? now : looker->peak;
		now = free_bytes();
		looker->least_free =
			now < looker->least_free ? now : looker->least_free;
		looker->looks++;
	}
	_exit(0);
}

void
pages_begin(void)
{
	char pid[16];

	looker = mmap(NULL, sizeof(*looker), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(looker != MAP_FAILED);
	looker_pid = fork();
	CHECK(looker_pid >= 0);
	if (looker_pid == 0) {
		look();
	}
	CHECK_WITHIN_1S(looker->looks > 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	CHECK(ktest_put(TRACING "set_event_pid", pid, O_TRUNC));
	CHECK(ktest_put(TRACING "buffer_size_kb", "16384", O_TRUNC));
	CHECK(ktest_put(TRACING "trace", "", O_TRUNC));
	enable("1");

	looker->before = pages_vmalloc_bytes();
	looker->peak = 0;
	looker->free_before = free_bytes();
	looker->least_free = looker->free_before;
}

/* Pages of 2^order, allocated or freed, that a line of the trace is about. */
static long long
pages_of(const char *text)
{
	unsigned int order = (unsigned int)trace_value(text, "order");

	if (strstr(text, "mm_page_alloc:") != NULL) {
		return 1ll << order;
	}
	if (strstr(text, "mm_page_free_batched:") != NULL) {
		return -1;
	}
	if (strstr(text, "mm_page_free:") != NULL) {
		return -(1ll << order);
	}
	return 0;
}

static unsigned long long
peak_of_trace(void)
{
	FILE *file = fopen(TRACING "trace", "re");
	long long pages = 0, peak = 0;
	char text[1024];

	CHECK(file != NULL);
	while (fgets(text, sizeof(text), file) != NULL) {
		/* Else this proves nothing. */
		CHECK(strstr(text, "LOST") == NULL);
		pages += pages_of(text);
		peak = pages > peak ? pages : peak;
	}
	fclose(file);
	return (unsigned long long)peak * 4096;
}

struct pages_peak
pages_end(void)
{
	struct pages_peak result;
	int status;

	enable("0");
	looker->stop = 1;
	CHECK_EQ(waitpid(looker_pid, &status, 0), looker_pid);
	result.memory = peak_of_trace();
	result.looks = looker->looks;
	result.address_space = looker->peak > looker->before ?
				       looker->peak - looker->before : 0;
	result.less_free = looker->free_before - looker->least_free;
	ktest_put(TRACING "set_event_pid", "", O_TRUNC);
	ktest_put(TRACING "trace", "", O_TRUNC);
	munmap(looker, sizeof(*looker));
	return result;
}
