// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apirun.h"
#include "edu.h"
#include "fwfile.h"
#include "ktest.h"
#include "modules/ba_api.h"

void
apirun(const char *name, uint32_t heap, int fd)
{
	struct ba_api_run arg = { .fd = fd, .heap = heap };
	int api = open("/dev/ba_api", O_RDWR | O_CLOEXEC);

	CHECK(api >= 0);
	snprintf(arg.name, sizeof(arg.name), "%s", name);
	CHECK_EQ(ioctl(api, BA_API_RUN, &arg), 0);
	close(api);
	if (arg.why[0] != '\0') {
		ktest_fail(__FILE__, __LINE__, "in the kernel: %s", arg.why);
	}
}

/* One of the masters writes to where the buffer no longer is. */
void
apirun_two_domains(uint32_t heap)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	CHECK(log >= 0);
	lseek(log, 0, SEEK_END);
	apirun("two_domains", heap, -1);
	CHECK_WITHIN_1S(edu_logged_faults(log) & BUFALLOC_ACCESS_WRITE);
	close(log);
}

/* The driver loads it; what is where is seen from here. */
void
apirun_firmware(int fd, size_t length)
{
	const size_t offset = 12345, file = 150001;
	uint8_t *data = ba_map(fd, length);

	fwfile_set_up();
	fwfile_make("ba-api.bin", file, 5);
	apirun("firmware", BUFALLOC_HEAP_AUTO, fd);
	CHECK(fwfile_is(data + offset, file, 5));
	CHECK_EQ(first_nonzero(data, length), offset);
	CHECK_EQ(first_nonzero(data + offset + file, length - offset - file),
		 length - offset - file);
	munmap(data, length);
}
