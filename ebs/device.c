/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/nvme-disk.h"
#include "bootstrap/sys/uevent.h"

#define EBS_MODEL	     "Amazon Elastic Block Store"
#define INSTANCE_STORE_MODEL "Amazon EC2 NVMe Instance Storage"

static enum device_kind kind_of(const char *model)
{
	if (strcmp(model, EBS_MODEL) == 0)
		return DEVICE_EBS;
	return strcmp(model, INSTANCE_STORE_MODEL) == 0 ? DEVICE_INSTANCE_STORE : DEVICE_OTHER;
}

static bool is_same_disk(const struct device *device, const struct nvme_disk_identity *identity)
{
	return identity->vendor == NVME_VENDOR_AMAZON && strcmp(identity->serial, device->serial) == 0 &&
	       strcmp(identity->model, device->model) == 0;
}

/*
 * The requested name is only in Identify Controller. A disk that cannot be asked (it just went, or we are not root)
 * keeps an empty name; one that says of itself other things than sysfs does is not taken for Amazon's.
 */
static void ask_name(struct device *device)
{
	CLEANUP_CLOSE int fd = open(device->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct nvme_disk_identity identity;
	struct err err;

	if (fd < 0) {
		log_detail("open %s: %s", device->path, strerrordesc_np(errno));
		return;
	}
	if (nvme_disk_identify(fd, &identity, &err) < 0) {
		log_detail("%s: %s", device->path, err.message);
		return;
	}
	if (!is_same_disk(device, &identity)) {
		log_detail("%s says it is %s of vendor 0x%04x, sysfs says %s: not taken for Amazon's", device->path,
			   identity.serial, identity.vendor, device->serial);
		device->kind = DEVICE_OTHER;
		device->volume_id[0] = '\0';
		return;
	}
	snprintf(device->name, sizeof(device->name), "%s",
		 strncmp(identity.name, "/dev/", 5) == 0 ? identity.name + 5 : identity.name);
}

int device_set_paths(const char *root, const char *host_path, struct device *device, struct err *err)
{
	int length = snprintf(device->host_path, sizeof(device->host_path), "%s", host_path);

	if (length >= 0 && (size_t)length < sizeof(device->host_path))
		length = snprintf(device->path, sizeof(device->path), "%s%s", root, host_path);
	if (length < 0 || (size_t)length >= sizeof(device->path))
		return err_set(err, ENAMETOOLONG, "path '%.80s...' is too long", host_path);
	return 0;
}

static int describe(const char *root, const struct nvme_disk *found, struct device *out, struct err *err)
{
	char host_path[48];

	*out = (struct device){ .kind = kind_of(found->model), .size_bytes = found->size_bytes };
	snprintf(host_path, sizeof(host_path), "/dev/%s", found->disk);
	snprintf(out->serial, sizeof(out->serial), "%s", found->serial);
	snprintf(out->model, sizeof(out->model), "%s", found->model);
	if (device_set_paths(root, host_path, out, err) < 0)
		return -err->code;
	if (out->kind == DEVICE_EBS && !volume_id_from_serial(out->serial, out->volume_id))
		out->kind = DEVICE_OTHER;
	if (out->kind != DEVICE_OTHER)
		ask_name(out);
	return 0;
}

struct each_context {
	const char *root;
	int (*each)(const struct device *, void *context, struct err *err);
	void *context;
};

static int each_namespace(const struct nvme_disk *found, void *context, struct err *err)
{
	const struct each_context *each = context;
	struct device device;
	int ret = describe(each->root, found, &device, err);

	return ret < 0 ? ret : each->each(&device, each->context, err);
}

int device_each(const char *root, int (*each)(const struct device *, void *context, struct err *err), void *context,
		struct err *err)
{
	struct each_context inner = { .root = root, .each = each, .context = context };

	return nvme_disk_each(root, each_namespace, &inner, err);
}

/**
 * struct search - device_find() at work
 * @query: what is looked for
 * @name: its name in the plain form
 * @found: the first that fits
 * @count: how many fit
 * @present: EBS volumes that are there, for people
 */
struct search {
	const struct device_query *query;
	char name[40];
	struct device found;
	unsigned int count;
	struct buf present;
};

static bool is_named(const struct device *device, const char *plain_name)
{
	char name[40];

	blkdev_normalise_name(device->name, name, sizeof(name));
	return strcmp(name, plain_name) == 0;
}

static int consider(const struct device *device, void *context, struct err *err)
{
	struct search *search = context;

	if (device->kind != DEVICE_EBS)
		return 0;
	/* The list is for a message; what does not fit is left out. */
	(void)buf_printf(&search->present, "%s%s", search->present.length ? ", " : "", device->volume_id);
	if (device->name[0])
		(void)buf_printf(&search->present, " as /dev/%s", device->name);
	if (search->query->volume_id && strcmp(search->query->volume_id, device->volume_id) != 0)
		return 0;
	if (search->query->name && !is_named(device, search->name))
		return 0;
	if (!search->count++)
		search->found = *device;
	return 0;
}

static void describe_query(const struct device_query *query, char *out, size_t size)
{
	if (query->volume_id)
		snprintf(out, size, "volume %s", query->volume_id);
	else
		snprintf(out, size, "a volume attached as %s", query->name);
}

static int judge(const struct search *search, struct device *out, struct err *err)
{
	const struct device_query *query = search->query;
	char wanted[96];

	describe_query(query, wanted, sizeof(wanted));
	if (!search->count)
		return err_absent(err, "%s is not on this host; EBS volumes that are: %s", wanted,
				  search->present.length ? search->present.data : "none");
	if (search->count > 1)
		return err_refuse(
			err, "%u disks say they are %s; give a volume id that only one of them has (there are: %s)",
			search->count, wanted, search->present.data);
	if (query->size_bytes && query->size_bytes != search->found.size_bytes)
		return err_refuse(err, "%s is %s here with %llu bytes, but EC2 says it has %llu: not touched", wanted,
				  search->found.host_path, (unsigned long long)search->found.size_bytes,
				  (unsigned long long)query->size_bytes);
	*out = search->found;
	return 0;
}

int device_find(const char *root, const struct device_query *query, struct device *out, struct err *err)
{
	struct search search = { .query = query };
	int ret;

	buf_init(&search.present, 512);
	if (query->name)
		blkdev_normalise_name(query->name, search.name, sizeof(search.name));
	ret = device_each(root, consider, &search, err);
	if (ret == 0)
		ret = judge(&search, out, err);
	buf_done(&search.present);
	return ret;
}

int device_wait(const char *root, const struct device_query *query, const struct deadline *deadline, struct device *out,
		struct err *err)
{
	/* Opened before the first look, so that nothing comes unseen between the look and the wait. */
	CLEANUP_CLOSE int events = uevent_open();
	int64_t since = deadline_now_ms();
	char wanted[96];
	int pause_ms = 20;
	int ret;

	describe_query(query, wanted, sizeof(wanted));
	supervise_stage("wait for %s", wanted);
	for (;;) {
		ret = device_find(root, query, out, err);
		if (ret != -ENOENT)
			return ret;
		if (!deadline_left_ms(deadline))
			break;
		uevent_wait(events, pause_ms, deadline);
		pause_ms = pause_ms < 500 ? pause_ms * 2 : 1000;
	}
	err_wrap(err, "waited %lld s", (long long)(deadline_now_ms() - since + 500) / 1000);
	err->code = ETIMEDOUT;
	err->status = ERR_RETRY;
	return -ETIMEDOUT;
}

static int check_identity(int fd, const struct device *device, struct err *err)
{
	struct nvme_disk_identity identity;
	int ret;

	if (device->kind == DEVICE_OTHER)
		return 0;
	ret = nvme_disk_identify(fd, &identity, err);
	if (ret == 0 && !is_same_disk(device, &identity))
		ret = err_refuse(err, "%s was %s when it was found and is '%s' now: not touched", device->host_path,
				 device->serial, identity.serial);
	return ret;
}

int device_open_shared(const struct device *device, int *out, struct err *err)
{
	CLEANUP_CLOSE int fd = open(device->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return err_sys(err, errno, "open %s", device->path);
	ret = check_identity(fd, device, err);
	if (ret == 0)
		*out = TAKE_FD(fd);
	return ret;
}

int device_open(const char *root, const struct device *device, const struct deadline *deadline, struct blkdev *out,
		struct err *err)
{
	int ret = blkdev_open(root, device->path, deadline, out, err);

	if (ret < 0)
		return ret;
	snprintf(out->identity, sizeof(out->identity), "%s",
		 device->volume_id[0] ? device->volume_id : device->serial);
	ret = check_identity(out->fd, device, err);
	if (ret == 0 && device->kind != DEVICE_OTHER && device->size_bytes != out->size_bytes)
		ret = err_refuse(err, "%s had %llu bytes when it was found and has %llu now: not touched",
				 device->host_path, (unsigned long long)device->size_bytes,
				 (unsigned long long)out->size_bytes);
	if (ret < 0)
		blkdev_close(out);
	return ret;
}
