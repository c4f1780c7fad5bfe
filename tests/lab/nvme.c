/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded with LD_PRELOAD into a program under test: answers the NVMe command Identify Controller on loop devices, so
 * that they look like the disks of an instance. The page (4096 bytes) is read from $LAB_NVME/MAJOR:MINOR; for a device
 * that has no page there, and for everything else, the kernel answers as always.
 *
 * The command's layout: linux/nvme_ioctl.h; opcode 0x06 with CNS 1 in command dword 10: NVM Express base specification,
 * "Identify command".
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PAGE_BYTES	   4096
#define OPCODE_IDENTIFY	   0x06
#define CNS_CONTROLLER	   1
#define NVME_INVALID_FIELD 0x4002 /* status "Invalid Field in Command" with "do not retry", as the kernel returns it */

/* Return: a descriptor of the device's page, -1 when the lab knows no such device. */
static int open_page(int fd)
{
	const char *folder = getenv("LAB_NVME");
	struct stat status;
	char path[512];
	int length;

	if (!folder || fstat(fd, &status) < 0 || !S_ISBLK(status.st_mode))
		return -1;
	length = snprintf(path, sizeof(path), "%s/%u:%u", folder, major(status.st_rdev), minor(status.st_rdev));
	if (length < 0 || (size_t)length >= sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int identify(int page, const struct nvme_admin_cmd *command)
{
	char data[PAGE_BYTES];
	ssize_t got = pread(page, data, sizeof(data), 0);

	if (command->opcode != OPCODE_IDENTIFY || (command->cdw10 & 0xff) != CNS_CONTROLLER ||
	    command->data_len != PAGE_BYTES)
		return NVME_INVALID_FIELD;
	if (got != (ssize_t)sizeof(data)) {
		errno = EIO;
		return -1;
	}
	memcpy((void *)(uintptr_t)command->addr, data, sizeof(data));
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*next)(int, unsigned long, ...);
	int saved = errno, page, ret;
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);

	if (request == NVME_IOCTL_ADMIN_CMD) {
		page = open_page(fd);
		errno = saved;
		if (page >= 0) {
			ret = identify(page, argument);
			saved = errno;
			close(page);
			errno = saved;
			return ret;
		}
	}
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "ioctl");
	return next(fd, request, argument);
}
