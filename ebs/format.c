/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/blank.h"
#include "bootstrap/disk/ext4.h"
#include "bootstrap/disk/marker.h"
#include "bootstrap/disk/xfs.h"

const char *format_outcome_text(enum format_outcome outcome)
{
	static const char *const texts[] = {
		[FORMAT_MADE] = "made",
		[FORMAT_REDONE] = "redone",
		[FORMAT_PRESENT] = "present",
		[FORMAT_WOULD_MAKE] = "would-make",
	};

	return texts[outcome];
}

static bool is_xfs(const char *filesystem)
{
	return strcmp(filesystem, "xfs") == 0;
}

static void describe(const struct blank *blank, struct format_result *out)
{
	snprintf(out->filesystem, sizeof(out->filesystem), "%s", blank->filesystem);
	snprintf(out->label, sizeof(out->label), "%s", blank->label);
	snprintf(out->uuid, sizeof(out->uuid), "%s", blank->uuid);
}

/* A format that was complete but for the removal of its marker. */
static int clear_stale_marker(const struct blkdev *device, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	int ret = blkdev_open_writer(device, &fd, err);

	if (ret == 0)
		ret = marker_clear(fd, err);
	if (ret == 0)
		log_step("%s: removed the mark of a format that had been cut short after its last step", device->path);
	return ret;
}

static int accept_present(const struct blkdev *device, const struct format_request *request, const struct blank *blank,
			  struct format_result *out, struct err *err)
{
	if (request->filesystem && strcmp(request->filesystem, blank->filesystem) != 0)
		return err_refuse(err, "'%s' holds a filesystem of type %s, expected %s: nothing is changed; ask for %s, or "
				  "attach an empty volume", device->path, blank->filesystem, request->filesystem,
				  blank->filesystem);
	if (request->label && strcmp(request->label, blank->label) != 0)
		return err_refuse(err, "'%s' holds %s with the label '%s', expected '%s': nothing is changed; it may be "
				  "another volume, else ask for its label or change that with %s", device->path,
				  blank->filesystem, blank->label, request->label,
				  is_xfs(blank->filesystem) ? "xfs_admin -L" : "e2label");
	describe(blank, out);
	out->outcome = FORMAT_PRESENT;
	if (blank->stale_marker && !request->dry_run && !device->read_only && !is_xfs(blank->filesystem))
		return clear_stale_marker(device, err);
	return 0;
}

/* The reasons for which nothing may be made, all of them before the first write. */
static int check_may_make(const struct blkdev *device, const struct format_request *request, const struct blank *blank,
			  const char *filesystem, struct err *err)
{
	const char *label = request->label ? request->label : "";

	if (blank->verdict == BLANK_TAKEN)
		return err_refuse(err,
				  "'%s' holds %s: it is not touched; attach an empty volume, or erase this one yourself if "
				  "nothing on it is needed",
				  device->path, blank->found);
	if (blank->verdict == BLANK_NOISE && !request->noise_permission)
		return err_refuse(err,
				  "'%s' holds %s; a fresh encrypted volume reads so, but a disk encrypted by other means "
				  "does too; if this volume is known to be new, allow it with --accept-noise "
				  "(\"accept-noise\": true in a configuration)",
				  device->path, blank->found);
	if (blank->verdict == BLANK_UNFINISHED && strcmp(blank->marker.filesystem, filesystem) != 0)
		return err_refuse(err,
				  "'%s' holds an unfinished %s of ours, expected %s: finish it by asking for %s, or erase "
				  "the volume yourself",
				  device->path, blank->marker.filesystem, filesystem, blank->marker.filesystem);
	if (device->read_only) {
		err_refuse(err, "'%s' is read-only", device->path);
		err->code = EROFS;
		return -EROFS;
	}
	if (is_xfs(filesystem) ? xfs_check(device->size_bytes, label, err) < 0 :
				 ext4_check(device->size_bytes, label, err) < 0)
		return err_wrap(err, "format '%s'", device->path);
	return 0;
}

/* The marker first, so that a format that is cut short anywhere from here on is known as ours. */
static int make_ext4(const struct blkdev *device, const struct blank *blank, const char *label, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct marker marker;
	int ret = marker_make(device, "ext4", &marker, err);

	if (ret == 0 && blank->verdict != BLANK_ZERO)
		ret = blank_zero_ends(device, &marker, true, err);
	if (ret == 0)
		ret = blkdev_open_writer(device, &fd, err);
	if (ret == 0 && blank->verdict == BLANK_ZERO)
		ret = marker_write(fd, &marker, err);
	return ret < 0 ? ret : ext4_make(fd, &marker, label, err);
}

/* What was made is looked at as if somebody else had made it. */
static int verify(const struct blkdev *device, const char *filesystem, const char *label, struct format_result *out,
		  struct err *err)
{
	char uuid[MARKER_UUID_SIZE];
	struct marker marker;
	struct blank blank;
	int ret = marker_make(device, filesystem, &marker, err);

	if (ret == 0)
		ret = blank_check(device, &blank, err);
	if (ret < 0)
		return ret;
	marker_uuid_text(&marker, uuid);
	if (blank.verdict != BLANK_FILESYSTEM || strcmp(blank.filesystem, filesystem) != 0 ||
	    strcmp(blank.uuid, uuid) != 0 || strcmp(blank.label, label) != 0)
		return err_set(err, EIO, "'%s' holds %s after the %s was made", device->path, blank.found, filesystem);
	describe(&blank, out);
	return 0;
}

static int make(struct blkdev *device, const struct format_request *request, const struct blank *blank,
		const char *filesystem, struct format_result *out, struct err *err)
{
	const char *label = request->label ? request->label : "";
	int64_t begin_ms = deadline_now_ms();
	int ret;

	supervise_stage("making %s on '%s'", filesystem, device->path);
	if (blank->verdict == BLANK_NOISE)
		snprintf(out->noise_because, sizeof(out->noise_because), "%s", request->noise_permission);
	if (is_xfs(filesystem))
		ret = xfs_make(device, blank, label, &request->deadline, err);
	else
		ret = make_ext4(device, blank, label, err);
	if (ret == 0)
		ret = verify(device, filesystem, label, out, err);
	if (ret < 0)
		return err_wrap(err, "make %s", filesystem);
	out->outcome = blank->verdict == BLANK_UNFINISHED ? FORMAT_REDONE : FORMAT_MADE;
	log_detail("%s: %s %s of %" PRIu64 " bytes in %" PRId64 " ms, UUID %s", device->path,
		 format_outcome_text(out->outcome), filesystem, device->size_bytes, deadline_now_ms() - begin_ms, out->uuid);
	return 0;
}

int format_device(struct blkdev *device, const struct format_request *request, struct format_result *out, struct err *err)
{
	struct format_result result = { .was_blank = true };
	const char *filesystem = request->filesystem ? request->filesystem : "ext4";
	struct blank blank;
	int ret;

	supervise_stage("looking at what '%s' holds", device->path);
	ret = blank_check(device, &blank, err);
	if (ret < 0)
		return ret;
	log_detail("%s: found %s", device->path, blank.found);
	snprintf(result.found, sizeof(result.found), "%s", blank.found);
	if (blank.verdict == BLANK_FILESYSTEM) {
		result.was_blank = false;
		ret = accept_present(device, request, &blank, &result, err);
	} else {
		if (blank.verdict == BLANK_UNFINISHED && !request->filesystem)
			filesystem = blank.marker.filesystem;
		ret = check_may_make(device, request, &blank, filesystem, err);
		if (ret == 0 && request->dry_run) {
			result.outcome = FORMAT_WOULD_MAKE;
			snprintf(result.filesystem, sizeof(result.filesystem), "%s", filesystem);
			snprintf(result.label, sizeof(result.label), "%s", request->label ? request->label : "");
		} else if (ret == 0) {
			ret = make(device, request, &blank, filesystem, &result, err);
		}
	}
	if (ret == 0)
		*out = result;
	return ret;
}
