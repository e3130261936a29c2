/* SPDX-License-Identifier: MIT */
/*
 * fragment: fragment the machine's memory as its use does, say how fragmented
 * it is, and keep it so while a command runs, or until standard input ends.
 *
 * What happens is decided by the level and the seed alone. It works with the
 * kinds of pages that real programs leave behind:
 *
 *   cache      pages of a file, which can be moved and dropped
 *   anon       a process's own memory, which can be moved
 *   pipe       data in a pipe (network buffers and drivers' memory behave so):
 *              cannot be moved
 *   table      page tables: cannot be moved
 *   inode      inodes and directory entries, here of memfds: cannot be moved
 *   pinned     cache and anon pages that a pipe holds a reference to (splice,
 *              vmsplice): look as if they could be moved
 *
 * Memory is in use for a while first (churn), then more of it is taken by what
 * cannot be moved (burst), of which a part stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define PAGE ((size_t)4096)
#define MIB ((uint64_t)1 << 20)
#define FRAME ((uint64_t)8294400)
#define PIPE_PAGES 256u

/* In percent of the memory that was available, except where said. */
struct level {
	const char *name;
	/* Of what churn allocates: these parts; the rest is cache. */
	unsigned int anon, unmovable;
	/* How much anon is left at the end. */
	unsigned int anon_left;
	/* The burst of what cannot be moved, and one page of how many stays. */
	unsigned int burst, keep;
	/* Pinned pages for each GiB of memory. */
	unsigned int pinned;
};

static const struct level levels[] = {
	{ "mild", 35, 0, 25, 0, 1, 0 },
	{ "mixed", 35, 3, 25, 12, 16, 8 },
	{ "pinned", 35, 3, 50, 12, 16, 2000 },
	{ "hard", 35, 3, 25, 80, 64, 8 },
};

static const struct level *level;
/* Bytes that were available at the start; what cannot be moved, not in CMA. */
static uint64_t memory, ordinary;
static int cache_fd = -1;
static uint64_t cache_length;

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	fprintf(stderr, "fragment: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(error));
	va_end(args);
	exit(2);
}

/* xorshift64*: the same everywhere, whatever the C library. */
static uint64_t random_state;

static uint64_t
random_below(uint64_t end)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull >> 11) % end;
}

static void *
grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0) {
		array = realloc(array, (count == 0 ? 1 : 2 * count) * size);
		if (array == NULL) {
			die("realloc");
		}
	}
	return array;
}

/* Memory of this process, in pieces that come and go. */
struct piece {
	char *data;
	size_t length;
};

static struct piece *pieces;
static size_t piece_count;
static uint64_t anon_bytes;

static void
anon_add(void)
{
	size_t length = PAGE << random_below(9);
	char *data = mmap(NULL, length, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED) {
		die("mmap");
	}
	for (size_t at = 0; at < length; at += PAGE) {
		data[at] = 1;
	}
	pieces = grow(pieces, piece_count, sizeof(*pieces));
	pieces[piece_count++] = (struct piece){ data, length };
	anon_bytes += length;
}

static void
anon_drop(void)
{
	size_t i = random_below(piece_count);

	munmap(pieces[i].data, pieces[i].length);
	anon_bytes -= pieces[i].length;
	pieces[i] = pieces[--piece_count];
}

/* Some pages of the file, from anywhere in it. */
static void
cache_add(void)
{
	static char buffer[64 * 4096];
	size_t length = PAGE << random_below(7);
	uint64_t at;

	if (cache_fd < 0 || cache_length < sizeof(buffer)) {
		return;
	}
	at = random_below((cache_length - length) / PAGE) * PAGE;
	if (pread(cache_fd, buffer, length, (off_t)at) < 0) {
		die("reading the file");
	}
}

/* Pipes, to which pages are added one at a time; and how many each has. */
struct pipe_pages {
	int fds[2];
	unsigned int pages;
};

struct pipes {
	struct pipe_pages *all;
	size_t count;
	size_t pages;
};

static void
pipe_open(struct pipes *pipes)
{
	struct pipe_pages *new;

	pipes->all = grow(pipes->all, pipes->count, sizeof(*pipes->all));
	new = &pipes->all[pipes->count++];
	new->pages = 0;
	if (pipe2(new->fds, O_CLOEXEC | O_NONBLOCK) != 0 ||
	    fcntl(new->fds[0], F_SETPIPE_SZ, (int)(PIPE_PAGES * PAGE)) < 0) {
		die("pipe (as root, with fs.pipe-max-size of 1 MiB or more)");
	}
}

static void
pipe_close(struct pipes *pipes, size_t i)
{
	close(pipes->all[i].fds[0]);
	close(pipes->all[i].fds[1]);
	pipes->pages -= pipes->all[i].pages;
	pipes->all[i] = pipes->all[--pipes->count];
}

static bool
pipe_add(struct pipes *pipes, size_t i)
{
	static const char page[4096];
	struct pipe_pages *pipe = &pipes->all[i];

	if (pipe->pages == PIPE_PAGES ||
	    write(pipe->fds[1], page, PAGE) != (ssize_t)PAGE) {
		return false;
	}
	pipe->pages++;
	pipes->pages++;
	return true;
}

/* A page table and a page: touched in a range that needs a table of its own. */
static char *tables;
static size_t table_count, table_max;

static void
table_add(void)
{
	if (tables == NULL) {
		table_max = 4096;
		tables = mmap(NULL, table_max * 2 * MIB, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (tables == MAP_FAILED) {
			die("mmap");
		}
		madvise(tables, table_max * 2 * MIB, MADV_NOHUGEPAGE);
	}
	if (table_count < table_max) {
		tables[table_count++ * 2 * MIB] = 1;
	}
}

static int *inodes;
static size_t inode_count;

static void
inode_add(void)
{
	int fd = memfd_create("fragment", MFD_CLOEXEC);

	if (fd < 0) {
		die("memfd_create");
	}
	inodes = grow(inodes, inode_count, sizeof(*inodes));
	inodes[inode_count++] = fd;
}

static void
inode_drop(void)
{
	size_t i = random_below(inode_count);

	close(inodes[i]);
	inodes[i] = inodes[--inode_count];
}

/* Something that cannot be moved, of what a system has at any time. */
static struct pipes churn_pipes;

static void
unmovable_add(void)
{
	switch (random_below(4)) {
	case 0:
		table_add();
		break;
	case 1:
		for (int i = 0; i < 16; i++) {
			inode_add();
		}
		if (inode_count > 4096) {
			for (int i = 0; i < 16; i++) {
				inode_drop();
			}
		}
		break;
	default:
		if (churn_pipes.count == 0 || random_below(8) == 0) {
			pipe_open(&churn_pipes);
		}
		for (int i = 0; i < 16; i++) {
			pipe_add(&churn_pipes, churn_pipes.count - 1);
		}
		if (churn_pipes.count > 64) {
			pipe_close(&churn_pipes, random_below(churn_pipes.count));
		}
		break;
	}
}

/* Programs start and end, files are read, until all memory was in use twice. */
static void
churn(void)
{
	uint64_t high = memory / 100 * (level->anon_left + 20);
	uint64_t steps = memory / (128 << 10) * 2;

	for (uint64_t i = 0; i < steps; i++) {
		uint64_t what = random_below(100);

		if (what < level->anon) {
			anon_add();
			while (anon_bytes > high) {
				anon_drop();
			}
		} else if (what < level->anon + level->unmovable) {
			unmovable_add();
		} else {
			cache_add();
		}
	}
}

/*
 * Each page goes to a pipe of its own choice, so that of neighbours one stays
 * and the others go. Between them the rest of the system goes on.
 */
static struct pipes burst_pipes;

static void
burst(void)
{
	uint64_t pages = ordinary / 100 * level->burst / PAGE;
	size_t pipes = pages / PIPE_PAGES * 9 / 8 + 1, kept;

	if (pages == 0) {
		return;
	}
	for (size_t i = 0; i < pipes; i++) {
		pipe_open(&burst_pipes);
	}
	for (uint64_t page = 0; page < pages;) {
		page += pipe_add(&burst_pipes, random_below(pipes));
		if (page % 64 == 0) {
			cache_add();
			while (anon_bytes > memory / 100 * level->anon_left / 2) {
				anon_drop();
			}
		}
	}
	/* Any of them: the pages are where they are by chance already. */
	kept = pipes / level->keep + 1;
	while (burst_pipes.count > kept) {
		pipe_close(&burst_pipes, burst_pipes.count - 1);
	}
}

/* A reference to a page that can otherwise be moved. */
static struct pipes pins;

static void
pin(void)
{
	struct pipe_pages *to;

	if (pins.count == 0 || pins.all[pins.count - 1].pages == PIPE_PAGES) {
		pipe_open(&pins);
	}
	to = &pins.all[pins.count - 1];
	if (random_below(2) == 0 && cache_fd >= 0) {
		loff_t at = (loff_t)(random_below(cache_length / PAGE) * PAGE);

		if (splice(cache_fd, &at, to->fds[1], NULL, PAGE, 0) < 0) {
			die("splice");
		}
	} else if (piece_count > 0) {
		struct iovec page = { pieces[random_below(piece_count)].data,
				      PAGE };

		if (vmsplice(to->fds[1], &page, 1, 0) < 0) {
			die("vmsplice");
		}
	}
	to->pages++;
}

static void
fragment(void)
{
	churn();
	burst();
	for (uint64_t i = 0; anon_bytes < memory / 100 * level->anon_left; i++) {
		anon_add();
	}
	while (anon_bytes > memory / 100 * level->anon_left) {
		anon_drop();
	}
	for (uint64_t i = 0; i < level->pinned * memory >> 30; i++) {
		pin();
	}
}

static void
show(const char *when)
{
	struct measure measure;
	int ret = measure_memory(&measure, FRAME);

	if (ret != 0) {
		errno = -ret;
		die("measuring");
	}
	printf("# %s: %llu MiB free, %llu MiB available, unusable for order 9: "
	       "%.0f %%; of %llu blocks of 2 MiB %llu cannot be emptied, room "
	       "for %llu ranges of %llu bytes\n", when,
	       (unsigned long long)(measure.free / MIB),
	       (unsigned long long)(measure.available / MIB),
	       100 * measure_unusable(&measure, 9),
	       (unsigned long long)measure.all, (unsigned long long)measure.stuck,
	       (unsigned long long)measure.ranges, (unsigned long long)FRAME);
	fflush(stdout);
}

static void
usage(FILE *to)
{
	fprintf(to,
		"usage: fragment [--level mild|mixed|pinned|hard] [--seed N] [--file PATH]\n"
		"                [-- COMMAND [ARGUMENT...]]\n"
		"\n"
		"Fragments the memory of this machine, prints how fragmented it is, and keeps\n"
		"it so while COMMAND runs or until standard input ends. As root.\n"
		"\n"
		"  --level   mild: files and programs; mixed (default): and what cannot be\n"
		"            moved, as much as a busy system has; pinned: and pages that look\n"
		"            as if they could be moved, in nearly every 2 MiB; hard: one that\n"
		"            cannot be moved in nearly every 2 MiB\n"
		"  --seed    of the random numbers (1)\n"
		"  --file    a file or block device, larger than the memory, whose pages fill\n"
		"            the page cache; without it no file is read\n"
		"  --measure only print how fragmented the memory is\n");
}

static void
open_cache(const char *path)
{
	off_t length;

	cache_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (cache_fd < 0) {
		die("%s", path);
	}
	length = lseek(cache_fd, 0, SEEK_END);
	if (length < (off_t)MIB) {
		errno = EINVAL;
		die("%s has less than 1 MiB", path);
	}
	cache_length = (uint64_t)length;
}

static const struct level *
find_level(const char *name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			return &levels[i];
		}
	}
	return NULL;
}

static int
run(char **command)
{
	int status = 0;
	pid_t pid;

	if (command[0] == NULL) {
		char byte;

		printf("# ready\n");
		fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) > 0) {
		}
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		execvp(command[0], command);
		die("%s", command[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		die("running %s", command[0]);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "level", required_argument, NULL, 'l' },
		{ "seed", required_argument, NULL, 's' },
		{ "file", required_argument, NULL, 'f' },
		{ "measure", no_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct rlimit files = { 1 << 16, 1 << 16 };
	struct measure before;
	int option;

	level = find_level("mixed");
	random_state = 1;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'l':
			level = find_level(optarg);
			break;
		case 's':
			random_state = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			open_cache(optarg);
			break;
		case 'm':
			show("now");
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (level == NULL || random_state == 0) {
		fprintf(stderr, "fragment: no such level, or seed 0\n");
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	if (measure_memory(&before, FRAME) != 0) {
		die("measuring (as root)");
	}
	memory = before.available;
	ordinary = memory - before.cma_total;
	show("before");
	fragment();
	show(level->name);
	return run(argv + optind);
}
