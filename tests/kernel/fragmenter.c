// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fragmenter.h"
#include "ktest.h"

/* Pass on what it prints, until it says that it is ready. */
static bool
wait_until_ready(int fd)
{
	FILE *lines = fdopen(fd, "re");
	bool ready = false;
	char line[512];

	CHECK(lines != NULL);
	while (!ready && fgets(line, sizeof(line), lines) != NULL) {
		ready = strcmp(line, "# ready\n") == 0;
		if (!ready) {
			printf("%s", line);
		}
	}
	fclose(lines);
	return ready;
}

struct fragmenter
fragmenter_start(const char *level)
{
	const char *file = getenv("FRAGMENT_FILE");
	struct fragmenter fragmenter;
	char path[PATH_MAX];
	int in[2], out[2];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);

	CHECK(n > 0);
	CHECK(file != NULL);
	path[n] = '\0';
	strcpy(strrchr(path, '/'), "/../fragment/fragment");
	CHECK_EQ(pipe2(in, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(out, O_CLOEXEC), 0);
	fragmenter.pid = fork();
	CHECK(fragmenter.pid >= 0);
	if (fragmenter.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(path, path, "--level", level, "--file", file, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	fragmenter.stdin_fd = in[1];
	CHECK(wait_until_ready(out[0]));
	return fragmenter;
}

void
fragmenter_stop(struct fragmenter *fragmenter)
{
	int status;

	close(fragmenter->stdin_fd);
	CHECK_EQ(waitpid(fragmenter->pid, &status, 0), fragmenter->pid);
	CHECK_EQ(status, 0);
}
