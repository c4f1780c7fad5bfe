/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/xfs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/xfs-wipe.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/sys/process.h"

#define MIB	    ((uint64_t)1 << 20)
#define OUTPUT_MAX  16384
#define ARGUMENT_MAX 256
#define LINE_SIZE   640
#define PAGE_BYTES  4096

/*
 * What kernel 5.10 mounts, whatever mkfs.xfs makes by default (xfsprogs ships this list as mkfs/lts_5.10.conf, with the
 * versions that have such files). An option that the installed mkfs.xfs does not know is a feature that it does not make.
 */
static const struct feature {
	char section;
	const char *name;
	bool on;
} features[] = {
	{ 'm', "crc", true },	     { 'm', "finobt", true },	{ 'm', "reflink", true },
	{ 'm', "rmapbt", false },    { 'm', "bigtime", false }, { 'm', "inobtcount", false },
	{ 'm', "metadir", false },   { 'i', "sparse", true },	{ 'i', "nrext64", false },
	{ 'i', "exchange", false },  { 'i', "verity", false },	{ 'n', "parent", false },
};

/* Does a usage text list "NAME="? */
static bool lists(const char *usage, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = strstr(usage, name); at; at = strstr(at + 1, name))
		if (at != usage && strchr(" ,[\t\n", at[-1]) && at[length] == '=')
			return true;
	return false;
}

/* Adds ",NAME=0" or ",NAME=1" for each feature of @section that mkfs.xfs knows; the first comma only after something. */
static void add_features(char section, const char *usage, char *argument)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		size_t length = strlen(argument);

		if (features[i].section == section && lists(usage, features[i].name))
			snprintf(argument + length, ARGUMENT_MAX - length, "%s%s=%d", length ? "," : "",
				 features[i].name, features[i].on);
	}
}

static int run_mkfs(const char *const *argv, const struct deadline *deadline, struct buf *output, int *status,
		    struct err *err)
{
	int ret = process_run(argv, deadline, output, status, err);

	if (ret == -ENOENT) {
		err_set(err, ENOENT, "xfs needs the program mkfs.xfs; install the package xfsprogs");
		err->status = ERR_FAILED;
	}
	return ret;
}

/* Without arguments mkfs.xfs prints what it knows: better than its version, because distributions move features. */
static int read_usage(const struct deadline *deadline, struct buf *out, struct err *err)
{
	static const char *const argv[] = { "mkfs.xfs", NULL };
	int status;
	int ret = run_mkfs(argv, deadline, out, &status, err);

	if (ret < 0)
		return ret;
	if (!lists(out->data, "crc"))
		return err_set(err, EIO, "mkfs.xfs does not say which options it knows (status %d)", status);
	return 0;
}

/* The first line of what mkfs.xfs said, with the device's own name in the place of the one that mkfs.xfs was given. */
static void first_line(const char *output, const char *given, const char *path, char out[LINE_SIZE])
{
	char line[200];
	size_t length;
	char *at;

	output += strspn(output, "\n");
	length = strcspn(output, "\n");
	if (length >= sizeof(line))
		length = sizeof(line) - 1;
	memcpy(line, output, length);
	line[length] = '\0';
	at = strstr(line, given);
	if (at)
		*at = '\0';
	snprintf(out, LINE_SIZE, "%s%.200s%s", line, at ? path : "", at ? at + strlen(given) : "");
}

static int judge(int status, const char *output, const char *given, const struct blkdev *device, struct err *err)
{
	char line[LINE_SIZE];

	if (status == 0)
		return 0;
	first_line(output, given, device->path, line);
	if (strstr(output, "appears to contain"))
		return err_refuse(err, "%s", line);
	if (status > 128)
		return err_set(err, EIO, "mkfs.xfs was killed by signal %d", status - 128);
	return err_set(err, EIO, "mkfs.xfs ended with status %d: %s", status, line[0] ? line : "it said nothing");
}

static int make(struct blkdev *device, const struct marker *marker, const char *label, const struct deadline *deadline,
		struct err *err)
{
	char options[3][ARGUMENT_MAX] = { "uuid=", "", "" };
	char given[64];
	const char *argv[16] = { "mkfs.xfs", "-q", "-K", "-m", options[0], "-i", options[1] };
	struct buf output CLEANUP_BUF = BUF_INIT(OUTPUT_MAX);
	size_t count = 7;
	int status;
	int ret;

	ret = read_usage(deadline, &output, err);
	if (ret < 0)
		return ret;
	marker_uuid_text(marker, options[0] + strlen(options[0]));
	add_features('m', output.data, options[0]);
	add_features('i', output.data, options[1]);
	add_features('n', output.data, options[2]);
	if (options[2][0]) {
		argv[count++] = "-n";
		argv[count++] = options[2];
	}
	if (label[0]) {
		argv[count++] = "-L";
		argv[count++] = label;
	}
	/* The device that we hold, not whatever its name leads to by now: it can not be another one while we have it open. */
	snprintf(given, sizeof(given), "/proc/%d/fd/%d", (int)getpid(), device->lock_fd);
	argv[count++] = given;
	supervise_stage("running mkfs.xfs on '%s'", device->path);
	buf_clear(&output);
	blkdev_yield(device);
	ret = run_mkfs(argv, deadline, &output, &status, err);
	if (ret < 0)
		return ret;
	ret = judge(status, output.data, given, device, err);
	return ret < 0 ? ret : blkdev_retake(device, err);
}

/* What a cut format left: a marker, when it was cut while the ends of a noisy device were zeroed, else mkfs.xfs's. */
static int clean_up(const struct blkdev *device, const struct marker *marker, struct err *err)
{
	CLEANUP_FREE uint8_t *page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
	struct marker found;
	int ret;

	if (!page)
		return err_sys(err, ENOMEM, "read '%s'", device->path);
	ret = file_pread_all(device->fd, page, PAGE_BYTES, 0);
	if (ret < 0)
		return err_sys(err, -ret, "read '%s'", device->path);
	if (marker_decode(page, &found) && marker_fits(&found, device))
		return blank_zero_ends(device, marker, false, err);
	return xfs_wipe_leavings(device, marker, err);
}

/* Makes the device blank where it is not yet, and looks again: what was wiped wrongly is refused, not formatted. */
static int prepare(const struct blkdev *device, const struct blank *blank, const struct marker *marker, struct err *err)
{
	struct blank now;
	int ret;

	if (blank->verdict == BLANK_ZERO)
		return 0;
	if (blank->verdict == BLANK_NOISE)
		ret = blank_zero_ends(device, marker, false, err);
	else
		ret = clean_up(device, marker, err);
	if (ret == 0)
		ret = blank_check(device, &now, err);
	if (ret < 0)
		return ret;
	if (now.verdict != BLANK_ZERO && now.verdict != BLANK_NOISE)
		return err_refuse(err, "'%s' still holds %s", device->path, now.found);
	return 0;
}

int xfs_check(uint64_t size_bytes, const char *label, struct err *err)
{
	if (size_bytes < XFS_MIN_BYTES)
		return err_set(err, ENOSPC, "the device has %" PRIu64 " MiB; xfs needs at least %" PRIu64 " MiB",
			       size_bytes / MIB, XFS_MIN_BYTES / MIB);
	if (strlen(label) > XFS_LABEL_MAX)
		return err_set(err, EINVAL, "label '%s' is longer than the %d bytes that xfs keeps", label, XFS_LABEL_MAX);
	return 0;
}

int xfs_make(struct blkdev *device, const struct blank *blank, const char *label, const struct deadline *deadline,
	     struct err *err)
{
	struct marker marker;
	int ret = xfs_check(device->size_bytes, label, err);

	if (ret == 0)
		ret = marker_make(device, "xfs", &marker, err);
	if (ret == 0)
		ret = prepare(device, blank, &marker, err);
	if (ret == 0)
		ret = make(device, &marker, label, deadline, err);
	return ret;
}
