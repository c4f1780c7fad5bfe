/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a filesystem on a volume: found as it should be, made on a blank one, or refused
 */
#ifndef NODEVOL_EBS_FORMAT_H
#define NODEVOL_EBS_FORMAT_H

#include <stdbool.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"
#include "bootstrap/disk/blkdev.h"

/**
 * struct format_request - what is wanted
 * @filesystem: "ext4" or "xfs"; NULL: whichever of them is there, ext4 on a blank device
 * @label: NULL: any, none on a new one
 * @noise_permission: NULL, or why a device that reads as noise may be taken for blank, for the log
 * @dry_run: say what would be done, write nothing
 * @deadline: when mkfs.xfs is killed
 */
struct format_request {
	const char *filesystem;
	const char *label;
	const char *noise_permission;
	bool dry_run;
	struct deadline deadline;
};

/**
 * enum format_outcome - what was done
 * @FORMAT_MADE: a filesystem on a blank device
 * @FORMAT_REDONE: a format of ours that had been cut short was finished
 * @FORMAT_PRESENT: nothing; what is wanted was there
 * @FORMAT_WOULD_MAKE: nothing, because of @dry_run
 */
enum format_outcome {
	FORMAT_MADE,
	FORMAT_REDONE,
	FORMAT_PRESENT,
	FORMAT_WOULD_MAKE,
};

/**
 * struct format_result - how it is now
 * @outcome: see above
 * @was_blank: there was no filesystem before
 * @found: what was there before, for people
 * @noise_because: why noise was taken for blank, "" when there was none
 * @filesystem: "ext4" or "xfs"
 * @label: "" for none
 * @uuid: as text
 */
struct format_result {
	enum format_outcome outcome;
	bool was_blank;
	char found[256];
	char noise_because[160];
	char filesystem[16];
	char label[64];
	char uuid[40];
};

/**
 * format_device - see that @device has the filesystem that is wanted
 * @device: held, with its identity
 * @request: see above
 * @out: see above
 * @err: see below
 *
 * Never writes to a device that blank_check() did not find blank, or unfinished by ourselves. Done twice, it writes nothing
 * the second time.
 *
 * Return: 0; -EPERM (ERR_REFUSED): another filesystem or label, anything else on it, noise without permission; -EROFS
 * (ERR_REFUSED) it has to be written and is read-only; -ENOSPC too small; -EINVAL (ERR_USAGE) a label that is too long;
 * -ENOENT no mkfs.xfs; -ETIMEDOUT; read and write errors.
 */
int format_device(struct blkdev *device, const struct format_request *request, struct format_result *out, struct err *err);

/* The word for it: "made", "redone", "present", "would-make". */
const char *format_outcome_text(enum format_outcome outcome);

#endif
