/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/blkdev.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/disk/mounts.h"
#include "bootstrap/sys/root.h"

#define LOCK_POLL_MS	  20
#define CLAIM_PATIENCE_MS 500

/* "/proc/self/fd/N" leads to the inode that N has open, whatever its old path names by now. */
struct proc_path {
	char text[32];
};

static struct proc_path proc_path(int fd)
{
	struct proc_path path;

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

static int reopen(int fd, int flags)
{
	struct proc_path path = proc_path(fd);
	int reopened;

	do {
		reopened = open(path.text, flags | O_CLOEXEC);
	} while (reopened < 0 && errno == EINTR);
	return reopened;
}

/* The kernel counts disks as they come (5.15 and later); two that had one number after each other differ. */
static uint64_t disk_sequence(int fd)
{
	uint64_t sequence = 0;

#ifdef BLKGETDISKSEQ
	if (ioctl(fd, BLKGETDISKSEQ, &sequence) < 0)
		sequence = 0; /* an older kernel: the device number has to do */
#endif
	return sequence;
}

/* Both are of one disk, or of one file. */
static bool same_device(int a, int b)
{
	struct stat of_a;
	struct stat of_b;

	if (fstat(a, &of_a) < 0 || fstat(b, &of_b) < 0 || of_a.st_mode != of_b.st_mode)
		return false;
	if (!S_ISBLK(of_a.st_mode))
		return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
	return of_a.st_rdev == of_b.st_rdev && disk_sequence(a) == disk_sequence(b);
}

static int resolve(const char *path, int *out, struct blkdev *device, struct err *err)
{
	CLEANUP_CLOSE int found = open(path, O_PATH | O_CLOEXEC);
	struct proc_path link;
	struct stat status;
	ssize_t length;

	if (found < 0 && (errno == ENOENT || errno == ENXIO || errno == ENOTDIR))
		return err_absent(err, "there is no device '%s'", path);
	if (found < 0 || fstat(found, &status) < 0)
		return err_sys(err, errno, "open '%s'", path);
	if (!S_ISBLK(status.st_mode)) {
		err_set(err, ENOTBLK, "'%s' is not a block device", path);
		err->status = ERR_USAGE;
		return -ENOTBLK;
	}
	link = proc_path(found);
	length = readlink(link.text, device->path, sizeof(device->path));
	if (length < 0)
		return err_sys(err, errno, "read link '%s'", link.text);
	if ((size_t)length >= sizeof(device->path))
		return err_set(err, ENAMETOOLONG, "the path of device '%.80s...' is too long", path);
	device->path[length] = '\0';
	device->rdev = status.st_rdev;
	*out = TAKE_FD(found);
	return 0;
}

/* The first name in a folder of sysfs that satisfies @wanted. Return: 1 and @out, 0 for none (or no folder), or an error. */
static int first_entry(const char *folder, bool (*wanted)(const char *folder, const char *name), char *out, size_t size,
		       struct err *err)
{
	CLEANUP_CLOSEDIR DIR *directory = opendir(folder);
	const struct dirent *entry;

	if (!directory && errno == ENOENT)
		return 0;
	if (!directory)
		return err_sys(err, errno, "open '%s'", folder);
	for (errno = 0; (entry = readdir(directory)); errno = 0) {
		if (entry->d_name[0] == '.' || !wanted(folder, entry->d_name))
			continue;
		snprintf(out, size, "%s", entry->d_name);
		return 1;
	}
	return errno ? err_sys(err, errno, "read '%s'", folder) : 0;
}

static bool is_any(const char *folder, const char *name)
{
	return true;
}

static bool is_partition(const char *folder, const char *name)
{
	char path[ROOT_PATH_MAX + 300];

	snprintf(path, sizeof(path), "%s/%s/partition", folder, name);
	return access(path, F_OK) == 0;
}

/* What one sysfs says against writing to the disk. Return: 1 it knows the disk, 0 it does not, or an error. */
static int ask_sysfs(const char *root, const struct blkdev *device, struct err *err)
{
	struct root_path folder;
	struct root_path part;
	char name[256];
	int ret;

	ret = root_pathf(root, &folder, err, "/sys/dev/block/%u:%u", major(device->rdev), minor(device->rdev));
	if (ret < 0)
		return ret;
	if (access(folder.text, F_OK) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "look at '%s'", folder.text);
	ret = root_pathf(folder.text, &part, err, "/partition");
	if (ret < 0)
		return ret;
	if (access(part.text, F_OK) == 0)
		return err_refuse(err, "'%s' is a partition, not a whole disk", device->path);
	ret = first_entry(folder.text, is_partition, name, sizeof(name), err);
	if (ret)
		return ret < 0 ? ret : err_refuse(err, "'%s' has partitions (%s)", device->path, name);
	ret = root_pathf(folder.text, &part, err, "/holders");
	if (ret == 0)
		ret = first_entry(part.text, is_any, name, sizeof(name), err);
	if (ret)
		return ret < 0 ? ret : err_refuse(err, "'%s' is held by another device (%s)", device->path, name);
	return 1;
}

/*
 * Device numbers are the kernel's and there is one kernel, so the sysfs of this mount namespace is asked beside the one
 * below @root: either may refuse, and at least one has to know the disk.
 */
static int check_whole_and_free(const char *root, const struct blkdev *device, struct err *err)
{
	int known = ask_sysfs(root, device, err);
	int also = 0;

	if (known >= 0 && root[0])
		also = ask_sysfs("", device, err);
	if (known < 0 || also < 0)
		return known < 0 ? known : also;
	if (!known && !also)
		return err_refuse(err, "sysfs does not show '%s' (%u:%u), so it may be a partition", device->path,
				  major(device->rdev), minor(device->rdev));
	return 0;
}

static int take_lock(const struct blkdev *device, const struct deadline *deadline, struct err *err)
{
	supervise_stage("waiting for the lock of '%s'", device->path);
	while (flock(device->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, errno, "lock '%s'", device->path);
		if (!deadline_left_ms(deadline))
			return err_set(err, ETIMEDOUT, "'%s' is locked by another program", device->path);
		deadline_sleep_ms(deadline, LOCK_POLL_MS);
	}
	return 0;
}

static int refuse_busy(const struct blkdev *device, struct err *err)
{
	char where[BLKDEV_PATH_MAX];

	/* The mount table only makes the sentence better; the refusal stands on the kernel's EBUSY. */
	if (mounts_of_device(device->rdev, where, sizeof(where), err) == 1)
		return err_refuse(err, "'%s' is mounted at '%s'", device->path, where);
	return err_refuse(err, "'%s' is in use: mounted, used as swap, or claimed by another program", device->path);
}

/* Of a run that was killed a moment ago mkfs.xfs may still be dying, and has its claim until then. */
static int reopen_exclusively(int from)
{
	struct deadline patience = deadline_in_ms(CLAIM_PATIENCE_MS);
	int fd = reopen(from, O_RDONLY | O_EXCL | O_DIRECT);

	while (fd < 0 && errno == EBUSY && deadline_left_ms(&patience)) {
		deadline_sleep_ms(&patience, LOCK_POLL_MS);
		fd = reopen(from, O_RDONLY | O_EXCL | O_DIRECT);
	}
	return fd;
}

static int claim(struct blkdev *device, int from, struct err *err)
{
	CLEANUP_CLOSE int fd = reopen_exclusively(from);

	if (fd < 0 && errno == EBUSY)
		return refuse_busy(device, err);
	if (fd < 0)
		return err_sys(err, errno, "open '%s' exclusively", device->path);
	if (!same_device(fd, from))
		return err_refuse(err, "'%s' became another disk while it was opened", device->path);
	device->fd = TAKE_FD(fd);
	return 0;
}

static int measure(struct blkdev *device, struct err *err)
{
	int read_only = 0;
	int sector = 0;

	if (ioctl(device->fd, BLKGETSIZE64, &device->size_bytes) < 0 || ioctl(device->fd, BLKSSZGET, &sector) < 0 ||
	    ioctl(device->fd, BLKROGET, &read_only) < 0)
		return err_sys(err, errno, "ask for the size of '%s'", device->path);
	if (sector < 512 || sector > 65536 || (sector & (sector - 1)))
		return err_set(err, EIO, "'%s' has sectors of %d bytes", device->path, sector);
	device->sector_bytes = (uint32_t)sector;
	device->read_only = read_only != 0;
	return 0;
}

int blkdev_open(const char *root, const char *path, const struct deadline *deadline, struct blkdev *out,
		struct err *err)
{
	CLEANUP_BLKDEV struct blkdev device = BLKDEV_INIT;
	CLEANUP_CLOSE int node = -1;
	int ret;

	ret = resolve(path, &node, &device, err);
	if (ret == 0)
		ret = check_whole_and_free(root, &device, err);
	if (ret < 0)
		return ret;
	device.lock_fd = reopen(node, O_RDONLY | O_NONBLOCK);
	if (device.lock_fd < 0 && (errno == ENXIO || errno == ENODEV))
		return err_absent(err, "there is no disk behind '%s'", path);
	if (device.lock_fd < 0)
		return err_sys(err, errno, "open '%s'", path);
	ret = take_lock(&device, deadline, err);
	if (ret == 0)
		ret = claim(&device, device.lock_fd, err);
	if (ret == 0)
		ret = measure(&device, err);
	/* Once more under lock and claim: a partition table may have been read since. */
	if (ret == 0)
		ret = check_whole_and_free(root, &device, err);
	if (ret < 0)
		return ret;
	*out = device;
	device = (struct blkdev)BLKDEV_INIT;
	return 0;
}

int blkdev_open_image(const char *path, struct blkdev *out, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	struct blkdev device = BLKDEV_INIT;
	struct stat status;

	if (fd < 0 && errno == EINVAL) /* tmpfs and the like */
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_absent(err, "there is no image '%s'", path);
	if (fd < 0 || fstat(fd, &status) < 0)
		return err_sys(err, errno, "open '%s'", path);
	if (!S_ISREG(status.st_mode))
		return err_set(err, EINVAL, "'%s' is not an ordinary file", path);
	if (strlen(path) >= sizeof(device.path))
		return err_set(err, ENAMETOOLONG, "the path of image '%.80s...' is too long", path);
	snprintf(device.path, sizeof(device.path), "%s", path);
	device.size_bytes = (uint64_t)status.st_size;
	device.sector_bytes = 512;
	device.read_only = (status.st_mode & 0222) == 0;
	device.fd = TAKE_FD(fd);
	*out = device;
	return 0;
}

void blkdev_close(struct blkdev *device)
{
	/* The claim before the lock: whoever gets the lock finds the device free. */
	blkdev_yield(device);
	if (device->lock_fd >= 0)
		close(device->lock_fd);
	device->lock_fd = -1;
}

/* Another descriptor of the held device. Return: 0 or -errno; -ESTALE when its number leads to another disk by now. */
static int open_again(const struct blkdev *device, int flags, int *out)
{
	int held = device->fd >= 0 ? device->fd : device->lock_fd;
	CLEANUP_CLOSE int fd = reopen(held, flags);

	if (fd < 0)
		return -errno;
	if (!same_device(fd, held))
		return -ESTALE;
	*out = TAKE_FD(fd);
	return 0;
}

int blkdev_open_reader(const struct blkdev *device, int *out, struct err *err)
{
	int ret = open_again(device, O_RDONLY, out);

	if (ret == -ESTALE)
		return err_refuse(err, "'%s' became another disk since it was opened", device->path);
	if (ret < 0)
		return err_sys(err, -ret, "open '%s' for reading", device->path);
	/* Drops clean pages only; dirty ones are newer than the disk, and direct reads write them out first. */
	posix_fadvise(*out, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

int blkdev_open_writer(const struct blkdev *device, int *out, struct err *err)
{
	int ret = device->read_only ? -EROFS : open_again(device, O_RDWR, out);

	if (ret == -ESTALE)
		return err_refuse(err, "'%s' became another disk since it was looked at", device->path);
	if (ret == -EROFS) {
		err_refuse(err, "'%s' is read-only", device->path);
		err->code = EROFS;
		return -EROFS;
	}
	return ret < 0 ? err_sys(err, -ret, "open '%s' for writing", device->path) : 0;
}

void blkdev_yield(struct blkdev *device)
{
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -1;
}

int blkdev_retake(struct blkdev *device, struct err *err)
{
	return claim(device, device->lock_fd, err);
}

int blkdev_read_ahead_kib(int fd, uint32_t *out, struct err *err)
{
	long sectors = 0;

	if (ioctl(fd, BLKRAGET, &sectors) < 0)
		return err_sys(err, errno, "ask for the read-ahead");
	*out = (uint32_t)(sectors / 2);
	return 0;
}

int blkdev_set_read_ahead_kib(int fd, uint32_t kib, struct err *err)
{
	if (ioctl(fd, BLKRASET, (unsigned long)kib * 2) < 0)
		return err_sys(err, errno, "set the read-ahead to %" PRIu32 " KiB", kib);
	return 0;
}

void blkdev_normalise_name(const char *name, char *out, size_t size)
{
	if (strncmp(name, "/dev/", 5) == 0)
		name += 5;
	if (strncmp(name, "xvd", 3) == 0)
		snprintf(out, size, "sd%s", name + 3);
	else
		snprintf(out, size, "%s", name);
}
