/* SPDX-License-Identifier: MIT */
/*
 * The head of the report: what of a machine matters to DMA. Nothing that names
 * the machine: no addresses, no serial numbers, no host name.
 */
#include <dirent.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "selftest.h"

#define MAX_KINDS 8
#define MAX_OPTIONS 12
/* A slot of swiotlb: IO_TLB_SIZE of <linux/swiotlb.h>. */
#define SWIOTLB_SLOT 2048

/* So many things of one kind. */
struct kinds {
	size_t len;
	struct {
		char name[32];
		uint64_t count;
	} kinds[MAX_KINDS];
};

struct facts {
	struct utsname name;
	long page_size;
	/* Bytes; 0: none, or not known. */
	uint64_t memory;
	uint64_t cma;
	uint64_t swiotlb;
	size_t option_count;
	char options[MAX_OPTIONS][48];
	struct kinds iommus;
	struct kinds groups;
	struct kinds heaps;
};

/* Words of the kernel's command line that say how DMA works. */
static const char *const option_names[] = {
	"iommu",
	"iommu.passthrough",
	"iommu.strict",
	"iommu.forcedac",
	"intel_iommu",
	"amd_iommu",
	"arm-smmu.disable_bypass",
	"swiotlb",
	"cma",
	"cma_pernuma",
	"coherent_pool",
	"init_on_alloc",
	"mem_encrypt",
};

#define OPTION_NAMES_LEN (sizeof(option_names) / sizeof(option_names[0]))

static void
count_kind(struct kinds *kinds, const char *name)
{
	size_t i;

	for (i = 0; i < kinds->len; i++) {
		if (strcmp(kinds->kinds[i].name, name) == 0) {
			kinds->kinds[i].count++;
			return;
		}
	}
	if (kinds->len < MAX_KINDS) {
		snprintf(kinds->kinds[i].name, sizeof(kinds->kinds[i].name),
			 "%s", name);
		kinds->kinds[i].count = 1;
		kinds->len++;
	}
}

/* The first line of a file without its end; "" if there is none. */
static void
read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (file != NULL) {
		if (fgets(line, (int)size, file) == NULL) {
			line[0] = '\0';
		}
		fclose(file);
	}
	line[strcspn(line, "\n")] = '\0';
}

static void
look_at_memory(struct facts *facts)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t kib;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "MemTotal: %" SCNu64, &kib) == 1) {
			facts->memory = kib * 1024;
		} else if (sscanf(line, "CmaTotal: %" SCNu64, &kib) == 1) {
			facts->cma = kib * 1024;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	/* For root alone, where debugfs is mounted. */
	read_line("/sys/kernel/debug/swiotlb/io_tlb_nslabs", line,
		  sizeof(line));
	facts->swiotlb = strtoull(line, NULL, 10) * SWIOTLB_SLOT;
}

static void
look_at_options(struct facts *facts)
{
	char line[4096], *word, *rest = NULL;
	size_t i, len;

	read_line("/proc/cmdline", line, sizeof(line));
	for (word = strtok_r(line, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		/* Where a CMA region is, is an address. */
		word[strcspn(word, "@")] = '\0';
		len = strcspn(word, "=");
		for (i = 0; i < OPTION_NAMES_LEN; i++) {
			if (strlen(option_names[i]) == len &&
			    strncmp(option_names[i], word, len) == 0 &&
			    facts->option_count < MAX_OPTIONS) {
				snprintf(facts->options[facts->option_count++],
					 sizeof(facts->options[0]), "%s", word);
			}
		}
	}
}

/* Call one() with each name in a folder; none if there is no folder. */
static void
each_name(const char *folder, void (*one)(const char *, struct facts *),
	  struct facts *facts)
{
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.') {
			one(entry->d_name, facts);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

/*
 * Its driver: the names of instances have addresses in them ("dmar0",
 * "smmu3.0x9050000", "fdab9000.iommu").
 */
static void
add_iommu(const char *name, struct facts *facts)
{
	char path[512], target[256];
	const char *driver;
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/class/iommu/%s/device/driver",
		 name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len > 0) {
		target[len] = '\0';
		driver = strrchr(target, '/');
		count_kind(&facts->iommus, driver == NULL ? target : driver + 1);
		return;
	}
	/* These have no driver, but a folder of their own. */
	snprintf(path, sizeof(path), "/sys/class/iommu/%s/intel-iommu", name);
	if (access(path, F_OK) == 0) {
		count_kind(&facts->iommus, "intel-iommu");
		return;
	}
	snprintf(path, sizeof(path), "/sys/class/iommu/%s/amd-iommu", name);
	count_kind(&facts->iommus,
		   access(path, F_OK) == 0 ? "amd-iommu" : "other");
}

static void
add_group(const char *name, struct facts *facts)
{
	char path[512], type[32];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/type", name);
	read_line(path, type, sizeof(type));
	count_kind(&facts->groups, type[0] == '\0' ? "unknown" : type);
}

static void
add_heap(const char *name, struct facts *facts)
{
	char text[32];

	/* A reserved region's name may have its address behind an @. */
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, "@"), name);
	count_kind(&facts->heaps, text);
}

static void
look_at_system(struct facts *facts)
{
	*facts = (struct facts){ .page_size = sysconf(_SC_PAGESIZE) };
	uname(&facts->name);
	look_at_memory(facts);
	look_at_options(facts);
	each_name("/sys/class/iommu", add_iommu, facts);
	each_name("/sys/kernel/iommu_groups", add_group, facts);
	each_name("/dev/dma_heap", add_heap, facts);
}

static void
print_kinds(const struct kinds *kinds, bool has_counts)
{
	size_t i;

	for (i = 0; i < kinds->len; i++) {
		printf("%s%s", i == 0 ? "" : ", ", kinds->kinds[i].name);
		if (has_counts) {
			printf(" (%" PRIu64 ")", kinds->kinds[i].count);
		}
	}
	printf("%s", kinds->len == 0 ? "none" : "");
}

static void
print_system(const struct facts *facts)
{
	size_t i;

	printf("kernel        %s, %s, pages of %ld bytes\n",
	       facts->name.release, facts->name.machine, facts->page_size);
	printf("memory        %" PRIu64 " MiB, CMA %" PRIu64 " MiB",
	       facts->memory >> 20, facts->cma >> 20);
	if (facts->swiotlb != 0) {
		printf(", swiotlb %" PRIu64 " MiB", facts->swiotlb >> 20);
	}
	printf("\niommu         ");
	print_kinds(&facts->iommus, true);
	printf("; groups: ");
	print_kinds(&facts->groups, true);
	printf("\ndma-heaps     ");
	print_kinds(&facts->heaps, false);
	printf("\noptions      ");
	for (i = 0; i < facts->option_count; i++) {
		printf(" %s", facts->options[i]);
	}
	printf("%s\n", facts->option_count == 0 ? " none" : "");
}

static void
print_module(const struct selftest *test)
{
	const struct bufalloc_module_info *info = &test->info;

	if (test->ctx == NULL) {
		printf("module        not usable\n");
		return;
	}
	printf("module        %s, heaps %s; attributes %s; contiguous: %s of %s in use\n",
	       tool_version(info->version).text,
	       tool_heap_names(info->heaps).text,
	       tool_attribute_names(info->attributes).text,
	       tool_amount(info->contig_used).text,
	       tool_amount(info->contig_limit).text);
}

static void
print_resolvers(void)
{
	const char *between = "";
	size_t i;

	printf("resolvers     ");
	for (i = 0; i < TOOL_RESOLVERS; i++) {
		if (tool_resolver_is_loaded(i)) {
			printf("%s%s", between, tool_resolver_name(i));
			between = ", ";
		}
	}
	printf("%s\n", between[0] == '\0' ? "none" : "");
}

static void
print_devices(const struct selftest *test)
{
	const struct selftest_device *device;
	size_t i;

	if (test->device_count == 0) {
		printf("devices       none\n");
		return;
	}
	printf("%-19s %-8s ", "device", "kind");
	tool_device_print_header();
	for (i = 0; i < test->device_count; i++) {
		device = &test->devices[i];
		printf("%-19s %-8s ", device->node,
		       selftest_kind_name(device->kind));
		if (device->info_err < 0) {
			printf("unknown: %s",
			       tool_errno_name(device->info_err));
		} else {
			tool_device_print(&device->info, device->use.access);
		}
		printf("%s%s\n", device->card[0] == '\0' ? "" : "  ",
		       device->card);
	}
}

void
selftest_print_head(const struct selftest *test)
{
	struct facts facts;

	look_at_system(&facts);
	printf("bufalloc selftest %d.%d.%d, report 1, %s\n\n",
	       BUFALLOC_VERSION_MAJOR, BUFALLOC_VERSION_MINOR,
	       BUFALLOC_VERSION_PATCH, tool_amount(test->length).text);
	print_module(test);
	print_resolvers();
	print_system(&facts);
	putchar('\n');
	print_devices(test);
	putchar('\n');
	fflush(stdout);
}

static struct json_object *
kinds_array(const struct kinds *kinds, bool has_counts)
{
	struct json_object *list = json_object_new_array();
	struct json_object *item;
	size_t i;

	for (i = 0; i < kinds->len; i++) {
		if (has_counts) {
			item = json_object_new_object();
			tool_json_text(item, "kind", kinds->kinds[i].name);
			tool_json_number(item, "count", kinds->kinds[i].count);
		} else {
			item = json_object_new_string(kinds->kinds[i].name);
		}
		json_object_array_add(list, item);
	}
	return list;
}

static struct json_object *
system_object(const struct facts *facts)
{
	struct json_object *object = json_object_new_object();
	struct json_object *options = json_object_new_array();
	size_t i;

	tool_json_text(object, "kernel", facts->name.release);
	tool_json_text(object, "machine", facts->name.machine);
	tool_json_number(object, "page_size", (uint64_t)facts->page_size);
	tool_json_number(object, "memory", facts->memory);
	tool_json_number(object, "cma", facts->cma);
	json_object_object_add(object, "swiotlb",
			       facts->swiotlb == 0 ?
				       NULL :
				       json_object_new_uint64(facts->swiotlb));
	for (i = 0; i < facts->option_count; i++) {
		json_object_array_add(
			options, json_object_new_string(facts->options[i]));
	}
	json_object_object_add(object, "options", options);
	json_object_object_add(object, "iommus",
			       kinds_array(&facts->iommus, true));
	json_object_object_add(object, "iommu_groups",
			       kinds_array(&facts->groups, true));
	json_object_object_add(object, "dma_heaps",
			       kinds_array(&facts->heaps, false));
	return object;
}

static struct json_object *
module_object(const struct selftest *test)
{
	struct json_object *object = json_object_new_object();
	struct json_object *resolvers = json_object_new_object();
	size_t i;

	json_object_object_add(object, "usable",
			       json_object_new_boolean(test->ctx != NULL));
	for (i = 0; i < TOOL_RESOLVERS; i++) {
		json_object_object_add(
			resolvers, tool_resolver_name(i),
			json_object_new_boolean(tool_resolver_is_loaded(i)));
	}
	json_object_object_add(object, "resolvers", resolvers);
	if (test->ctx == NULL) {
		return object;
	}
	tool_json_text(object, "version",
		       tool_version(test->info.version).text);
	json_object_object_add(object, "heaps",
			       tool_json_heaps(test->info.heaps));
	json_object_object_add(object, "attributes",
			       tool_json_attributes(test->info.attributes));
	tool_json_number(object, "max_length", test->info.max_length);
	tool_json_number(object, "contig_limit", test->info.contig_limit);
	tool_json_number(object, "contig_used", test->info.contig_used);
	return object;
}

static struct json_object *
devices_array(const struct selftest *test)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < test->device_count; i++) {
		const struct selftest_device *device = &test->devices[i];
		struct json_object *object = json_object_new_object();

		tool_device_json(object, device->node, device->use.access,
				 device->info_err, &device->info);
		json_object_object_add(
			object, "asked",
			json_object_new_boolean(device->is_asked));
		tool_json_text(object, "kind",
			       selftest_kind_name(device->kind));
		tool_json_text(object, "card",
			       device->card[0] == '\0' ? NULL : device->card);
		json_object_array_add(list, object);
	}
	return list;
}

void
selftest_json_head(const struct selftest *test, struct json_object *object)
{
	struct facts facts;

	look_at_system(&facts);
	json_object_object_add(object, "report", json_object_new_int(1));
	tool_json_text(object, "tool_version",
		       tool_version(BUFALLOC_VERSION_MAJOR << 16 |
				    BUFALLOC_VERSION_MINOR << 8 |
				    BUFALLOC_VERSION_PATCH)
			       .text);
	tool_json_number(object, "length", test->length);
	json_object_object_add(object, "system", system_object(&facts));
	json_object_object_add(object, "module", module_object(test));
	json_object_object_add(object, "devices", devices_array(test));
}
