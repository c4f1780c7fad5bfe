/* SPDX-License-Identifier: Apache-2.0 */
#include "al2023/find-config.h"

#include <errno.h>
#include <stdio.h>

#include "al2023/user-data.h"

static int load_file(const char *path, struct find_config_result *out, struct err *err)
{
	int ret = config_load(path, &out->config, err);

	if (ret == 0)
		snprintf(out->origin, sizeof(out->origin), "%s", path);
	return ret;
}

static int no_config(const char *file, const char *why, struct err *err)
{
	return err_absent(err, "no configuration: %s does not exist and %s (give one with --config FILE)", file, why);
}

static int load_user_data(const char *file, struct imds *imds, struct find_config_result *out, struct err *err)
{
	struct buf user_data CLEANUP_BUF = BUF_INIT(IMDS_BODY_MAX);
	struct buf text CLEANUP_BUF = BUF_INIT(CONFIG_BYTES_MAX);
	int ret;

	ret = imds_get(imds, "user-data", &user_data, err);
	if (ret == -ENOENT)
		return no_config(file, "the instance has no user-data", err);
	if (ret < 0)
		return err_wrap(err, "no configuration: %s does not exist, and user-data cannot be read", file);
	ret = user_data_find_config(user_data.data, user_data.length, &text, err);
	if (ret < 0)
		return ret;
	if (!ret)
		return no_config(file, "the instance's user-data has no part of type " USER_DATA_CONTENT_TYPE, err);
	snprintf(out->origin, sizeof(out->origin), "user-data");
	return config_parse(text.data, text.length, "user-data", &out->config, err);
}

int find_config(const char *root, const char *file, struct imds *imds, struct find_config_result *out, struct err *err)
{
	struct root_path path;
	int ret;

	if (file)
		return load_file(file, out, err);
	ret = root_path(root, FIND_CONFIG_FILE, &path, err);
	if (ret == 0)
		ret = load_file(path.text, out, err);
	return ret == -ENOENT && imds ? load_user_data(path.text, imds, out, err) : ret;
}
