// SPDX-License-Identifier: GPL-2.0
/*
 * Faults for one thread; see ba_faults.h. The Nth is the kernel's own fail-nth. That
 * stops after one: for all that follow, the answer of the function which decides
 * (lib/fault-inject.c, should_fail_ex()) is changed on its way out.
 */
#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "ba_faults.h"

static struct task_struct *watched;
static bool forever;
static unsigned int fired; /* the watched thread's own */

static int enter(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	return current != READ_ONCE(watched);
}

/* Interrupts of the thread are not what it does. */
static int leave(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (!in_task())
		return 0;
	/* A bool is one byte of the register. */
	if (regs_return_value(regs) & 0xff) {
		fired++;
	} else if (forever && fired) {
		regs_set_return_value(regs, true);
		fired++;
	}
	return 0;
}

static struct kretprobe probe = {
	.kp.symbol_name = "should_fail_ex",
	.entry_handler = enter,
	.handler = leave,
	.maxactive = 128,
};

static long faults_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case BA_FAULTS_ONCE:
	case BA_FAULTS_FOREVER:
		fired = 0;
		forever = cmd == BA_FAULTS_FOREVER;
		WRITE_ONCE(watched, current);
		current->fail_nth = arg;
		return 0;
	case BA_FAULTS_END:
		current->fail_nth = 0;
		WRITE_ONCE(watched, NULL);
		/* Else some were not seen. */
		return probe.nmissed ? -EIO : fired;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations faults_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = faults_ioctl,
};

static struct miscdevice faults_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ba_faults",
	.fops = &faults_fops,
};

static int __init faults_init(void)
{
	int ret;

	ret = register_kretprobe(&probe);
	if (ret)
		return ret;
	ret = misc_register(&faults_misc);
	if (ret)
		unregister_kretprobe(&probe);
	return ret;
}

static void __exit faults_exit(void)
{
	misc_deregister(&faults_misc);
	unregister_kretprobe(&probe);
}

module_init(faults_init);
module_exit(faults_exit);

MODULE_DESCRIPTION("Allocations of one thread fail");
MODULE_LICENSE("GPL");
