/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: reading many places of a device at once
 *
 * An EBS volume answers a read in half a millisecond or more, so 5,000 reads one after the other would take seconds. The
 * kernel's asynchronous reads (io_submit(2)) keep many in flight from one thread: what looks at them needs no locks, and
 * there is no switch between threads for each of thousands of small reads.
 */
#ifndef NODEVOL_DISK_SAMPLE_H
#define NODEVOL_DISK_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/err.h"
#include "bootstrap/disk/blkdev.h"

#define SAMPLE_DEPTH	32		      /* most reads in flight */
#define SAMPLE_MAX	((uint32_t)128 << 10) /* length of the longest place */
#define SAMPLE_PAGE	((uint32_t)4096)      /* places begin at multiples of this */
#define SAMPLE_END	((uint64_t)16 << 20)  /* both ends of a device are read whole, this much of each */
#define SAMPLE_STRATA	4096		      /* fewest places between the ends */
#define SAMPLE_STEP	((uint64_t)128 << 20) /* at multiples of this ext4 of default geometry has its groups */
#define SAMPLE_STEPS	4096		      /* most of these multiples */

/**
 * struct sample_place - a piece of a device
 * @offset: a multiple of SAMPLE_PAGE
 * @length: at most SAMPLE_MAX; cut at the end of the device
 */
struct sample_place {
	uint64_t offset;
	uint32_t length;
};

/**
 * struct sample_job - what to read and who looks at it
 * @device: held
 * @count: number of places
 * @place: which the one with this number is
 * @visit: looks at what was read there, in whatever order the reads come back
 * @context: handed to both
 */
struct sample_job {
	const struct blkdev *device;
	uint64_t count;
	struct sample_place (*place)(void *context, uint64_t number);
	void (*visit)(void *context, uint64_t offset, const uint8_t *data, size_t length);
	void *context;
};

/* Return: 0 when all places were visited; -EIO and what else a read answers, -ENOMEM. */
int sample_read(const struct sample_job *job, struct err *err);

/* One piece, @length bytes from @offset on, both multiples of SAMPLE_PAGE; zeros behind the end. @data is page-aligned. */
int sample_read_one(const struct blkdev *device, uint64_t offset, uint8_t *data, size_t length, struct err *err);

/**
 * struct sample_plan - the places that stand for a whole device
 * @size_bytes: of the device
 * @tail: where the last SAMPLE_END bytes begin, rounded down to SAMPLE_PAGE
 * @whole: places that are read without gap: all of a device of up to 64 MiB, else both ends
 * @strata: places spread over what is between, one in each of as many equal parts, at a random offset within
 * @steps: multiples of SAMPLE_STEP between the ends, or as many of them as SAMPLE_STEPS, evenly spread
 * @seed: of the random offsets
 */
struct sample_plan {
	uint64_t size_bytes;
	uint64_t tail;
	uint64_t whole;
	uint64_t strata;
	uint64_t steps;
	uint64_t seed;
};

/* Takes no memory: a place is computed when it is asked for. */
struct sample_plan sample_plan(uint64_t size_bytes, uint64_t seed);

/* How many places the plan has. */
uint64_t sample_plan_count(const struct sample_plan *plan);

/* The place with this number, below sample_plan_count(). */
struct sample_place sample_plan_place(const struct sample_plan *plan, uint64_t number);

#endif
