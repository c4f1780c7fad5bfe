/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/blank.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/describe.h"
#include "bootstrap/disk/hits.h"
#include "bootstrap/disk/noise.h"
#include "bootstrap/disk/phantom.h"
#include "bootstrap/disk/sample.h"
#include "bootstrap/disk/signature.h"
#include "bootstrap/disk/survey.h"
#include "bootstrap/sys/file.h"

#define LEAVINGS_PART 20 /* the metadata of an ext4 of 64 MiB is one part in 40, of larger ones far less */
#define HEAD_BYTES	SAMPLE_PAGE
#define EXT_SUPERBLOCK	1024
#define ZEROS_AT_A_TIME ((size_t)256 << 10)

_Static_assert(DESCRIBE_MAX <= sizeof(((struct blank *)0)->found), "a description fits");

/**
 * struct look - what is known so far
 * @device: which is looked at
 * @head: its first HEAD_BYTES
 * @marked: they hold a marker of ours
 * @fits: it is about this device
 * @marker: it
 * @believed: what libblkid sees, and what is there
 * @suspects: what libblkid sees, and what chance may have made
 */
struct look {
	const struct blkdev *device;
	uint8_t *head;
	bool marked;
	bool fits;
	struct marker marker;
	struct hits believed;
	struct hits suspects;
};

static int taken(struct blank *out)
{
	out->verdict = BLANK_TAKEN;
	return 0;
}

/* Puts each hit of libblkid's on one of the two lists. */
static int sort_hits(struct look *look, const struct hits *hits, struct err *err)
{
	CLEANUP_FREE uint8_t *data = aligned_alloc(SAMPLE_PAGE, 2 * SAMPLE_PAGE);

	if (!data)
		return err_sys(err, ENOMEM, "look at '%s'", look->device->path);
	for (size_t i = 0; i < hits->count; i++) {
		const struct hit *hit = &hits->list[i];
		uint64_t offset = phantom_offset(hit);
		struct hits *list = &look->believed;
		int ret;

		ret = sample_read_one(look->device, offset / SAMPLE_PAGE * SAMPLE_PAGE, data, 2 * SAMPLE_PAGE, err);
		if (ret < 0)
			return ret;
		if (phantom_suspected(hit, data + offset % SAMPLE_PAGE, look->device->size_bytes))
			list = &look->suspects;
		list->list[list->count] = *hit;
		list->list[list->count++].bad_checksum |= list == &look->suspects;
	}
	return 0;
}

/* The superblock of a filesystem of a kind that we make, at its place. */
static bool parse_superblock(const struct look *look, const char *type, struct signature *out)
{
	if (strcmp(type, "ext4") == 0)
		return signature_ext(look->head + EXT_SUPERBLOCK, EXT_SUPERBLOCK, out);
	if (strcmp(type, "xfs") == 0)
		return signature_xfs(look->head, HEAD_BYTES, 0, out);
	return false;
}

static bool has_uuid(const struct marker *marker, const char *filesystem, const char *uuid)
{
	char text[MARKER_UUID_SIZE];

	marker_uuid_text(marker, text);
	return strcmp(marker->filesystem, filesystem) == 0 && strcmp(text, uuid) == 0;
}

static int unfinished(const struct marker *marker, struct blank *out)
{
	out->verdict = BLANK_UNFINISHED;
	out->marker = *marker;
	snprintf(out->found, sizeof(out->found), "an unfinished %s of ours, begun on this disk", marker->filesystem);
	return 0;
}

/* mkfs.xfs was cut short: by us, when the superblock has the UUID that we gave it. */
static int decide_in_progress(const struct look *look, const struct signature *superblock, struct blank *out,
			      struct err *err)
{
	struct marker marker;
	int ret = marker_make(look->device, "xfs", &marker, err);

	if (ret < 0)
		return ret;
	if (has_uuid(&marker, "xfs", superblock->uuid))
		return unfinished(&marker, out);
	snprintf(out->found, sizeof(out->found), "an xfs that was never finished, and not begun by this tool (UUID %s)",
		 superblock->uuid);
	return taken(out);
}

/* libblkid sees one thing that is there. */
static int decide_one(const struct look *look, struct blank *out, struct err *err)
{
	const struct hit *hit = &look->believed.list[0];
	char device_size[DESCRIBE_SIZE_MAX];
	struct signature superblock;

	describe_hits(&look->believed, out->found);
	if (!parse_superblock(look, hit->type, &superblock))
		return taken(out);
	if (hit->bad_checksum || !superblock.sound) {
		/* Half of it was written when the power went, before the marker was removed and anything could be mounted. */
		if (look->fits && !superblock.was_mounted && has_uuid(&look->marker, hit->type, superblock.uuid))
			return unfinished(&look->marker, out);
		snprintf(out->found, sizeof(out->found), "a damaged superblock of %s (label '%s', UUID %s)", hit->type,
			 superblock.label, superblock.uuid);
		return taken(out);
	}
	if (superblock.in_progress)
		return decide_in_progress(look, &superblock, out, err);
	if (superblock.size_bytes > look->device->size_bytes) {
		size_t length = strlen(out->found);

		describe_size(look->device->size_bytes, device_size);
		snprintf(out->found + length, sizeof(out->found) - length, " that is larger than the disk's %s",
			 device_size);
		return taken(out);
	}
	out->verdict = BLANK_FILESYSTEM;
	snprintf(out->filesystem, sizeof(out->filesystem), "%s", superblock.filesystem);
	snprintf(out->label, sizeof(out->label), "%s", hit->label);
	snprintf(out->uuid, sizeof(out->uuid), "%s", hit->uuid);
	out->stale_marker = look->fits && has_uuid(&look->marker, hit->type, superblock.uuid);
	if (out->stale_marker)
		out->marker = look->marker;
	return 0;
}

/*
 * Beside a marker that fits, the disk was blank when it was written. So a suspect is a phantom when its block is noise; the
 * marker itself is not looked at. Return: 1, 0, or an error.
 */
static int suspects_are_noise(const struct look *look, struct err *err)
{
	CLEANUP_FREE uint8_t *data = aligned_alloc(SAMPLE_PAGE, SAMPLE_PAGE);

	if (!data)
		return err_sys(err, ENOMEM, "look at '%s'", look->device->path);
	for (size_t i = 0; i < look->suspects.count; i++) {
		uint64_t page = phantom_offset(&look->suspects.list[i]) / SAMPLE_PAGE * SAMPLE_PAGE;
		size_t skip = page ? 0 : MARKER_BYTES;
		size_t length = SAMPLE_PAGE;
		int ret = sample_read_one(look->device, page, data, SAMPLE_PAGE, err);

		if (ret < 0)
			return ret;
		if (page + length > look->device->size_bytes)
			length = (size_t)(look->device->size_bytes - page);
		if (noise_judge(data + skip, length - skip) != NOISE_RANDOM)
			return 0;
	}
	return 1;
}

/*
 * What a format of ours that was cut short leaves is little: bitmaps, group descriptors, heads of inode tables. A disk of
 * which more is in use was written to by somebody else after us, whatever the marker says.
 */
static int decide_leavings(const struct look *look, struct blank *out, struct err *err)
{
	struct survey survey;
	int ret = survey_content(look->device, &survey, err);

	if (ret < 0)
		return ret;
	if (survey.strays <= survey.places / LEAVINGS_PART)
		return unfinished(&look->marker, out);
	snprintf(out->found, sizeof(out->found),
		 "the mark of an unfinished %s of ours, and more data than that leaves (%d of %d places looked at)",
		 look->marker.filesystem, (int)survey.strays, (int)survey.places);
	return taken(out);
}

/* A marker, and nothing that libblkid sees for sure. */
static int decide_marked(const struct look *look, struct blank *out, struct err *err)
{
	char size[DESCRIBE_SIZE_MAX];
	int ret;

	if (!look->fits) {
		describe_size(look->marker.size_bytes, size);
		snprintf(out->found, sizeof(out->found),
			 "an unfinished %s of another disk or size (%s, %s): a copy, or a disk that was resized meanwhile",
			 look->marker.filesystem, look->marker.identity[0] ? look->marker.identity : "without a name",
			 size);
		return taken(out);
	}
	ret = suspects_are_noise(look, err);
	if (ret < 0)
		return ret;
	if (!ret) {
		describe_hits(&look->suspects, out->found);
		return taken(out);
	}
	return decide_leavings(look, out, err);
}

/* No superblock, no marker: the content speaks. */
static int decide_content(const struct look *look, struct blank *out, struct err *err)
{
	struct survey survey;
	int ret = survey_content(look->device, &survey, err);

	if (ret < 0)
		return ret;
	describe_content(&survey, out->found);
	if (survey.has_signature) {
		describe_signature(&survey.signature, look->device->size_bytes, out->found);
		return taken(out);
	}
	/* Suspects are phantoms where all is random, and only there. */
	if (look->suspects.count && survey.content != SURVEY_NOISE) {
		describe_hits(&look->suspects, out->found);
		return taken(out);
	}
	if (survey.content == SURVEY_ZERO)
		out->verdict = BLANK_ZERO;
	else if (survey.content == SURVEY_NOISE || survey.content == SURVEY_NOISE_WITHIN)
		out->verdict = BLANK_NOISE;
	else
		out->verdict = BLANK_TAKEN;
	return 0;
}

static int decide(const struct look *look, struct blank *out, struct err *err)
{
	char uuid[MARKER_UUID_SIZE] = "";
	struct survey_signatures signatures;
	int ret;

	if (look->believed.count > 1) {
		describe_hits(&look->believed, out->found);
		return taken(out);
	}
	if (look->believed.count == 1)
		return decide_one(look, out, err);
	if (look->fits)
		marker_uuid_text(&look->marker, uuid);
	ret = survey_signatures(look->device, uuid, &signatures, err);
	if (ret < 0)
		return ret;
	if (signatures.has_foreign) {
		describe_signature(&signatures.foreign, look->device->size_bytes, out->found);
		return taken(out);
	}
	return look->marked ? decide_marked(look, out, err) : decide_content(look, out, err);
}

int blank_check(const struct blkdev *device, struct blank *out, struct err *err)
{
	CLEANUP_FREE uint8_t *head = aligned_alloc(SAMPLE_PAGE, HEAD_BYTES);
	struct look look = { .device = device, .head = head };
	struct blank blank = { .verdict = BLANK_TAKEN };
	struct hits hits;
	int ret;

	if (!head)
		return err_sys(err, ENOMEM, "look at '%s'", device->path);
	if (!device->size_bytes)
		return err_set(err, ENOMEDIUM, "'%s' has no size: there is nothing behind it", device->path);
	supervise_stage("looking at what '%s' holds", device->path);
	ret = sample_read_one(device, 0, head, HEAD_BYTES, err);
	if (ret == 0)
		ret = hits_find(device, &hits, err);
	if (ret == 0)
		ret = sort_hits(&look, &hits, err);
	if (ret < 0)
		return ret;
	look.marked = marker_decode(head, &look.marker);
	look.fits = look.marked && marker_fits(&look.marker, device);
	ret = decide(&look, &blank, err);
	if (ret == 0)
		*out = blank;
	return ret;
}

/* Zeroing the ends */

static int write_zeros(int fd, uint64_t from, uint64_t to, struct err *err)
{
	CLEANUP_FREE uint8_t *zeros = calloc(1, ZEROS_AT_A_TIME);
	int ret = zeros ? 0 : -ENOMEM;

	while (ret == 0 && from < to) {
		size_t part = to - from < ZEROS_AT_A_TIME ? (size_t)(to - from) : ZEROS_AT_A_TIME;

		ret = file_pwrite_all(fd, zeros, part, (off_t)from);
		from += part;
	}
	return ret < 0 ? err_sys(err, -ret, "write zeros up to byte %" PRIu64, from) : 0;
}

/*
 * Whoever writes to the disk beside us, or a disk that does not keep what it is given, is noticed here. What a cut format of
 * @marker has left between the ends is no news.
 */
static int check_zeroed(const struct blkdev *device, const struct marker *marker, struct err *err)
{
	char uuid[MARKER_UUID_SIZE];
	char found[DESCRIBE_MAX];
	struct survey_signatures signatures;
	struct hits hits;
	uint64_t where;
	int ret;

	ret = survey_ends_are_zero(device, MARKER_BYTES, &where, err);
	if (ret < 0)
		return ret;
	if (!ret)
		return err_refuse(err, "'%s' is not zero at byte %" PRIu64 " after zeros were written there",
				  device->path, where);
	marker_uuid_text(marker, uuid);
	ret = hits_find(device, &hits, err);
	if (ret == 0)
		ret = survey_signatures(device, uuid, &signatures, err);
	if (ret < 0)
		return ret;
	if (!hits.count && !signatures.has_foreign)
		return 0;
	if (hits.count)
		describe_hits(&hits, found);
	else
		describe_signature(&signatures.foreign, device->size_bytes, found);
	return err_refuse(err, "'%s' holds %s after its ends were zeroed", device->path, found);
}

int blank_zero_ends(const struct blkdev *device, const struct marker *marker, bool keep_marker, struct err *err)
{
	struct sample_plan plan = sample_plan(device->size_bytes, 0);
	uint64_t head = device->size_bytes < SAMPLE_END ? device->size_bytes : SAMPLE_END;
	CLEANUP_CLOSE int fd = -1;
	int ret;

	if (!marker_fits(marker, device))
		return err_set(err, EINVAL, "the marker is not about '%s'", device->path);
	supervise_stage("zeroing the ends of '%s'", device->path);
	ret = blkdev_open_writer(device, &fd, err);
	if (ret == 0)
		ret = marker_write(fd, marker, err);
	if (ret == 0)
		ret = write_zeros(fd, MARKER_BYTES, head, err);
	if (ret == 0)
		ret = write_zeros(fd, plan.tail > MARKER_BYTES ? plan.tail : MARKER_BYTES, device->size_bytes, err);
	if (ret == 0 && fsync(fd) < 0)
		ret = err_sys(err, errno, "sync '%s'", device->path);
	if (ret == 0)
		ret = check_zeroed(device, marker, err);
	if (ret == 0 && !keep_marker)
		ret = marker_clear(fd, err);
	return ret;
}
