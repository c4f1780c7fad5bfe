/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what a device is made of, found out by reading it
 */
#ifndef NODEVOL_DISK_SURVEY_H
#define NODEVOL_DISK_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/err.h"
#include "bootstrap/disk/blkdev.h"
#include "bootstrap/disk/signature.h"

/**
 * enum survey_content - the sum of all places
 * @SURVEY_ZERO: all zero
 * @SURVEY_NOISE: all random
 * @SURVEY_NOISE_WITHIN: the first and last 16 MiB zero, all between them random
 * @SURVEY_DENSE: each block looks random, but all together do not, or they are a known kind of stream
 * @SURVEY_MIXED: zeros and random blocks side by side
 * @SURVEY_ORDERLY: at least one block that is neither
 */
enum survey_content {
	SURVEY_ZERO,
	SURVEY_NOISE,
	SURVEY_NOISE_WITHIN,
	SURVEY_DENSE,
	SURVEY_MIXED,
	SURVEY_ORDERLY,
};

/**
 * struct survey - what was found
 * @content: see above
 * @offset: of the first block that is not zero
 * @orderly_at: of the first block that is neither zero nor random, for SURVEY_ORDERLY
 * @places: blocks looked at between the ends
 * @strays: of these, what is neither as most of them are (zero or random): a format leaves few, use leaves many
 * @stream: what the device begins with, "" when it is no stream of a known kind
 * @has_signature: at least one place holds one
 * @signature: the first of them
 */
struct survey {
	enum survey_content content;
	uint64_t offset;
	uint64_t orderly_at;
	uint64_t places;
	uint64_t strays;
	char stream[24];
	bool has_signature;
	struct signature signature;
};

/* Reads the places of sample_plan(). Return: 0, -EIO and what else a read answers, -ENOMEM. */
int survey_content(const struct blkdev *device, struct survey *out, struct err *err);

/**
 * struct survey_signatures - what lies where copies of superblocks lie
 * @own: signatures with the UUID that was asked for, their number
 * @has_foreign: there are others
 * @foreign: the first of these
 */
struct survey_signatures {
	uint64_t own;
	bool has_foreign;
	struct signature foreign;
};

/* Reads the places of places_find(). @uuid: as text, "" for none. Return: as survey_content(). */
int survey_signatures(const struct blkdev *device, const char *uuid, struct survey_signatures *out, struct err *err);

/* Are both ends zero, but for the first @except bytes? Return: 1, 0 and where they are not in @where, or an error. */
int survey_ends_are_zero(const struct blkdev *device, size_t except, uint64_t *where, struct err *err);

#endif
