/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/readahead.h"

#include "bootstrap/base/cleanup.h"

int readahead_get(const struct device *device, uint32_t *out_kib, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	int ret = device_open_shared(device, &fd, err);

	return ret < 0 ? ret : blkdev_read_ahead_kib(fd, out_kib, err);
}

int readahead_set(const struct device *device, uint32_t kib, bool dry_run, struct readahead_result *out,
		  struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	int ret = device_open_shared(device, &fd, err);

	if (ret == 0)
		ret = blkdev_read_ahead_kib(fd, &out->before_kib, err);
	if (ret < 0)
		return ret;
	out->after_kib = out->before_kib;
	if (dry_run || out->before_kib == kib)
		return 0;
	ret = blkdev_set_read_ahead_kib(fd, kib, err);
	return ret < 0 ? ret : blkdev_read_ahead_kib(fd, &out->after_kib, err);
}
