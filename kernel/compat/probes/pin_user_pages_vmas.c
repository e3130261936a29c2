// SPDX-License-Identifier: GPL-2.0
/* pin_user_pages() takes a list of VMAs to fill in (up to 6.4). */
#include <linux/mm.h>
long probe(struct page **pages);
long probe(struct page **pages)
{
	return pin_user_pages(0, 1, FOLL_LONGTERM, pages, NULL);
}
