/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/parse.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/sys/root.h"

#define BY_ID_PREFIX "nvme-Amazon_Elastic_Block_Store_vol"
#define SECTOR_BYTES 512 /* sysfs counts a disk's size in these, whatever its sectors are */

/* "/dev/sdb", "xvdba", "sda1": the names that EC2 knows, as opposed to the kernel's and udev's. */
static bool is_requested_name(const char *text)
{
	const char *name = strncmp(text, "/dev/", 5) == 0 ? text + 5 : text;

	return !strchr(name, '/') && (strncmp(name, "sd", 2) == 0 || strncmp(name, "xvd", 3) == 0);
}

struct by_path {
	const char *host_path;
	struct device *out;
};

static int match_path(const struct device *device, void *context, struct err *err)
{
	struct by_path *by_path = context;

	if (strcmp(device->host_path, by_path->host_path) != 0)
		return 0;
	*by_path->out = *device;
	return 1;
}

/* A link that names a volume must lead to it: it may be left over from the volume that was there before. */
static int check_link(const char *text, const struct device *device, struct err *err)
{
	const char *base = strrchr(text, '/') ? strrchr(text, '/') + 1 : text;
	char named[VOLUME_ID_MAX];
	char serial[24];

	if (strncmp(base, BY_ID_PREFIX, strlen(BY_ID_PREFIX)) != 0)
		return 0;
	base += strlen(BY_ID_PREFIX) - 3;
	snprintf(serial, sizeof(serial), "%.*s", (int)strcspn(base, "-_"), base);
	if (volume_id_from_serial(serial, named) && strcmp(named, device->volume_id) == 0)
		return 0;
	return err_refuse(err, "the link %s leads to %s, which is %s: not touched", text, device->host_path,
			  device->volume_id[0] ? device->volume_id : "no EBS volume");
}

/* A disk that is not NVMe: all that is known is its path and how large it is. */
static int describe_other(const char *root, const char *host_path, dev_t rdev, struct device *out, struct err *err)
{
	struct root_path path;
	struct err ignored;
	uint64_t sectors;
	char size[32];
	int ret;

	*out = (struct device){ .kind = DEVICE_OTHER };
	ret = device_set_paths(root, host_path, out, err);
	if (ret == 0)
		ret = root_pathf(root, &path, err, "/sys/dev/block/%u:%u/size", major(rdev), minor(rdev));
	if (ret == 0 && file_read_line(path.text, size, sizeof(size), &ignored) == 0 &&
	    parse_u64(size, 0, UINT64_MAX / SECTOR_BYTES, &sectors, &ignored) == 0)
		out->size_bytes = sectors * SECTOR_BYTES;
	return ret;
}

static int resolve_path(const char *root, const char *text, struct device *out, struct err *err)
{
	struct by_path by_path = { .out = out };
	CLEANUP_FREE char *real = NULL;
	struct root_path path;
	struct stat status;
	int ret = root_path(root, text, &path, err);

	if (ret < 0)
		return ret;
	real = realpath(path.text, NULL);
	if (!real || stat(real, &status) < 0)
		return errno == ENOENT ? err_absent(err, "%s does not exist", path.text) :
					 err_sys(err, errno, "find %s", path.text);
	if (!S_ISBLK(status.st_mode))
		return err_set(err, EINVAL, "%s is not a block device", path.text);
	/* A link of the host that is absolute leads out of @root; the disk's name is then the same on both sides. */
	by_path.host_path = strncmp(real, root, strlen(root)) == 0 ? real + strlen(root) : real;
	ret = device_each(root, match_path, &by_path, err);
	if (ret < 0)
		return ret;
	if (ret == 0)
		ret = describe_other(root, by_path.host_path, status.st_rdev, out, err);
	return ret < 0 ? ret : check_link(text, out, err);
}

static bool is_block_device(const char *root, const char *text)
{
	struct root_path path;
	struct stat status;
	struct err err;

	return root_path(root, text, &path, &err) == 0 && lstat(path.text, &status) == 0 && S_ISBLK(status.st_mode);
}

int resolve_device(const char *root, const char *text, struct device *out, struct err *err)
{
	struct device_query query = { 0 };
	int ret;

	if (volume_id_is_valid(text)) {
		query.volume_id = text;
		return device_find(root, &query, out, err);
	}
	if (is_requested_name(text)) {
		query.name = text;
		ret = device_find(root, &query, out, err);
		/* A disk of another kind may have that name as its own. A link is not believed. */
		if (ret != -ENOENT || text[0] != '/' || !is_block_device(root, text))
			return ret;
	}
	if (text[0] != '/')
		return err_set(err, EINVAL, "'%s' is neither a path, a volume id nor a device name", text);
	return resolve_path(root, text, out, err);
}

int resolve_and_open(const struct cli *cli, const char *text, struct device *device, struct blkdev *out,
		     struct err *err)
{
	int ret = resolve_device(cli->root, text, device, err);

	return ret < 0 ? ret : device_open(cli->root, device, &cli->deadline, out, err);
}
