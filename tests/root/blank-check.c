/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blank-check ROOT DEVICE|IMAGE [ACTION [IDENTITY [FILESYSTEM]]]
 * ACTION: check, mark, zero-ends, zero-ends-and-mark, or swap OTHER
 *
 * The module that decides whether a disk may be formatted, by itself: prints the verdict, what was found, and what else
 * callers are told, one line each. ROOT is the host's root, "" for this one's. With zero-ends, what is done to accepted
 * noise is done first. With swap, OTHER is renamed to the node after that was opened, and then the marker is written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/blank.h"

static const char *const verdicts[] = {
	[BLANK_ZERO] = "zero",
	[BLANK_NOISE] = "noise",
	[BLANK_UNFINISHED] = "unfinished",
	[BLANK_FILESYSTEM] = "filesystem",
	[BLANK_TAKEN] = "taken",
};

static int open_any(const char *root, const char *path, struct blkdev *device, struct err *err)
{
	struct deadline deadline = deadline_in_ms(300);
	struct stat status;

	if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
		return blkdev_open_image(path, device, err);
	return blkdev_open(root, path, &deadline, device, err);
}

static int put_marker(const struct blkdev *device, const struct marker *marker, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	int ret = blkdev_open_writer(device, &fd, err);

	return ret < 0 ? ret : marker_write(fd, marker, err);
}

static int prepare(const struct blkdev *device, const char *action, const char *other, const char *filesystem,
		   struct err *err)
{
	struct marker marker;
	int ret = marker_make(device, filesystem, &marker, err);

	if (ret < 0 || strcmp(action, "check") == 0)
		return ret;
	if (strcmp(action, "swap") == 0 && rename(other, device->path) < 0)
		return err_sys(err, errno, "rename '%s'", other);
	if (strcmp(action, "swap") == 0 || strcmp(action, "mark") == 0)
		return put_marker(device, &marker, err);
	return blank_zero_ends(device, &marker, strcmp(action, "zero-ends-and-mark") == 0, err);
}

static int check(const char *root, const char *path, const char *const *words, struct err *err)
{
	const char *action = words[0] ? *words++ : "check";
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	const char *other = strcmp(action, "swap") == 0 ? *words++ : "";
	const char *identity = words[0] ? words[0] : "";
	const char *filesystem = words[0] && words[1] ? words[1] : "ext4";
	struct blank blank;
	char uuid[MARKER_UUID_SIZE] = "";
	int ret = open_any(root, path, &device, err);

	if (ret < 0)
		return ret;
	snprintf(device.identity, sizeof(device.identity), "%s", identity);
	ret = prepare(&device, action, other, filesystem, err);
	if (ret == 0)
		ret = blank_check(&device, &blank, err);
	if (ret < 0)
		return ret;
	if (blank.verdict == BLANK_UNFINISHED || blank.stale_marker)
		marker_uuid_text(&blank.marker, uuid);
	printf("%s\n%s\nfilesystem=%s label=%s uuid=%s stale=%d marker=%s\n", verdicts[blank.verdict], blank.found,
	       blank.filesystem, blank.label, blank.uuid, blank.stale_marker, uuid);
	return 0;
}

int main(int argc, char **argv)
{
	const char *words[5] = { NULL };
	struct err err = { 0 };

	if (argc < 3 || argc > 7)
		return ERR_USAGE;
	for (int i = 3; i < argc; i++)
		words[i - 3] = argv[i];
	if (check(argv[1], argv[2], words, &err) == 0)
		return ERR_DONE;
	fprintf(stderr, "%s\n", err.message);
	return (int)err.status;
}
