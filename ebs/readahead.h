/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: read-ahead of a volume
 *
 * The kernel reads this far ahead of a sequential reader (Documentation/ABI/stable/sysfs-block, queue/read_ahead_kb).
 * The value is a property of the running kernel, not of the disk: it is gone after a reboot or a new attachment.
 */
#ifndef NODEVOL_EBS_READAHEAD_H
#define NODEVOL_EBS_READAHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/err.h"
#include "ebs/device.h"

#define READAHEAD_MAX_KIB (64U << 10) /* far beyond what helps; more is a slip of the finger */

/**
 * struct readahead_result - what was found and done
 * @before_kib: as it was
 * @after_kib: as it is, read back: the kernel rounds to its pages
 */
struct readahead_result {
	uint32_t before_kib;
	uint32_t after_kib;
};

/* Reads it. */
int readahead_get(const struct device *device, uint32_t *out_kib, struct err *err);

/* Sets it where it differs; @dry_run only reads. Return: 0, -EACCES without CAP_SYS_ADMIN, ... */
int readahead_set(const struct device *device, uint32_t kib, bool dry_run, struct readahead_result *out,
		  struct err *err);

#endif
