/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded with LD_PRELOAD: a disk that stops taking writes, or a machine that dies, at the write of a test's choice.
 *
 * It counts what a program and its children write to one disk: pwrite(), write() and their vector forms, fallocate() and
 * the ioctl that zeroes. From the environment:
 *
 *   CUT_DEVICE=MAJOR:MINOR  the block device
 *   CUT_STATE=FILE	     of 16 bytes, shared by all processes: writes so far, and 1 once the cut has happened
 *   CUT_AT=N		     the write that is cut, 1 for the first; 0 or absent: none
 *   CUT_MODE=eio|kill	     from there on all writes and syncs fail with EIO; or the process group is killed
 *   CUT_TORN=1		     of the write that is cut, the first half of its sectors still arrives
 *   CUT_LOG=FILE	     every write and sync is appended, before it is done: three uint64_t (kind, offset, length), then
 *			     the bytes (kind 1); kind 2: zeros; kind 3: sync; kind 4: bytes that are not kept. A direct write is
 *			     followed by a sync: the disk that is modelled keeps what it has acknowledged, in order
 *   CUT_LOG_BRIEF=1	     kind 4 in place of kind 1
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { KIND_DATA = 1, KIND_ZERO = 2, KIND_SYNC = 3, KIND_BRIEF = 4 };
enum answer { GO_ON, FAIL };

struct state {
	_Atomic uint64_t writes;
	_Atomic uint64_t cut;
};

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fallocate)(int, int, off64_t, off64_t);
static int (*real_ioctl)(int, unsigned long, ...);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static struct state *state;
static dev_t device;
static uint64_t cut_at;
static bool by_kill;
static bool torn;
static bool brief;
static int log_fd = -1;

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

__attribute__((constructor)) static void start(void)
{
	const char *text = getenv("CUT_DEVICE");
	const char *path = getenv("CUT_STATE");
	unsigned int numbers[2];
	int fd;

	*(void **)&real_pwrite = next("pwrite64");
	*(void **)&real_pwritev = next("pwritev64");
	*(void **)&real_write = next("write");
	*(void **)&real_writev = next("writev");
	*(void **)&real_fallocate = next("fallocate64");
	*(void **)&real_ioctl = next("ioctl");
	*(void **)&real_fsync = next("fsync");
	*(void **)&real_fdatasync = next("fdatasync");
	if (!text || !path || sscanf(text, "%u:%u", &numbers[0], &numbers[1]) != 2)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || state == MAP_FAILED)
		abort();
	close(fd);
	device = makedev(numbers[0], numbers[1]);
	cut_at = getenv("CUT_AT") ? strtoull(getenv("CUT_AT"), NULL, 10) : 0;
	by_kill = getenv("CUT_MODE") && strcmp(getenv("CUT_MODE"), "kill") == 0;
	torn = getenv("CUT_TORN") != NULL;
	brief = getenv("CUT_LOG_BRIEF") != NULL;
	if (!getenv("CUT_LOG"))
		return;
	fd = open(getenv("CUT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	/* Where no program keeps its own, so that it does not change which numbers they get. */
	log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
	if (log_fd < 0)
		abort();
	close(fd);
}

static bool is_device(int fd)
{
	struct stat status;

	return state && fstat(fd, &status) == 0 && S_ISBLK(status.st_mode) && status.st_rdev == device;
}

static void record(enum kind kind, uint64_t offset, uint64_t length, const void *data)
{
	uint64_t head[3] = { kind, offset, length };
	struct iovec parts[2] = { { head, sizeof(head) }, { (void *)data, data ? length : 0 } };

	if (log_fd >= 0 && real_writev(log_fd, parts, 2) < 0)
		abort();
}

/* @data is NULL for zeros. */
static void record_write(int fd, const char *data, size_t length, off64_t offset)
{
	if (data && length && data[0] == 0 && memcmp(data, data + 1, length - 1) == 0)
		data = NULL;
	record(!data ? KIND_ZERO : brief ? KIND_BRIEF : KIND_DATA, (uint64_t)offset, length, brief ? NULL : data);
	if (fcntl(fd, F_GETFL) & O_DIRECT)
		record(KIND_SYNC, 0, 0, NULL);
}

/* Of the bytes at @data the part that a disk may have taken when its power went. */
static void tear(int fd, const void *data, size_t length, off64_t offset)
{
	size_t half = length / 2 / 512 * 512;

	if (torn && data && half && real_pwrite(fd, data, half, offset) < 0)
		abort();
}

/* Before each write. @data is NULL for zeros. */
static enum answer count(int fd, const void *data, size_t length, off64_t offset)
{
	uint64_t number = atomic_fetch_add(&state->writes, 1) + 1;

	if (!cut_at || number < cut_at) {
		record_write(fd, data, length, offset);
		return GO_ON;
	}
	if (number == cut_at) {
		record_write(fd, data, length, offset);
		tear(fd, data, length, offset);
		atomic_store(&state->cut, 1);
	}
	if (by_kill)
		kill(0, SIGKILL);
	errno = EIO;
	return FAIL;
}

static int sync_answer(int fd, int (*real)(int))
{
	if (is_device(fd)) {
		if (atomic_load(&state->cut)) {
			errno = EIO;
			return -1;
		}
		record(KIND_SYNC, 0, 0, NULL);
	}
	return real(fd);
}

static enum answer count_parts(int fd, const struct iovec *parts, int parts_count, off64_t offset)
{
	for (int i = 0; i < parts_count; i++) {
		if (count(fd, parts[i].iov_base, parts[i].iov_len, offset) == FAIL)
			return FAIL;
		offset += (off64_t)parts[i].iov_len;
	}
	return GO_ON;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
	if (is_device(fd) && count(fd, data, length, offset) == FAIL)
		return -1;
	return real_pwrite(fd, data, length, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int parts_count, off64_t offset)
{
	if (is_device(fd) && count_parts(fd, parts, parts_count, offset) == FAIL)
		return -1;
	return real_pwritev(fd, parts, parts_count, offset);
}

ssize_t write(int fd, const void *data, size_t length)
{
	if (is_device(fd) && count(fd, data, length, lseek64(fd, 0, SEEK_CUR)) == FAIL)
		return -1;
	return real_write(fd, data, length);
}

ssize_t writev(int fd, const struct iovec *parts, int parts_count)
{
	if (is_device(fd) && count_parts(fd, parts, parts_count, lseek64(fd, 0, SEEK_CUR)) == FAIL)
		return -1;
	return real_writev(fd, parts, parts_count);
}

/* On a block device these all leave zeros, or what reads as zeros (block/fops.c, blkdev_fallocate()). */
int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	if (is_device(fd) && count(fd, NULL, (size_t)length, offset) == FAIL)
		return -1;
	return real_fallocate(fd, mode, offset, length);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if ((request == BLKZEROOUT || request == BLKDISCARD) && is_device(fd)) {
		const uint64_t *range = argument;

		if (count(fd, NULL, range[1], (off64_t)range[0]) == FAIL)
			return -1;
	}
	return real_ioctl(fd, request, argument);
}

int fsync(int fd)
{
	return sync_answer(fd, real_fsync);
}

int fdatasync(int fd)
{
	return sync_answer(fd, real_fdatasync);
}

/* Programs without large-file names; on 64-bit machines off_t is the same. */
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
	return pwrite64(fd, data, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int parts_count, off_t offset)
{
	return pwritev64(fd, parts, parts_count, offset);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	return fallocate64(fd, mode, offset, length);
}
