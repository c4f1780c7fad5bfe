/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/attach-name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/log.h"
#include "bootstrap/disk/blkdev.h"
#include "ebs/device.h"

#define FIRST 'f'
#define LAST  'p'

/* The bit that stands for a name, 0 for one that no set holds. */
static uint32_t bit_of(const char *name)
{
	char plain[ATTACH_NAME_MAX];

	blkdev_normalise_name(name, plain, sizeof(plain));
	if (strncmp(plain, "sd", 2) != 0 || plain[2] < 'a' || plain[2] > 'z' || plain[3])
		return 0;
	return 1U << (plain[2] - 'a');
}

void attach_name_take(struct attach_name_set *set, const char *name)
{
	set->taken |= bit_of(name);
}

bool attach_name_is_taken(const struct attach_name_set *set, const char *name)
{
	return set->taken & bit_of(name);
}

static int take_device(const struct device *device, void *context, struct err *err)
{
	/* An instance store says "ephemeral0:sdb". */
	const char *colon = strchr(device->name, ':');

	attach_name_take(context, colon ? colon + 1 : device->name);
	return 0;
}

void attach_name_take_local(struct attach_name_set *set, const char *root)
{
	struct err ignored;

	if (device_each(root, take_device, set, &ignored) < 0)
		log_detail("device names in use are not known: %s", ignored.message);
}

int attach_name_pick(const struct attach_name_set *set, char out[ATTACH_NAME_MAX], struct err *err)
{
	for (int letter = FIRST; letter <= LAST; letter++) {
		if (set->taken & 1U << (letter - 'a'))
			continue;
		snprintf(out, ATTACH_NAME_MAX, "/dev/sd%c", letter);
		return 0;
	}
	return err_set(err, ENOSPC, "all device names from /dev/sd%c to /dev/sd%c are in use; name another one",
		       FIRST, LAST);
}
