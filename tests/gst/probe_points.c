/* SPDX-License-Identifier: MIT */
/* probe_points LIBRARY FUNCTION...: for each function that a program would call, as
 * the dynamic linker chooses it on this processor, the file and the offset in
 * it, as the kernel's uprobe_events want them: "NAME FILE:0xOFFSET".
 * probe_points --copy N: moves a MiB so many times, by memcpy. */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
print_point(const char *name, uintptr_t address)
{
	char line[4096], path[4096];
	uintptr_t start, end, offset;
	FILE *maps;
	int found = 0;

	maps = fopen("/proc/self/maps", "r");
	if (maps == NULL) {
		return 0;
	}
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR
				 " %*4s %" SCNxPTR " %*s %*s %4095s",
			   &start, &end, &offset, path) == 4 &&
		    address >= start && address < end) {
			printf("%s %s:0x%" PRIxPTR "\n", name, path,
			       address - start + offset);
			found = 1;
		}
	}
	fclose(maps);
	return found;
}

static int
copy(int times)
{
	static char from[1 << 20], to[1 << 20];
	/* the compiler shall not know the length */
	volatile size_t length = sizeof(from);

	while (times-- > 0) {
		memcpy(to, from, length);
	}
	return to[0];
}

int
main(int argc, char *argv[])
{
	void *library, *symbol;
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: probe_points LIBRARY FUNCTION...\n");
		return 2;
	}
	if (strcmp(argv[1], "--copy") == 0) {
		return copy(atoi(argv[2]));
	}
	library = dlopen(argv[1], RTLD_NOW);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	for (i = 2; i < argc; i++) {
		symbol = dlsym(library, argv[i]);
		if (symbol == NULL ||
		    !print_point(argv[i], (uintptr_t)symbol)) {
			fprintf(stderr, "%s is not in %s\n", argv[i], argv[1]);
			return 1;
		}
	}
	return 0;
}
