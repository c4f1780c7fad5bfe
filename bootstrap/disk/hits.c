/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/hits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <blkid.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/signature.h"

/* libblkid looks within these distances of the ends, in small pieces one after the other: read them in few large ones. */
#define AHEAD_BYTES ((off_t)2 << 20)

/* More hits than libblkid has probing functions can not be. */
#define ROUNDS_MAX 256

#define SUPERBLOCK_FLAGS                                                                                 \
	(BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID | BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM)

static void free_probe(blkid_probe *probe)
{
	if (*probe)
		blkid_free_probe(*probe);
}

static bool look_up(blkid_probe probe, const char *name, char *out, size_t size)
{
	const char *data;
	size_t length;

	if (blkid_probe_lookup_value(probe, name, &data, &length) != 0)
		return false;
	signature_text(out, size, data, length);
	return true;
}

static struct hit describe(blkid_probe probe)
{
	struct hit hit = { 0 };
	char number[24] = "";
	size_t length = 0;

	if (!look_up(probe, "TYPE", hit.type, sizeof(hit.type))) {
		hit.is_table = true;
		look_up(probe, "PTTYPE", hit.type, sizeof(hit.type));
	}
	look_up(probe, "LABEL", hit.label, sizeof(hit.label));
	look_up(probe, hit.is_table ? "PTUUID" : "UUID", hit.uuid, sizeof(hit.uuid));
	hit.bad_checksum = blkid_probe_has_value(probe, "SBBADCSUM") != 0;
	if (look_up(probe, hit.is_table ? "PTMAGIC_OFFSET" : "SBMAGIC_OFFSET", number, sizeof(number)))
		hit.magic_offset = strtoull(number, NULL, 10);
	if (blkid_probe_lookup_value(probe, hit.is_table ? "PTMAGIC" : "SBMAGIC", NULL, &length) == 0)
		hit.magic_bytes = length;
	return hit;
}

/* One type is one hit, however many magics it has; the protective MBR belongs to its GPT. */
static bool is_known(const struct hits *hits, const struct hit *hit)
{
	for (size_t i = 0; i < hits->count; i++)
		if (strcmp(hits->list[i].type, hit->type) == 0 ||
		    (strcmp(hits->list[i].type, "gpt") == 0 && strcmp(hit->type, "PMBR") == 0))
			return true;
	return false;
}

static int set_up(blkid_probe probe, int fd)
{
	if (blkid_probe_set_device(probe, fd, 0, 0) < 0 || blkid_probe_enable_superblocks(probe, 1) < 0 ||
	    blkid_probe_set_superblocks_flags(probe, SUPERBLOCK_FLAGS) < 0 ||
	    blkid_probe_enable_partitions(probe, 1) < 0 ||
	    /* A GPT counts without the protective MBR before it too. */
	    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_FORCE_GPT | BLKID_PARTS_MAGIC) < 0)
		return -EIO;
	return 0;
}

/* libblkid's convention is translated here: 0 is a hit, 1 the end, less an error. */
static int collect(blkid_probe probe, struct hits *hits)
{
	struct hit hit;
	int answer;

	for (int rounds = 0; rounds < ROUNDS_MAX; rounds++) {
		answer = blkid_do_probe(probe);
		if (answer != 0)
			return answer < 0 ? -EIO : 0;
		hit = describe(probe);
		if (!is_known(hits, &hit) && hits->count < HITS_MAX)
			hits->list[hits->count++] = hit;
	}
	return 0;
}

int hits_find(const struct blkdev *device, struct hits *out, struct err *err)
{
	CLEANUP(free_probe) blkid_probe probe = blkid_new_probe();
	CLEANUP_CLOSE int fd = -1;
	struct hits hits = { 0 };
	int ret;

	if (!probe)
		return err_sys(err, ENOMEM, "probe '%s'", device->path);
	ret = blkdev_open_reader(device, &fd, err);
	if (ret < 0)
		return ret;
	/* Only advice: without it the probing takes longer. */
	posix_fadvise(fd, 0, AHEAD_BYTES, POSIX_FADV_WILLNEED);
	if ((off_t)device->size_bytes > AHEAD_BYTES)
		posix_fadvise(fd, (off_t)device->size_bytes - AHEAD_BYTES, AHEAD_BYTES, POSIX_FADV_WILLNEED);
	ret = set_up(probe, fd);
	if (ret == 0)
		ret = collect(probe, &hits);
	if (ret < 0)
		return err_sys(err, -ret, "read '%s' through libblkid", device->path);
	*out = hits;
	return 0;
}
