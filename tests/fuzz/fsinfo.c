/* SPDX-License-Identifier: Apache-2.0 */
/* The first kilobytes of a disk, with a superblock that somebody else wrote; the rest is zeros. */
#include "bootstrap/disk/fsinfo.h"

#include <sys/mman.h>

#include "tests/fuzz/replay.h"

#define DISK_BYTES (64U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_CLOSE int fd = memfd_create("disk", MFD_CLOEXEC);
	struct fsinfo info;
	struct err err = { 0 };

	if (fd < 0 || ftruncate(fd, DISK_BYTES) != 0)
		abort();
	if (size > DISK_BYTES || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	REPLAY_CHECK(fsinfo_probe(fd, DISK_BYTES, &info, &err) == 0);
	REPLAY_CHECK(memchr(info.found, '\0', sizeof(info.found)));
	if (!info.valid)
		return 0;
	REPLAY_CHECK(strcmp(info.filesystem, "ext4") == 0 || strcmp(info.filesystem, "xfs") == 0);
	REPLAY_CHECK(info.size_bytes <= DISK_BYTES);
	REPLAY_CHECK(memchr(info.label, '\0', sizeof(info.label)) && memchr(info.uuid, '\0', sizeof(info.uuid)));
	return 0;
}
