/* SPDX-License-Identifier: MIT */
/* bufalloc trace: runs a GStreamer program under the tracer zerocopy. */
#define _GNU_SOURCE /* asprintf, pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define PLUGIN "libgstbufalloc.so"
/* As a shell has it: the program was ended by a signal. */
#define STATUS_SIGNALED 128
#define MAX_PATH 4096

/* The files that were asked for; they point into argv, or are NULL. */
struct files {
	const char *json;
	const char *dot;
	const char *svg;
};

static const char help[] =
	"usage: bufalloc trace [--json FILE] [--dot FILE] [--svg FILE] -- PROGRAM [ARGUMENT]...\n"
	"\n"
	"Run a GStreamer program and show where it copies frames: for each link how many\n"
	"frames, in which memory, whether the CPU touched them; for each element that\n"
	"copies why, how many bytes, and what to do. The table is printed to standard\n"
	"error at the end of the stream and when the program ends.\n"
	"\n"
	"  --json FILE    write the report as JSON\n"
	"  --dot FILE     write a drawing in Graphviz's language\n"
	"  --svg FILE     draw it, what copies in red; needs the program dot\n"
	"  -h, --help     print this text\n"
	"\n"
	"PROGRAM is gst-launch-1.0 or any other that uses GStreamer. Its exit status is\n"
	"that of this command; 128 and the signal's number if a signal ended it.\n"
	"\n"
	"example: bufalloc trace -- gst-launch-1.0 v4l2src num-buffers=100 ! kmssink\n";

static enum tool_exit
parse(struct files *files, int argc, char *argv[], bool *is_help)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "dot", required_argument, NULL, 'd' },
		{ "svg", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char **file;
	int c;

	while ((c = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		if (c == 'h') {
			*is_help = true;
			return TOOL_OK;
		}
		if (c == '?' || c == ':') {
			return tool_option_error(&tool_trace, c, argv);
		}
		file = c == 'j' ? &files->json :
		       c == 'd' ? &files->dot :
				  &files->svg;
		/* ';' ends a tracer's words in GST_TRACERS, '"' a text. */
		if (optarg[0] == '\0' || strpbrk(optarg, ";\"\\") != NULL) {
			return tool_usage_error(
				&tool_trace,
				"'%s' cannot be the name of a report: give one without ; \" and \\",
				optarg);
		}
		*file = optarg;
	}
	if (optind == argc) {
		return tool_usage_error(
			&tool_trace,
			"no program is given: bufalloc trace -- gst-launch-1.0 ...");
	}
	return TOOL_OK;
}

/* Is the plugin in this folder, seen from this command's own? */
static bool
find_plugin(const char *own, const char *folder, char path[MAX_PATH])
{
	char file[MAX_PATH + sizeof(PLUGIN)];
	int len;

	len = snprintf(path, MAX_PATH, "%s/%s", own, folder);
	if (len < 0 || len >= MAX_PATH) {
		return false;
	}
	snprintf(file, sizeof(file), "%s/" PLUGIN, path);
	return access(file, R_OK) == 0;
}

/* Lets GStreamer find the plugin where it lies beside this command: in the build
 * tree, or below the same prefix. Elsewhere GStreamer finds it, or nobody does. */
static void
add_plugin_path(void)
{
	static const char *const folders[] = {
		"../gst-plugin",
		"../lib/gstreamer-1.0",
		"../lib64/gstreamer-1.0",
	};
	const char *old = getenv("GST_PLUGIN_PATH");
	char own[MAX_PATH / 2], path[MAX_PATH], *all = NULL, *slash;
	ssize_t len;
	size_t i;

	len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (len <= 0) {
		return;
	}
	own[len] = '\0';
	slash = strrchr(own, '/');
	*slash = '\0';
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (!find_plugin(own, folders[i], path)) {
			continue;
		}
		if (asprintf(&all, "%s%s%s", old == NULL ? "" : old,
			     old == NULL || old[0] == '\0' ? "" : ":",
			     path) >= 0) {
			setenv("GST_PLUGIN_PATH", all, 1);
			free(all);
		}
		return;
	}
}

/* GST_TRACERS with ours behind those that were there. */
static int
add_tracer(const struct files *files)
{
	const char *old = getenv("GST_TRACERS");
	char *all = NULL;
	int ret;

	ret = asprintf(&all, "%s%szerocopy(file=\"%s\"%s%s%s%s%s%s)",
		       old == NULL ? "" : old,
		       old == NULL || old[0] == '\0' ? "" : ";", files->json,
		       files->dot == NULL ? "" : ",dot=\"",
		       files->dot == NULL ? "" : files->dot,
		       files->dot == NULL ? "" : "\"",
		       files->svg == NULL ? "" : ",svg=\"",
		       files->svg == NULL ? "" : files->svg,
		       files->svg == NULL ? "" : "\"");
	if (ret < 0) {
		return -ENOMEM;
	}
	ret = setenv("GST_TRACERS", all, 1) == 0 ? 0 : -errno;
	free(all);
	return ret;
}

/* In the child: becomes the program, or says through the pipe why not. */
static _Noreturn void
become(char *argv[], const sigset_t *mask, int pipe_fd)
{
	int err;

	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	if (write(pipe_fd, &err, sizeof(err)) != sizeof(err)) {
		/* then it just ends */
	}
	_exit(TOOL_FAILED);
}

/* Waits for the program, and passes on what was sent to this process. What a
 * terminal sends, the program gets by itself. */
static int
wait_for(pid_t child, const sigset_t *signals)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (sigwaitinfo(signals, &info) < 0) {
			continue;
		}
		if (info.si_signo != SIGCHLD) {
			if (info.si_code != SI_KERNEL) {
				kill(child, info.si_signo);
			}
			continue;
		}
		if (waitpid(child, &status, WNOHANG) == child) {
			return status;
		}
	}
}

/* Runs it: its status as of waitpid(), or -errno if it could not be started. */
static int
run_program(char *argv[], int *status)
{
	sigset_t signals, before;
	int fds[2], err = 0;
	ssize_t len;
	pid_t child;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGCHLD);
	if (pipe2(fds, O_CLOEXEC) < 0) {
		return -errno;
	}
	sigprocmask(SIG_BLOCK, &signals, &before);
	child = fork();
	if (child == 0) {
		become(argv, &before, fds[1]);
	}
	err = child < 0 ? errno : 0;
	close(fds[1]);
	if (child > 0) {
		*status = wait_for(child, &signals);
		len = read(fds[0], &err, sizeof(err));
		if (len != sizeof(err)) {
			err = 0;
		}
	}
	close(fds[0]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static enum tool_exit
not_started(const char *program, int err)
{
	char text[MAX_PATH];

	if (err == -ENOENT && strncmp(program, "gst-launch", 10) == 0) {
		snprintf(text, sizeof(text),
			 "%s was not found: install GStreamer's tools (package gstreamer1.0-tools)",
			 program);
	} else {
		snprintf(text, sizeof(text), "%s cannot be run: %s", program,
			 strerror(-err));
	}
	return tool_error(err, text);
}

static void
name_report(const char *what, const char *file)
{
	if (file != NULL && access(file, F_OK) == 0) {
		fprintf(stderr, "bufalloc: %s: %s\n", what, file);
	}
}

/* The tracer writes a report whenever the program ends by itself. */
static void
say_no_report(int status)
{
	if (WIFSIGNALED(status)) {
		fprintf(stderr,
			"bufalloc: no report: the program was ended by signal %d\n",
			WTERMSIG(status));
		return;
	}
	fputs("bufalloc: no report: the program does not use GStreamer, or GStreamer did not find the plugin " PLUGIN
	      "; 'gst-inspect-1.0 bufalloc' tells, GST_PLUGIN_PATH=FOLDER helps\n",
	      stderr);
}

/* An old report must not be taken for the new one. What is no file, /dev/null or a
 * pipe, stays and is written to. */
static int
remove_old(const char *file)
{
	struct stat st;

	if (lstat(file, &st) < 0) {
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	}
	if (S_ISDIR(st.st_mode)) {
		return -EISDIR;
	}
	if (!S_ISREG(st.st_mode)) {
		return 0;
	}
	return unlink(file) == 0 ? 0 : -errno;
}

/* The file that a report has to be in for this command to know of it. */
static int
make_own_report(char name[], struct files *files)
{
	int fd;

	files->json = name;
	fd = mkstemp(name);
	if (fd < 0) {
		return -errno;
	}
	close(fd);
	unlink(name);
	return 0;
}

static enum tool_exit
run_trace(int argc, char *argv[])
{
	char own_report[] = "/tmp/bufalloc-trace.XXXXXX";
	struct files files = { 0 };
	bool is_help = false, is_own;
	enum tool_exit usage;
	int status = 0, ret = 0;

	usage = parse(&files, argc, argv, &is_help);
	if (usage != TOOL_OK) {
		return usage;
	}
	if (is_help) {
		fputs(help, stdout);
		return TOOL_OK;
	}

	is_own = files.json == NULL;
	if (is_own) {
		ret = make_own_report(own_report, &files);
	} else {
		ret = remove_old(files.json);
	}
	if (ret == 0) {
		ret = add_tracer(&files);
	}
	if (ret < 0) {
		return tool_error(ret, "the report cannot be written");
	}
	add_plugin_path();
	ret = run_program(argv + optind, &status);
	if (ret < 0) {
		return not_started(argv[optind], ret);
	}

	if (access(files.json, F_OK) < 0) {
		say_no_report(status);
	}
	if (is_own) {
		unlink(own_report);
	} else {
		name_report("report", files.json);
	}
	name_report("drawing", files.dot);
	name_report("drawing", files.svg);
	return (enum tool_exit)(WIFSIGNALED(status) ?
					STATUS_SIGNALED + WTERMSIG(status) :
					WEXITSTATUS(status));
}

const struct tool_command tool_trace = {
	.name = "trace",
	.summary = "run a GStreamer program and show where it copies frames",
	.help = help,
	.run_alone = run_trace,
};
