/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what was found on a device, in words that fit "refused: '/dev/x' holds ..."
 *
 * Whoever reads them is tired and wants to know two things: what it is, and where.
 */
#ifndef NODEVOL_DISK_DESCRIBE_H
#define NODEVOL_DISK_DESCRIBE_H

#include <stddef.h>
#include <stdint.h>

#include "bootstrap/disk/hits.h"
#include "bootstrap/disk/signature.h"
#include "bootstrap/disk/survey.h"

#define DESCRIBE_MAX 256

/* "ext4 (label 'data', UUID 1234-...)", "a GPT partition table", "two signatures at once: ext4 and btrfs". */
void describe_hits(const struct hits *hits, char out[DESCRIBE_MAX]);

/* "backup superblocks of ext4 (...) at 128 MiB; the primary is gone". */
void describe_signature(const struct signature *signature, uint64_t device_bytes, char out[DESCRIBE_MAX]);

/* "data at 50.0 GiB that no filesystem check recognises". */
void describe_content(const struct survey *survey, char out[DESCRIBE_MAX]);

/* An offset or a size as people say it: "512 bytes", "128 MiB", "50.3 GiB". */
#define DESCRIBE_SIZE_MAX 32
void describe_size(uint64_t bytes, char out[DESCRIBE_SIZE_MAX]);

#endif
