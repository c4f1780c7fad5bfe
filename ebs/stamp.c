/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/stamp.h"

#include <stdio.h>
#include <string.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/base/jsontext.h"
#include "bootstrap/sys/jsonx.h"
#include "bootstrap/sys/root.h"

#define DIRECTORY "/var/lib/nodevol/volumes"
#define TEXT_MAX  4096

int stamp_read(const char *root, const char *name, const char *instance_id, char volume_id[VOLUME_ID_MAX])
{
	struct jsonx document CLEANUP_JSONX = { 0 };
	struct buf text CLEANUP_BUF = BUF_INIT(TEXT_MAX);
	struct root_path path;
	const char *stamped_instance = "";
	const char *stamped_volume = "";
	struct err err;

	if (root_pathf(root, &path, &err, DIRECTORY "/%s.json", name) < 0 || file_read(path.text, &text, &err) < 0 ||
	    jsonx_parse(text.data, text.length, &document, &err) < 0 ||
	    jsonx_text(&document, "instance-id", &stamped_instance, &err) < 0 ||
	    jsonx_text(&document, "volume-id", &stamped_volume, &err) < 0)
		return 0;
	if (strcmp(stamped_instance, instance_id) != 0 || !volume_id_is_valid(stamped_volume))
		return 0;
	snprintf(volume_id, VOLUME_ID_MAX, "%s", stamped_volume);
	return 1;
}

int stamp_write(const char *root, const char *name, const char *instance_id, const char *volume_id, struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(TEXT_MAX);
	struct jsontext write;
	struct root_path path;
	int ret;

	jsontext_begin(&write, &text);
	jsontext_open_object(&write, NULL);
	jsontext_text(&write, "instance-id", instance_id);
	jsontext_text(&write, "volume-id", volume_id);
	jsontext_close_object(&write);
	ret = jsontext_end(&write, err);
	if (ret == 0)
		ret = file_make_directories(root, DIRECTORY, err);
	if (ret == 0)
		ret = root_pathf(root, &path, err, DIRECTORY "/%s.json", name);
	return ret < 0 ? ret : file_replace(path.text, text.data, text.length, 0644, err);
}
