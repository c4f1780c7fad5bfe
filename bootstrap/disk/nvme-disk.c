/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/nvme-disk.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/parse.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/sys/root.h"

#define IDENTIFY_OPCODE	    0x06
#define IDENTIFY_CONTROLLER 1
#define IDENTIFY_BYTES	    4096
#define SECTOR_BYTES	    512 /* sysfs counts a disk's size in these, whatever its sectors are */

/* A fixed field: blanks or NULs at its end are padding. */
static void copy_field(const uint8_t *field, size_t length, char *out)
{
	while (length && (field[length - 1] == ' ' || field[length - 1] == '\0'))
		length--;
	memcpy(out, field, length);
	out[length] = '\0';
}

int nvme_disk_identify(int fd, struct nvme_disk_identity *out, struct err *err)
{
	uint8_t page[IDENTIFY_BYTES] = { 0 };
	struct nvme_admin_cmd command = {
		.opcode = IDENTIFY_OPCODE,
		.addr = (uint64_t)(uintptr_t)page,
		.data_len = sizeof(page),
		.cdw10 = IDENTIFY_CONTROLLER,
	};
	int ret = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command);

	if (ret < 0)
		return err_sys(err, errno, "identify the NVMe controller");
	if (ret > 0)
		return err_set(err, EIO, "the NVMe controller refuses to identify itself: status 0x%x", ret);
	out->vendor = (uint16_t)(page[0] | page[1] << 8);
	copy_field(page + 4, NVME_SERIAL_MAX - 1, out->serial);
	copy_field(page + 24, NVME_MODEL_MAX - 1, out->model);
	copy_field(page + 3072, NVME_NAME_MAX - 1, out->name);
	return 0;
}

/* "nvme1n1", but neither "nvme1c1n1" (one path of several to it) nor "nvme1n1p1". */
static int is_disk(const struct dirent *entry)
{
	const char *at = entry->d_name;

	if (strncmp(at, "nvme", 4) != 0)
		return 0;
	at += 4;
	if (!isdigit((unsigned char)*at))
		return 0;
	at += strspn(at, "0123456789");
	if (*at++ != 'n' || !isdigit((unsigned char)*at))
		return 0;
	at += strspn(at, "0123456789");
	return *at == '\0';
}

static int read_attribute(const char *root, const char *disk, const char *attribute, char *out, size_t size)
{
	struct root_path path;
	struct err err;

	if (root_pathf(root, &path, &err, "/sys/block/%s/%s", disk, attribute) < 0)
		return -ENAMETOOLONG;
	return file_read_line(path.text, out, size, &err);
}

/* With several paths "device" is the subsystem, else the controller: both have serial and model. */
static int read_namespace(const char *root, const char *disk, struct nvme_disk *out)
{
	struct err err;
	char size[32];
	uint64_t sectors;

	*out = (struct nvme_disk){ 0 };
	if (strlen(disk) >= sizeof(out->disk))
		return -ENAMETOOLONG;
	memcpy(out->disk, disk, strlen(disk) + 1);
	if (read_attribute(root, disk, "device/serial", out->serial, sizeof(out->serial)) < 0 ||
	    read_attribute(root, disk, "device/model", out->model, sizeof(out->model)) < 0 ||
	    read_attribute(root, disk, "size", size, sizeof(size)) < 0 ||
	    parse_u64(size, 0, UINT64_MAX / SECTOR_BYTES, &sectors, &err) < 0)
		return -ENODEV;
	out->size_bytes = sectors * SECTOR_BYTES;
	return 0;
}

int nvme_disk_each(const char *root, int (*each)(const struct nvme_disk *, void *context, struct err *err),
	      void *context, struct err *err)
{
	struct dirent **entries = NULL;
	struct nvme_disk found;
	struct root_path path;
	int ret = root_path(root, "/sys/block", &path, err);
	int count;

	if (ret < 0)
		return ret;
	count = scandir(path.text, &entries, is_disk, versionsort);
	if (count < 0)
		return err_sys(err, errno, "read %s", path.text);
	for (int i = 0; i < count; i++) {
		if (ret == 0 && read_namespace(root, entries[i]->d_name, &found) == 0)
			ret = each(&found, context, err);
		free(entries[i]);
	}
	free(entries);
	return ret;
}
