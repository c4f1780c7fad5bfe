/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/config-source.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ebs/config-fields.h"

#define SIZE_MAX_GIB 65536 /* EC2 API Reference, CreateVolume: 64 TiB */
#define DEVICE_MAX   16
#define KMS_KEY_MAX  2048

/*
 * A name that EC2 attaches under (EC2 User Guide, "Device names"): sd or xvd, one or two letters, perhaps digits. The
 * kernel's own names are refused, because they follow the order of discovery.
 */
static int check_device(const struct jsonx *value, const char *device, struct err *err)
{
	const char *name = strncmp(device, "/dev/", 5) == 0 ? device + 5 : device;
	size_t prefix = strncmp(name, "sd", 2) == 0 ? 2 : strncmp(name, "xvd", 3) == 0 ? 3 : 0;
	size_t letters = 0;
	size_t digits;

	if (strncmp(name, "nvme", 4) == 0)
		return jsonx_error(
			value, err,
			"'%s' follows the order of discovery and may be another disk at the next boot; expected the "
			"name that the volume is attached under, such as /dev/xvdb",
			device);
	while (prefix && islower((unsigned char)name[prefix + letters]))
		letters++;
	digits = strspn(name + prefix + letters, "0123456789");
	if (!prefix || letters < 1 || letters > 2 || digits > 2 || name[prefix + letters + digits] != '\0')
		return jsonx_error(value, err,
				   "'%s' is no device name of EC2's; expected one such as /dev/xvdb or /dev/sdf",
				   device);
	return 0;
}

static int read_device(const struct jsonx *source, struct config_source *out, struct err *err)
{
	struct jsonx value;
	int ret = config_fields_text(source, "device", DEVICE_MAX, &out->device, err);

	if (ret < 0)
		return ret;
	jsonx_member(source, "device", &value);
	return check_device(&value, out->device, err);
}

static int read_tags(const struct jsonx *source, struct config_source *out, struct err *err)
{
	struct jsonx value;
	int ret = config_fields_tags(source, "tags", &out->tags, err);

	if (ret < 0)
		return ret;
	jsonx_member(source, "tags", &value);
	return out->tags.count ? 0 : jsonx_error(&value, err, "no tag; every volume would fit");
}

static int check_create(const struct jsonx *create, const struct config_create *values, struct err *err)
{
	struct jsonx value;

	if (!values->size_gib && !values->snapshot_id)
		return jsonx_missing(create, "size-gib", "a size in GiB, or a snapshot-id", err);
	if (values->initialization_rate_mibps && !values->snapshot_id) {
		jsonx_member(create, "initialization-rate-mibps", &value);
		return jsonx_error(&value, err, "only a volume from a snapshot-id is initialized");
	}
	if (values->kms_key_id && !values->encrypted) {
		jsonx_member(create, "kms-key-id", &value);
		return jsonx_error(&value, err, "a key needs \"encrypted\": true beside it");
	}
	return 0;
}

static int read_create(const struct jsonx *source, struct config_source *out, struct err *err)
{
	static const char *const keys[] = { "size-gib",
					    "snapshot-id",
					    "iops",
					    "throughput-mibps",
					    "initialization-rate-mibps",
					    "encrypted",
					    "kms-key-id",
					    "keep",
					    "tags",
					    NULL };
	struct config_create *create = &out->create;
	struct jsonx object;

	jsonx_member(source, "create", &object);
	/*
	 * The upper limits of iops and throughput move (16,000 became 80,000): EC2 says in its own words what is too
	 * much.
	 */
	if (config_fields_check_keys(&object, keys, err) < 0 ||
	    config_fields_u32(&object, "size-gib", 1, SIZE_MAX_GIB, &create->size_gib, err) < 0 ||
	    config_fields_id(&object, "snapshot-id", "snap-", &create->snapshot_id, err) < 0 ||
	    config_fields_u32(&object, "iops", 1, UINT32_MAX, &create->iops, err) < 0 ||
	    config_fields_u32(&object, "throughput-mibps", 1, UINT32_MAX, &create->throughput_mibps, err) < 0 ||
	    config_fields_u32(&object, "initialization-rate-mibps", 1, UINT32_MAX, &create->initialization_rate_mibps,
			      err) < 0 ||
	    jsonx_bool(&object, "encrypted", &create->encrypted, err) < 0 ||
	    config_fields_text(&object, "kms-key-id", KMS_KEY_MAX, &create->kms_key_id, err) < 0 ||
	    jsonx_bool(&object, "keep", &create->keep, err) < 0 ||
	    config_fields_tags(&object, "tags", &create->tags, err) < 0)
		return -err->code;
	return check_create(&object, create, err);
}

int config_source_read(const struct jsonx *volume, struct config_source *out, struct err *err)
{
	static const char *const keys[] = { "device", "volume-id", "tags", "create", NULL };
	struct jsonx source;
	struct jsonx value;
	int ret;

	if (!jsonx_member(volume, "source", &source))
		return jsonx_missing(volume, "source", "an object with one of device, volume-id, tags, create", err);
	ret = config_fields_check_keys(&source, keys, err);
	if (ret < 0)
		return ret;
	if (jsonx_count(&source) != 1)
		return jsonx_error(&source, err, "expected exactly one of device, volume-id, tags, create");
	if (jsonx_member(&source, "device", &value)) {
		out->kind = CONFIG_DEVICE;
		return read_device(&source, out, err);
	}
	if (jsonx_member(&source, "volume-id", &value)) {
		out->kind = CONFIG_VOLUME_ID;
		ret = config_fields_id(&source, "volume-id", "vol-", &out->volume_id, err);
		return ret < 0 ? ret : 0;
	}
	if (jsonx_member(&source, "tags", &value)) {
		out->kind = CONFIG_TAGS;
		return read_tags(&source, out, err);
	}
	out->kind = CONFIG_CREATE;
	return read_create(&source, out, err);
}

static void free_tags(struct config_tags *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		free(tags->items[i].key);
		free(tags->items[i].value);
	}
}

void config_source_done(struct config_source *source)
{
	free(source->device);
	free(source->volume_id);
	free_tags(&source->tags);
	free(source->create.snapshot_id);
	free(source->create.kms_key_id);
	free_tags(&source->create.tags);
}
