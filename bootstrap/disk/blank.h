/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: is there anything on this device
 *
 * The one question on which data is lost or kept. Everything is read by ourselves from the held device, in this order; the
 * first step that knows decides:
 *
 * 1. What libblkid sees (hits.h). A hit is believed, unless its kind is one that libblkid believes too easily, its structure
 *    does not hold (phantom.h), and there is nothing but noise around it. A single ext4 or xfs that is sound, finished and
 *    not larger than the disk is BLANK_FILESYSTEM, everything else BLANK_TAKEN.
 * 2. What lies where filesystems keep copies (places.h, signature.h): ext4's backups, xfs's groups, btrfs's mirrors, a GPT
 *    at the end: BLANK_TAKEN.
 * 3. Our own marker or an unfinished xfs of ours: BLANK_UNFINISHED, when nothing was found before that does not carry its
 *    UUID. So a valid superblock beats a marker, whatever the marker says.
 * 4. The first and last 16 MiB whole, and at least 4,096 places spread over what is between (sample.h): all zero is
 *    BLANK_ZERO; all random, as a fresh encrypted volume reads, or both ends zero and all between random, as
 *    blank_zero_ends() leaves it, is BLANK_NOISE. It is for the caller to know whether noise may be taken for blank here.
 * 5. Anything else: BLANK_TAKEN.
 *
 * What this can not see: data of no known kind that lies between the places of step 4, and encrypted data without a header,
 * which is noise. One piece of a 2,048th of the disk is always hit (50 MiB of 100 GiB); data strewn over the disk is missed
 * once in 60 times when it fills a thousandth of it, two times in three when it fills a ten-thousandth.
 */
#ifndef NODEVOL_DISK_BLANK_H
#define NODEVOL_DISK_BLANK_H

#include <stdint.h>

#include "bootstrap/base/err.h"
#include "bootstrap/disk/blkdev.h"
#include "bootstrap/disk/marker.h"

/**
 * enum blank_verdict - what a device holds
 * @BLANK_ZERO: nothing, all that was read is zero
 * @BLANK_NOISE: everything read is statistically random, or its ends are zero as blank_zero_ends() leaves them
 * @BLANK_UNFINISHED: a format of ours that was cut short; @blank.marker says which
 * @BLANK_FILESYSTEM: exactly one filesystem of a kind that we make (ext4, xfs), whole disk, superblock valid
 * @BLANK_TAKEN: something else, or something doubtful: never written to
 */
enum blank_verdict {
	BLANK_ZERO,
	BLANK_NOISE,
	BLANK_UNFINISHED,
	BLANK_FILESYSTEM,
	BLANK_TAKEN,
};

/**
 * struct blank - the answer
 * @verdict: see above
 * @found: for people, what was found and where, fit for "refused: /dev/x holds %s"
 * @filesystem: for BLANK_FILESYSTEM, "ext4" or "xfs"
 * @label: its label, "" for none
 * @uuid: its UUID as text
 * @stale_marker: a valid superblock together with the marker of the same UUID: the format was complete but for the marker's
 *		  removal. Whoever goes on to mount it calls marker_clear() before: beside a marker, a superblock that is
 *		  damaged later would be taken for one that was never finished.
 * @marker: for BLANK_UNFINISHED and @stale_marker
 */
struct blank {
	enum blank_verdict verdict;
	char found[256];
	char filesystem[16];
	char label[64];
	char uuid[40];
	bool stale_marker;
	struct marker marker;
};

/* Reads only. @device->identity decides whose unfinished work it is. Return: 0, or -EIO and other read errors. */
int blank_check(const struct blkdev *device, struct blank *out, struct err *err);

/*
 * For accepted noise: writes @marker, zeroes the first and last 16 MiB beside it, syncs, and checks again that nothing is
 * left there that anything recognises; with @marker removed at the end if @keep_marker is false (mkfs.xfs wants the first
 * sector). Return: 0, -EPERM (ERR_REFUSED) when something showed, write errors.
 */
int blank_zero_ends(const struct blkdev *device, const struct marker *marker, bool keep_marker, struct err *err);

#endif
