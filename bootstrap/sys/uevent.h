/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: being told by the kernel that a device came or went
 *
 * The kernel's own broadcast (NETLINK_KOBJECT_UEVENT, group 1; lib/kobject_uevent.c), not udev's: it works before
 * udevd runs. Events can be lost (ENOBUFS) or not be delivered here at all (another network namespace), so whoever
 * waits looks for himself from time to time: uevent_wait() only shortens the wait.
 */
#ifndef NODEVOL_SYS_UEVENT_H
#define NODEVOL_SYS_UEVENT_H

#include "bootstrap/base/deadline.h"

/* Return: a descriptor, or -1 where there are no events to be had; uevent_wait() takes that too. */
int uevent_open(void);

/* Sleeps until an event came, @longest_ms passed or @deadline did. */
void uevent_wait(int fd, int longest_ms, const struct deadline *deadline);

#endif
