// SPDX-License-Identifier: GPL-2.0
/*
 * How many bytes of contiguous and of reserved memory each user holds.
 *
 * Memory cgroups do not see this memory: alloc_contig_range() takes no
 * __GFP_ACCOUNT, and reserved memory is not the page allocator's. So each user has
 * a limit of bytes, whatever the number of processes that they are spread over. A
 * buffer counts against the user who allocated it until it is freed, whoever holds
 * it by then.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "bufalloc_private.h"

/* Only users who hold memory have one: it goes when @bytes gets 0. */
struct bufalloc_account {
	struct list_head node;
	kuid_t uid;
	u64 bytes;
};

static DEFINE_MUTEX(lock); /* protects accounts and each account's bytes */
static LIST_HEAD(accounts);

static unsigned long long contig_limit_bytes;
module_param(contig_limit_bytes, ullong, 0644);
MODULE_PARM_DESC(contig_limit_bytes,
		 "bytes of contiguous and reserved memory that one user may hold (default: a quarter of the memory)");

/* Set the default limit, if the administrator gave none. */
void bufalloc_account_init(void)
{
	if (!contig_limit_bytes)
		contig_limit_bytes = (u64)(totalram_pages() / 4) << PAGE_SHIFT;
}

u64 bufalloc_account_limit(void)
{
	return READ_ONCE(contig_limit_bytes);
}

static struct bufalloc_account *find(kuid_t uid)
{
	struct bufalloc_account *account;

	lockdep_assert_held(&lock);
	list_for_each_entry(account, &accounts, node)
		if (uid_eq(account->uid, uid))
			return account;
	return NULL;
}

/* Bytes that the calling user holds. */
u64 bufalloc_account_used(void)
{
	struct bufalloc_account *account;
	u64 bytes;

	mutex_lock(&lock);
	account = find(current_uid());
	bytes = account ? account->bytes : 0;
	mutex_unlock(&lock);
	return bytes;
}

/*
 * Charge the calling user. -EDQUOT if that would exceed the limit.
 * Undone by bufalloc_account_uncharge(*result, bytes).
 */
int bufalloc_account_charge(size_t bytes, struct bufalloc_account **result)
{
	struct bufalloc_account *account, *spare;
	u64 limit = bufalloc_account_limit();
	int ret = 0;

	spare = kzalloc(sizeof(*spare), GFP_KERNEL);
	if (!spare)
		return -ENOMEM;

	mutex_lock(&lock);
	account = find(current_uid());
	if (bytes > limit || (account && account->bytes > limit - bytes)) {
		ret = -EDQUOT;
		goto out_unlock;
	}
	if (!account) {
		account = spare;
		spare = NULL;
		account->uid = current_uid();
		list_add(&account->node, &accounts);
		bufalloc_debugfs_live(BUFALLOC_LIVE_ACCOUNTS, 1);
	}
	account->bytes += bytes;
	*result = account;
out_unlock:
	mutex_unlock(&lock);
	kfree(spare);
	return ret;
}

void bufalloc_account_uncharge(struct bufalloc_account *account, size_t bytes)
{
	mutex_lock(&lock);
	account->bytes -= bytes;
	if (!account->bytes) {
		list_del(&account->node);
		kfree(account);
		bufalloc_debugfs_live(BUFALLOC_LIVE_ACCOUNTS, -1);
	}
	mutex_unlock(&lock);
}
