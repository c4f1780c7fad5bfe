/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/noise.h"
#include "bootstrap/disk/places.h"
#include "bootstrap/disk/sample.h"

#define KINDS	    3
#define PIECE_BYTES ((size_t)1 << 20)
#define NOWHERE	    UINT64_MAX

static bool is_zero(const uint8_t *data, size_t length)
{
	return length == 0 || (data[0] == 0 && memcmp(data, data + 1, length - 1) == 0);
}

/**
 * struct tally - what was seen
 * @ends: number of blocks of each kind in the first and last 16 MiB
 * @between: the same between them
 * @first: offset of the first block of each kind
 */
struct tally {
	uint64_t ends[KINDS];
	uint64_t between[KINDS];
	uint64_t first[KINDS];
};

/**
 * struct surveyor - survey_content() at work
 * @plan: the places
 * @tally: of all blocks
 * @noise: the sum of random blocks
 * @survey: its signature
 */
struct surveyor {
	struct sample_plan plan;
	struct tally tally;
	struct noise *noise;
	struct survey survey;
};

static struct sample_place content_place(void *context, uint64_t number)
{
	const struct surveyor *surveyor = context;

	return sample_plan_place(&surveyor->plan, number);
}

static void note_signature(struct surveyor *surveyor, uint64_t offset, const uint8_t *data, size_t length)
{
	struct survey *survey = &surveyor->survey;
	struct signature signature;

	if (!signature_find(data, length, offset, &signature))
		return;
	if (!survey->has_signature || signature.offset < survey->signature.offset)
		survey->signature = signature;
	survey->has_signature = true;
}

static void judge_block(struct surveyor *surveyor, uint64_t offset, const uint8_t *data, size_t length)
{
	struct tally *tally = &surveyor->tally;
	bool is_end = offset < SAMPLE_END || offset >= surveyor->plan.tail;
	enum noise_kind kind = noise_judge(data, length);

	(is_end ? tally->ends : tally->between)[kind]++;
	if (offset < tally->first[kind])
		tally->first[kind] = offset;
	if (kind == NOISE_RANDOM)
		noise_add(surveyor->noise, data, length);
}

static void content_visit(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
	struct surveyor *surveyor = context;
	size_t block;

	if (!is_zero(data, length))
		note_signature(surveyor, offset, data, length);
	for (size_t at = 0; at < length; at += block) {
		/* A rest too short to be judged goes with the block before it. */
		block = length - at < NOISE_BLOCK + 512 ? length - at : NOISE_BLOCK;
		judge_block(surveyor, offset + at, data + at, block);
	}
}

static enum survey_content classify(const struct tally *sum, const struct noise *noise)
{
	if (sum->ends[NOISE_ORDERLY] || sum->between[NOISE_ORDERLY])
		return SURVEY_ORDERLY;
	if (!sum->ends[NOISE_RANDOM] && !sum->between[NOISE_RANDOM])
		return SURVEY_ZERO;
	if (sum->between[NOISE_ZERO] || (sum->ends[NOISE_ZERO] && sum->ends[NOISE_RANDOM]))
		return SURVEY_MIXED;
	if (!noise_is_random(noise))
		return SURVEY_DENSE;
	return sum->ends[NOISE_RANDOM] ? SURVEY_NOISE : SURVEY_NOISE_WITHIN;
}

/* Streams that somebody wrote to the bare device begin at its first byte. Four bytes at least: noise has fewer by chance. */
static const struct stream {
	const char *name;
	const char *magic;
	size_t length;
	size_t offset;
} streams[] = {
	{ "gzip data", "\x1f\x8b\x08\x00", 4, 0 },
	{ "gzip data", "\x1f\x8b\x08\x08", 4, 0 },
	{ "xz data", "\xfd" "7zXZ", 6, 0 },
	{ "zstd data", "\x28\xb5\x2f\xfd", 4, 0 },
	{ "lz4 data", "\x04\x22\x4d\x18", 4, 0 },
	{ "lzip data", "LZIP", 4, 0 },
	{ "bzip2 data", "1AY&SY", 6, 4 },
	{ "a 7z archive", "7z\xbc\xaf\x27\x1c", 6, 0 },
	{ "a zip archive", "PK\x03\x04", 4, 0 },
	{ "a tar archive", "ustar", 5, 257 },
	{ "a video", "ftyp", 4, 4 },
	{ "data that openssl made", "Salted__", 8, 0 },
	{ "data that age made", "age-encryption.org/", 19, 0 },
};

static const char *stream_of(const uint8_t *head)
{
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
		if (memcmp(head + streams[i].offset, streams[i].magic, streams[i].length) == 0)
			return streams[i].name;
	return NULL;
}

static int read_piece(const struct blkdev *device, uint64_t offset, uint8_t *piece, struct err *err)
{
	return sample_read_one(device, offset / SAMPLE_PAGE * SAMPLE_PAGE, piece, PIECE_BYTES, err);
}

/* A stream has a name at its start. What seems to be noise is looked at once more for LZMA: there, in the middle, late. */
static int look_for_streams(const struct surveyor *surveyor, const struct blkdev *device, struct survey *survey,
			    struct err *err)
{
	uint64_t size = device->size_bytes;
	const uint64_t offsets[] = { 0, size / 2, surveyor->plan.tail + (size - surveyor->plan.tail) / 2 };
	bool is_noise = survey->content == SURVEY_NOISE || survey->content == SURVEY_NOISE_WITHIN;
	size_t count = is_noise && size > PIECE_BYTES ? ARRAY_SIZE(offsets) : 1;
	CLEANUP_FREE uint8_t *piece = aligned_alloc(SAMPLE_PAGE, PIECE_BYTES);
	const char *name = NULL;
	int ret = piece ? 0 : err_sys(err, ENOMEM, "read '%s'", device->path);

	for (size_t i = 0; ret == 0 && !name && i < count; i++) {
		ret = read_piece(device, offsets[i], piece, err);
		if (ret == 0 && i == 0)
			name = stream_of(piece);
		if (ret == 0 && is_noise && !name && noise_is_lzma(piece, PIECE_BYTES))
			name = "xz or 7z data";
	}
	if (name)
		snprintf(survey->stream, sizeof(survey->stream), "%s", name);
	if (name && is_noise)
		survey->content = SURVEY_DENSE;
	return ret;
}

static int conclude(struct surveyor *surveyor, const struct blkdev *device, struct survey *out, struct err *err)
{
	struct survey *survey = &surveyor->survey;
	const struct tally *tally = &surveyor->tally;
	int ret = 0;

	survey->content = classify(tally, surveyor->noise);
	survey->orderly_at = tally->first[NOISE_ORDERLY];
	survey->offset = tally->first[NOISE_RANDOM] < tally->first[NOISE_ORDERLY] ? tally->first[NOISE_RANDOM]
									    : tally->first[NOISE_ORDERLY];
	survey->places = tally->between[NOISE_ZERO] + tally->between[NOISE_RANDOM] + tally->between[NOISE_ORDERLY];
	survey->strays = tally->between[NOISE_ORDERLY] + (tally->between[NOISE_ZERO] < tally->between[NOISE_RANDOM] ?
								   tally->between[NOISE_ZERO] :
								   tally->between[NOISE_RANDOM]);
	if (survey->content != SURVEY_ZERO)
		ret = look_for_streams(surveyor, device, survey, err);
	if (ret == 0)
		*out = *survey;
	return ret;
}

static int draw_seed(uint64_t *out, struct err *err)
{
	/* Eight bytes are never cut short (getrandom(2)). */
	if (getrandom(out, sizeof(*out), 0) != (ssize_t)sizeof(*out))
		return err_sys(err, errno, "draw a random number");
	return 0;
}

int survey_content(const struct blkdev *device, struct survey *out, struct err *err)
{
	struct surveyor surveyor = { .tally.first = { NOWHERE, NOWHERE, NOWHERE } };
	CLEANUP_FREE struct noise *noise = calloc(1, sizeof(*noise));
	struct sample_job job = {
		.device = device,
		.place = content_place,
		.visit = content_visit,
		.context = &surveyor,
	};
	uint64_t seed;
	int ret;

	if (!noise)
		return err_sys(err, ENOMEM, "read '%s'", device->path);
	ret = draw_seed(&seed, err);
	if (ret < 0)
		return ret;
	surveyor.noise = noise;
	surveyor.plan = sample_plan(device->size_bytes, seed);
	job.count = sample_plan_count(&surveyor.plan);
	ret = sample_read(&job, err);
	return ret < 0 ? ret : conclude(&surveyor, device, out, err);
}

/* Signatures */

struct searcher {
	struct places places;
	const char *uuid;
	struct survey_signatures found;
};

static struct sample_place copy_place(void *context, uint64_t number)
{
	const struct searcher *searcher = context;

	return (struct sample_place){ .offset = searcher->places.offsets[number], .length = PLACES_BYTES };
}

static void note_copy(struct searcher *searcher, const struct signature *signature)
{
	struct survey_signatures *found = &searcher->found;

	if (searcher->uuid[0] && strcmp(signature->uuid, searcher->uuid) == 0) {
		found->own++;
		return;
	}
	if (!found->has_foreign || signature->offset < found->foreign.offset)
		found->foreign = *signature;
	found->has_foreign = true;
}

static void copy_visit(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
	struct searcher *searcher = context;
	struct signature signature;
	size_t at = 0;

	if (is_zero(data, length))
		return;
	while (at < length && signature_find(data + at, length - at, offset + at, &signature)) {
		note_copy(searcher, &signature);
		at = (size_t)(signature.offset - offset) + 512;
	}
}

int survey_signatures(const struct blkdev *device, const char *uuid, struct survey_signatures *out, struct err *err)
{
	struct searcher searcher = { .uuid = uuid };
	CLEANUP_PLACES struct places places = PLACES_INIT;
	struct sample_job job = {
		.device = device,
		.place = copy_place,
		.visit = copy_visit,
		.context = &searcher,
	};
	int ret = places_find(device->size_bytes, &places, err);

	if (ret < 0)
		return ret;
	searcher.places = places;
	job.count = places.count;
	ret = sample_read(&job, err);
	if (ret == 0)
		*out = searcher.found;
	return ret;
}

/* The ends */

struct end_checker {
	struct sample_plan plan;
	size_t except;
	uint64_t where;
};

static struct sample_place end_place(void *context, uint64_t number)
{
	const struct end_checker *checker = context;

	return sample_plan_place(&checker->plan, number);
}

static void end_visit(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
	struct end_checker *checker = context;
	size_t skip = offset == 0 && checker->except < length ? checker->except : 0;
	bool is_between = offset >= SAMPLE_END && offset < checker->plan.tail;

	if (is_between || is_zero(data + skip, length - skip))
		return;
	if (offset < checker->where)
		checker->where = offset;
}

int survey_ends_are_zero(const struct blkdev *device, size_t except, uint64_t *where, struct err *err)
{
	struct end_checker checker = {
		.plan = sample_plan(device->size_bytes, 0),
		.except = except,
		.where = NOWHERE,
	};
	struct sample_job job = {
		.device = device,
		.count = checker.plan.whole,
		.place = end_place,
		.visit = end_visit,
		.context = &checker,
	};
	int ret = sample_read(&job, err);

	if (ret < 0)
		return ret;
	*where = checker.where;
	return checker.where == NOWHERE;
}
