/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/disk/fsinfo.h"

/* fs/ext4/ext4.h */
#define IOCTL_EXT4_RESIZE _IOW('f', 16, uint64_t)

/* struct xfs_fsop_geom of fs/xfs/libxfs/xfs_fs.h (Linux 5.3), as far as it is used here. */
struct geometry {
	uint32_t block_size;
	uint32_t unused[6];
	uint32_t inode_percent_max;
	uint64_t data_blocks;
	uint64_t rest[27];
};

_Static_assert(sizeof(struct geometry) == 256, "as the kernel has it");

/* struct xfs_growfs_data of the same file */
struct grow_data {
	uint64_t new_blocks;
	uint32_t inode_percent_max;
};

_Static_assert(sizeof(struct grow_data) == 16, "as the kernel has it");

#define IOCTL_XFS_GEOMETRY _IOR('X', 126, struct geometry)
#define IOCTL_XFS_GROW	   _IOW('X', 110, struct grow_data)

static int open_both(const char *target, const char *source, int *mounted, int *device, struct err *err)
{
	struct stat on;
	struct stat of;

	*mounted = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*mounted < 0 || fstat(*mounted, &on) < 0)
		return err_sys(err, errno, "open '%s'", target);
	*device = open(source, O_RDONLY | O_CLOEXEC);
	if (*device < 0 || fstat(*device, &of) < 0)
		return err_sys(err, errno, "open '%s'", source);
	if (!S_ISBLK(of.st_mode) || of.st_rdev != on.st_dev)
		return err_set(err, EXDEV, "'%s' is not what is mounted at '%s'", source, target);
	return 0;
}

static int ext4_size(int device, const char *source, uint64_t *out, struct err *err)
{
	struct fsinfo info;
	int ret = fsinfo_superblock(device, &info, err);

	if (ret < 0)
		return ret;
	if (ret == 0 || strcmp(info.filesystem, "ext4") != 0)
		return err_set(err, EIO, "'%s' is mounted as ext4 and has no superblock of it", source);
	*out = info.size_bytes;
	return 0;
}

static int resize_ext4(int mounted, uint64_t blocks, struct err *err)
{
	if (ioctl(mounted, IOCTL_EXT4_RESIZE, &blocks) == 0)
		return 0;
	if (errno == EPERM)
		return err_set(err, EPERM,
			       "the kernel does not allow it: it takes CAP_SYS_RESOURCE, and a clean filesystem");
	return err_sys(err, errno, "resize ext4 to %llu blocks", (unsigned long long)blocks);
}

static int grow_ext4(int mounted, int device, const char *source, bool dry_run, struct grow *out, struct err *err)
{
	struct statfs status;
	uint64_t block_bytes;
	int ret = ext4_size(device, source, &out->before, err);

	if (ret < 0)
		return ret;
	if (fstatfs(mounted, &status) < 0)
		return err_sys(err, errno, "ask for the block size");
	block_bytes = (uint64_t)status.f_bsize;
	out->after = out->before;
	if (out->device / block_bytes <= out->before / block_bytes)
		return 0;
	out->after = out->device - out->device % block_bytes;
	if (dry_run)
		return 0;
	ret = resize_ext4(mounted, out->device / block_bytes, err);
	return ret < 0 ? ret : ext4_size(device, source, &out->after, err);
}

static int xfs_geometry(int mounted, struct geometry *out, struct err *err)
{
	if (ioctl(mounted, IOCTL_XFS_GEOMETRY, out) < 0)
		return err_sys(err, errno, "ask for the geometry of xfs");
	return 0;
}

static int grow_xfs(int mounted, bool dry_run, struct grow *out, struct err *err)
{
	struct geometry geometry;
	struct grow_data wanted = { 0 };
	int ret = xfs_geometry(mounted, &geometry, err);

	if (ret < 0)
		return ret;
	out->before = geometry.data_blocks * geometry.block_size;
	out->after = out->before;
	wanted.new_blocks = out->device / geometry.block_size;
	wanted.inode_percent_max = geometry.inode_percent_max;
	if (wanted.new_blocks <= geometry.data_blocks)
		return 0;
	out->after = wanted.new_blocks * geometry.block_size;
	if (dry_run)
		return 0;
	if (ioctl(mounted, IOCTL_XFS_GROW, &wanted) < 0)
		return err_sys(err, errno, "grow xfs from %llu to %llu bytes", (unsigned long long)out->before,
			       (unsigned long long)out->after);
	ret = xfs_geometry(mounted, &geometry, err);
	if (ret == 0)
		out->after = geometry.data_blocks * geometry.block_size;
	return ret;
}

int grow_mounted(const char *target, const char *source, const char *filesystem, bool dry_run, struct grow *out,
		 struct err *err)
{
	CLEANUP_CLOSE int mounted = -1;
	CLEANUP_CLOSE int device = -1;
	int ret = open_both(target, source, &mounted, &device, err);

	if (ret < 0)
		return ret;
	if (ioctl(device, BLKGETSIZE64, &out->device) < 0)
		return err_sys(err, errno, "ask for the size of '%s'", source);
	if (strcmp(filesystem, "ext4") == 0)
		ret = grow_ext4(mounted, device, source, dry_run, out, err);
	else if (strcmp(filesystem, "xfs") == 0)
		ret = grow_xfs(mounted, dry_run, out, err);
	else
		ret = err_set(err, EOPNOTSUPP, "a filesystem of type '%s' is not grown here", filesystem);
	return ret < 0 ? err_wrap(err, "grow '%s'", target) : 0;
}
