/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded with LD_PRELOAD: a program that dies, or whose filesystem fails, at the call of a test's choice.
 *
 * It counts the calls by which a program and its children change filesystems and mounts. From the environment:
 *
 *   CUT_STATE=FILE	   of 16 bytes, shared by all processes: calls so far, and 1 once the cut has happened
 *   CUT_AT=N		   the call that is cut, 1 for the first; 0 or absent: none
 *   CUT_MODE=kill|NUMBER  the process group is killed in place of the call; or this and all later ones fail with
 *			   that errno
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

struct state {
	_Atomic uint64_t calls;
	_Atomic uint64_t cut;
};

static struct state *state;
static uint64_t cut_at;
static int code; /* 0: kill */

__attribute__((constructor)) static void start(void)
{
	const char *mode = getenv("CUT_MODE");
	int fd;

	if (!getenv("CUT_STATE"))
		return;
	fd = open(getenv("CUT_STATE"), O_RDWR | O_CLOEXEC);
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || state == MAP_FAILED)
		abort();
	close(fd);
	cut_at = getenv("CUT_AT") ? strtoull(getenv("CUT_AT"), NULL, 10) : 0;
	code = mode && strcmp(mode, "kill") != 0 ? (int)strtol(mode, NULL, 10) : 0;
}

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

/* Before each call. Return: true when it is not to be made. */
static bool is_cut(void)
{
	uint64_t number;

	if (!state)
		return false;
	number = atomic_fetch_add(&state->calls, 1) + 1;
	if (!cut_at || number < cut_at)
		return false;
	atomic_store(&state->cut, 1);
	if (!code)
		kill(0, SIGKILL);
	errno = code;
	return true;
}

static bool is_file(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

#define WRAP(type, name, declared, passed) \
	type name declared \
	{ \
		static type(*real) declared; \
\
		if (!real) \
			*(void **)&real = next(#name); \
		if (is_cut()) \
			return -1; \
		return real passed; \
	}

WRAP(int, mkdirat, (int directory, const char *path, mode_t mode), (directory, path, mode))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, rmdir, (const char *path), (path))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, unlinkat, (int directory, const char *path, int flags), (directory, path, flags))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, symlinkat, (const char *text, int directory, const char *path), (text, directory, path))
WRAP(int, linkat, (int from, const char *old, int to, const char *path, int flags), (from, old, to, path, flags))
WRAP(int, mknodat, (int directory, const char *path, mode_t mode, dev_t device), (directory, path, mode, device))
WRAP(int, fchownat, (int directory, const char *path, uid_t uid, gid_t gid, int flags),
	(directory, path, uid, gid, flags))
WRAP(int, fchmodat, (int directory, const char *path, mode_t mode, int flags), (directory, path, mode, flags))
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, futimens, (int fd, const struct timespec times[2]), (fd, times))
WRAP(int, utimensat, (int directory, const char *path, const struct timespec times[2], int flags),
	(directory, path, times, flags))
WRAP(int, lsetxattr, (const char *path, const char *name, const void *value, size_t size, int flags),
	(path, name, value, size, flags))
WRAP(int, ftruncate64, (int fd, off64_t length), (fd, length))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, syncfs, (int fd), (fd))
WRAP(int, umount2, (const char *path, int flags), (path, flags))
WRAP(int, mount,
	(const char *source, const char *target, const char *type, unsigned long flags, const void *data),
	(source, target, type, flags, data))

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);

	if (!real)
		*(void **)&real = next("pwrite64");
	if (is_file(fd) && is_cut())
		return -1;
	return real(fd, data, length, offset);
}

/* What a program says on its standard output and error is no change of the kind that is meant. */
ssize_t write(int fd, const void *data, size_t length)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (!real)
		*(void **)&real = next("write");
	if (fd > 2 && is_file(fd) && is_cut())
		return -1;
	return real(fd, data, length);
}

int openat64(int directory, const char *path, int flags, ...)
{
	static int (*real)(int, const char *, int, ...);
	va_list arguments;
	mode_t mode = 0;

	if (!real)
		*(void **)&real = next("openat64");
	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
		if (is_cut())
			return -1;
	}
	return real(directory, path, flags, mode);
}
