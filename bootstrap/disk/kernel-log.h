/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: why the kernel would not mount something
 *
 * mount(2) has one errno for many reasons; the reason itself is a line in the kernel's log
 * (Documentation/ABI/testing/dev-kmsg).
 */
#ifndef NODEVOL_DISK_KERNEL_LOG_H
#define NODEVOL_DISK_KERNEL_LOG_H

#include <stddef.h>
#include <sys/types.h>

/* Stands at the end of the log. Return: a descriptor, -1 where it may not be read; closed by the caller. */
int kernel_log_open(void);

/*
 * The last line since then that is about the disk with number @device or about the filesystem type @filesystem, into
 * @out, without the name of either; "" when there is none.
 */
void kernel_log_reason(int fd, dev_t device, const char *filesystem, char *out, size_t size);

#endif
