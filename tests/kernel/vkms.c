// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "ktest.h"
#include "vkms.h"

void
with_both(void (*run)(int card))
{
	static const char *const drivers[] = { OURS, "vkms" };

	for (int i = 0; i < 2; i++) {
		int card = drm_open_driver(drivers[i]);

		run(card);
		close(card);
	}
}
