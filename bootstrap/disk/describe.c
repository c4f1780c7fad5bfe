/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"

/* libblkid's names that say too little to people. Others are used as they are. */
static const struct {
	const char *type;
	const char *words;
} names[] = {
	{ "LVM1_member", "an LVM physical volume" },
	{ "LVM2_member", "an LVM physical volume" },
	{ "crypto_LUKS", "LUKS encryption" },
	{ "linux_raid_member", "a member of a Linux RAID" },
	{ "zfs_member", "ZFS" },
	{ "swap", "swap space" },
	{ "swsuspend", "a hibernation image" },
	{ "xfs_external_log", "an external xfs journal" },
	{ "jbd", "an external ext4 journal" },
	{ "gpt", "a GPT partition table" },
	{ "dos", "an MBR partition table" },
	{ "PMBR", "a protective MBR, whose GPT is gone" },
	{ "GPT", "a GPT partition table" },
	{ "LUKS", "LUKS encryption" },
};

static const char *name_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].type, type) == 0)
			return names[i].words;
	return type;
}

void describe_size(uint64_t bytes, char out[DESCRIBE_SIZE_MAX])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	unsigned int unit = 0;
	uint64_t one = 1024;

	if (bytes < 1024 || (bytes < 1024 * 1024 && bytes % 1024)) {
		snprintf(out, DESCRIBE_SIZE_MAX, "byte %" PRIu64, bytes);
		return;
	}
	while (unit + 1 < ARRAY_SIZE(units) && bytes / one >= 1024) {
		one *= 1024;
		unit++;
	}
	if (bytes % one)
		snprintf(out, DESCRIBE_SIZE_MAX, "%.1f %s", (double)bytes / (double)one, units[unit]);
	else
		snprintf(out, DESCRIBE_SIZE_MAX, "%" PRIu64 " %s", bytes / one, units[unit]);
}

/* " (label 'x', UUID y)", as far as they are known. */
static void describe_names(const char *label, const char *uuid, char *out, size_t size)
{
	if (label[0] && uuid[0])
		snprintf(out, size, " (label '%s', UUID %s)", label, uuid);
	else if (label[0])
		snprintf(out, size, " (label '%s')", label);
	else if (uuid[0])
		snprintf(out, size, " (UUID %s)", uuid);
	else
		out[0] = '\0';
}

void describe_hits(const struct hits *hits, char out[DESCRIBE_MAX])
{
	static const char *const counts[] = { "two", "three", "four", "five", "six", "seven", "eight or more" };
	const struct hit *hit = &hits->list[0];
	char details[128];
	size_t length;

	if (hits->count == 1) {
		describe_names(hit->label, hit->uuid, details, sizeof(details));
		snprintf(out, DESCRIBE_MAX, "%s%s%s", hit->bad_checksum ? "a damaged superblock of " : "",
			 name_of(hit->type), details);
		return;
	}
	length = (size_t)snprintf(out, DESCRIBE_MAX, "%s signatures at once: ", counts[hits->count - 2]);
	for (size_t i = 0; i < hits->count && length < DESCRIBE_MAX; i++) {
		const char *between = i == 0 ? "" : i + 1 == hits->count ? " and " : ", ";

		length += (size_t)snprintf(out + length, DESCRIBE_MAX - length, "%s%s", between,
					   name_of(hits->list[i].type));
	}
}

void describe_signature(const struct signature *signature, uint64_t device_bytes, char out[DESCRIBE_MAX])
{
	char place[DESCRIBE_SIZE_MAX];
	char details[128];
	const char *name = name_of(signature->filesystem);

	describe_size(signature->offset, place);
	describe_names(signature->label, signature->uuid, details, sizeof(details));
	if (strcmp(signature->filesystem, "GPT") == 0 && device_bytes - signature->offset <= 4096)
		snprintf(out, DESCRIBE_MAX, "a backup GPT at the end of the disk");
	else if (strcmp(signature->filesystem, "ext4") == 0 && signature->copy)
		snprintf(out, DESCRIBE_MAX, "backup superblocks of ext4%s at %s; the primary is gone", details, place);
	else if (strcmp(signature->filesystem, "xfs") == 0 && signature->offset)
		snprintf(out, DESCRIBE_MAX, "an allocation group of xfs%s at %s; the first is gone", details, place);
	else if (signature->copy)
		snprintf(out, DESCRIBE_MAX, "a copy of the superblock of %s%s at %s; the primary is gone", name, details,
			 place);
	else
		snprintf(out, DESCRIBE_MAX, "%s%s at %s", name, details, place);
}

void describe_content(const struct survey *survey, char out[DESCRIBE_MAX])
{
	char place[DESCRIBE_SIZE_MAX];

	if (survey->stream[0]) {
		snprintf(out, DESCRIBE_MAX, "%s", survey->stream);
		return;
	}
	switch (survey->content) {
	case SURVEY_ZERO:
		snprintf(out, DESCRIBE_MAX, "nothing");
		return;
	case SURVEY_NOISE:
	case SURVEY_NOISE_WITHIN:
		snprintf(out, DESCRIBE_MAX,
			 "random data: an encrypted volume that was never written, or encrypted data");
		return;
	case SURVEY_DENSE:
		snprintf(out, DESCRIBE_MAX, "dense data that is not random, such as compressed files");
		return;
	case SURVEY_MIXED:
		describe_size(survey->offset, place);
		snprintf(out, DESCRIBE_MAX,
			 "zeros mixed with random data, the first of it at %s: encrypted or compressed files", place);
		return;
	case SURVEY_ORDERLY:
		break;
	}
	describe_size(survey->orderly_at, place);
	snprintf(out, DESCRIBE_MAX, "data at %s that no filesystem check recognises", place);
}
