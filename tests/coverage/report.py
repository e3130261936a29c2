#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""report.py DIR [SUITE/PROGRAM...]: what of kernel/ ran, of what kernel.sh left in
DIR, by all programs but these. Prints TAP.

DIR/KERNEL/tree/kernel/*.gcno is what there is to run, as it was compiled for that
kernel, DIR/KERNEL/data/SUITE/PROGRAM/*.gcda what that program ran. What is the same
line of the source is counted once. exceptions.tsv, beside this file, has what is not
run and why.
"""
import collections
import functools
import glob
import json
import os
import re
import subprocess
import sys

LEAST_LINES = 95
LEAST_BRANCHES = 90
HERE = os.path.dirname(os.path.realpath(__file__))
KTESTS = os.path.join(HERE, "..", "kernel")
SOURCE = os.path.join(HERE, "..", "..", "kernel")


class Counts:
    """What ran how often, of one program or of several."""

    def __init__(self):
        self.lines = collections.Counter()  # (file, line)
        self.branches = collections.Counter()  # (file, line, index)
        self.sites = collections.Counter()  # (file, line, column)
        self.functions = {}  # (file, first line): (last line, name)

    def add(self, other):
        for mine, others in ((self.lines, other.lines),
                             (self.branches, other.branches),
                             (self.sites, other.sites)):
            for key, count in others.items():
                mine[key] += count
        self.functions.update(other.functions)

    def add_kernel(self, other):
        """What another kernel ran. Where a line has not as many branches as here,
        there is no saying which is which, and those are left out."""
        mine, others = branches_of(self), branches_of(other)
        for key, branches in others.items():
            if key in mine and mine[key] != branches:
                for index in range(branches):
                    del other.branches[key + (index,)]
        self.add(other)

    def function(self, file, line):
        for (name, first), (last, function) in self.functions.items():
            if name == file and first <= line <= last:
                return function
        return "-"


def branches_of(counts):
    return collections.Counter((file, line) for file, line, _ in counts.branches)


def gcov(folder, files, tree):
    """The Counts of files, *.gcno or *.gcda, that are in folder."""
    counts = Counts()
    said = subprocess.run(["gcov", "--json-format", "--stdout",
                           "--branch-probabilities"] + files, cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=True)
    for text in said.stdout.splitlines():
        unit = json.loads(text)
        for file in unit["files"]:
            folder_of, name = os.path.split(file["file"])
            if folder_of == tree:
                add_file(counts, name, file)
    return counts


def add_file(counts, name, file):
    for line in file["lines"]:
        number = line["line_number"]
        counts.lines[name, number] += line["count"]
        # An assertion of lockdep's, which only some kernels look at.
        if "lockdep_assert" in source_of(name)[number - 1]:
            continue
        for index, branch in enumerate(line["branches"]):
            counts.branches[name, number, index] += branch["count"]
    for function in file["functions"]:
        if function["name"].startswith("errno_site"):
            key = name, function["start_line"], function["start_column"]
            counts.sites[key] += function["execution_count"]
        else:
            counts.functions[name, function["start_line"]] = (
                function["end_line"], function["name"])


def program_counts(folder, tree):
    files = sorted(os.path.basename(f) for f in glob.glob(folder + "/*.gcda"))
    for file in files:
        notes = file.replace(".gcda", ".gcno")
        link = os.path.join(folder, notes)
        if not os.path.lexists(link):
            os.symlink(os.path.join(tree, notes), link)
    files = [f for f in files if
             os.path.exists(os.path.join(folder, f.replace(".gcda", ".gcno")))]
    return gcov(folder, files, tree) if files else Counts()


def words_of_program(program):
    """The errnos that a program's sources name: its own, and what it includes."""
    words = set()
    todo = ["test_%s.c" % program, program + ".sh"]
    seen = set(["ktest.c"])
    while todo:
        file = todo.pop()
        path = os.path.join(KTESTS, file)
        if file in seen or not os.path.exists(path):
            continue
        seen.add(file)
        with open(path) as source:
            text = source.read()
        words.update(re.findall(r"\bE[A-Z0-9]{2,}\b", text))
        if "SIGKILL" in text:  # nobody is left to be told
            words.add("EINTR")
        todo += [h + ".c" for h in re.findall(r'#include "(\w+)\.h"', text)]
        if file == "apirun.c":  # its rows are the driver's
            todo += ["modules/" + os.path.basename(f) for f in
                     glob.glob(os.path.join(KTESTS, "modules", "api_*.c"))]
    return words


class Exceptions:
    """What is not run, and why: FILE FUNCTION LINES TEXT REASON.

    TEXT is a line of that function, as it is but for the blanks at its ends; this
    and the ones after it, LINES in all, and their branches need not run. TEXT "*" is
    the whole function, FUNCTION "*" the whole file. A REASON that begins with
    "sometimes: " is of what may run in one run and not in the next.
    """

    def __init__(self, path, counts):
        self.rows = []
        self.excused = {}
        with open(path) as table:
            for text in table:
                if text.strip() and not text.startswith("#"):
                    self.rows.append(text.rstrip("\n").split("\t"))
        self.used = [row[4].startswith("sometimes: ") for row in self.rows]
        for index, (file, function, lines, text, _) in enumerate(self.rows):
            for number, line in enumerate(source_of(file), 1):
                if function != "*" and counts.function(file, number) != function:
                    continue
                if text not in ("*", line.strip()):
                    continue
                for offset in range(int(lines)):
                    self.excused.setdefault((file, number + offset),
                                            []).append(index)

    def excuse(self, file, line):
        found = self.excused.get((file, line), [])
        for index in found:
            self.used[index] = True
        return bool(found)

    def stale(self):
        return [" ".join(row[:4]) for row, used in zip(self.rows, self.used)
                if not used]


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = False

    def row(self, name, reasons):
        self.count += 1
        print("%s %d - %s" % ("not ok" if reasons else "ok", self.count, name))
        self.failed |= bool(reasons)
        for reason in reasons:
            print("# " + reason)


def percent(run, of):
    return 100.0 * run / of if of else 100.0


@functools.lru_cache(maxsize=None)
def source_of(file):
    with open(os.path.join(SOURCE, file)) as source:
        return source.read().split("\n")


def errno_of(tree, file, line, column):
    with open(os.path.join(tree, file)) as source:
        text = source.read().split("\n")[line - 1][column - 1:]
    found = re.match(r"ERRNO_SITE\((\w+)\)", text)
    return found.group(1) if found else "?"


def kernel_counts(folder, without, who):
    """What one kernel ran; who ran each place that makes an errno is put into who."""
    tree = os.path.join(folder, "tree", "kernel")
    notes = sorted(os.path.basename(f) for f in glob.glob(tree + "/*.gcno")
                   if not re.search(r"\.mod\.|-(first|last)\.", f))
    total = gcov(tree, notes, tree)
    for path in sorted(glob.glob(folder + "/data/*/*/")):
        name = "/".join(path.rstrip("/").split("/")[-2:])
        if name in without or name.endswith(".part"):
            continue
        counts = program_counts(path, tree)
        total.add(counts)
        for site, count in counts.sites.items():
            if count:
                who[site].add(name)
    return total


def main():
    folder = os.path.realpath(sys.argv[1])
    who = collections.defaultdict(set)
    total = Counts()
    for path in sorted(glob.glob(folder + "/*/tree"), key=by_kernel):
        total.add_kernel(kernel_counts(os.path.dirname(path), sys.argv[2:], who))
    tap = Tap()
    exceptions = Exceptions(HERE + "/exceptions.tsv", total)
    report_files(tap, total, exceptions)
    report_missed(tap, total, exceptions, folder)
    report_sites(tap, total, who, exceptions, folder)
    tap.row("every exception is one", exceptions.stale())
    print("1..%d" % tap.count)
    return tap.failed


def by_kernel(path):
    """The kernel that most runs on comes first."""
    return "peers" not in path, path


def report_files(tap, total, exceptions):
    """Lines and branches, file by file."""
    sums = collections.defaultdict(lambda: [0, 0, 0, 0])
    for (file, _), count in total.lines.items():
        for name in (file, "all"):
            sums[name][0] += count > 0
            sums[name][1] += 1
    for (file, _, _), count in total.branches.items():
        for name in (file, "all"):
            sums[name][2] += count > 0
            sums[name][3] += 1
    print("# file, lines, branches")
    for name in sorted(sums, key=lambda n: (n == "all", n)):
        run, lines, taken, branches = sums[name]
        print("# %-20s %6.2f of %4d %6.2f of %4d" % (
            name, percent(run, lines), lines, percent(taken, branches), branches))
    run, lines, taken, branches = sums["all"]
    line_percent = percent(run, lines)
    branch_percent = percent(taken, branches)
    print("# figure kernel_line_coverage_percent %.2f" % line_percent)
    print("# figure kernel_branch_coverage_percent %.2f" % branch_percent)
    tap.row("at least %d of 100 lines are run" % LEAST_LINES,
            ["%.2f" % line_percent] if line_percent < LEAST_LINES else [])
    tap.row("at least %d of 100 branches are taken" % LEAST_BRANCHES,
            ["%.2f" % branch_percent] if branch_percent < LEAST_BRANCHES else [])
    files = [os.path.basename(f) for f in glob.glob(SOURCE + "/*.c")]
    tap.row("every file is counted, or an exception", [
        f for f in sorted(files) if f not in sums and not exceptions.excuse(f, 1)])


def report_missed(tap, total, exceptions, folder):
    """What is not run and no exception: lines, and branches of lines that are."""
    missed = {}
    for (file, line), count in total.lines.items():
        if not count:
            missed[file, line] = "line"
    for (file, line, _), count in total.branches.items():
        if not count:
            missed.setdefault((file, line), "branch")
    reasons = []
    with open(folder + "/missed.tsv", "w") as table:
        for (file, line), kind in sorted(missed.items()):
            text = source_of(file)[line - 1].strip()
            excused = exceptions.excuse(file, line)
            function = total.function(file, line)
            table.write("%s\t%d\t%s\t%s\t%s\t%s\n" % (
                file, line, kind, function, text, "" if not excused else "excused"))
            if not excused:
                reasons.append("%s:%d: %s: %s: %s" % (file, line, kind, function, text))
    tap.row("every line and branch is run, or an exception", reasons)


def report_sites(tap, total, who, exceptions, folder):
    """Each place that makes an errno: is it met by a program that names that errno?"""
    tree = glob.glob(folder + "/*/tree/kernel")[0]
    words = {}
    untested = []
    with open(folder + "/errno.tsv", "w") as table:
        table.write("# place\tfunction\terrno\thits\tprograms that name it\tothers\n")
        for (file, line, column), hits in sorted(total.sites.items()):
            errno = errno_of(tree, file, line, column)
            naming, others = [], []
            for name in sorted(who[file, line, column]):
                if name not in words:
                    words[name] = words_of_program(name.split("/")[1])
                (naming if errno in words[name] else others).append(name)
            function = total.function(file, line)
            table.write("%s:%d\t%s\t%s\t%d\t%s\t%s\n" % (
                file, line, function, errno, hits, " ".join(naming),
                " ".join(others)))
            if not naming and not exceptions.excuse(file, line):
                untested.append("%s:%d: %s: %s, %s" % (
                    file, line, function, errno,
                    "met by " + " ".join(others) if hits else "never met"))
    print("# %d places make an errno" % len(total.sites))
    print("# figure errno_returns_untested %d" % len(untested))
    tap.row("each errno is met by a program that names it, or an exception", untested)


if __name__ == "__main__":
    sys.exit(main())
