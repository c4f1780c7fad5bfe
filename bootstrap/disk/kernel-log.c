/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/kernel-log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define RECORD_BYTES 8192 /* the kernel's own limit is lower: kernel/printk/internal.h */

int kernel_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* The name that the kernel has for the disk, as in "EXT4-fs (nvme1n1): ...". */
static void disk_name(dev_t device, char *out, size_t size)
{
	char link[64];
	char text[512];
	const char *slash;
	ssize_t length;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(device), minor(device));
	length = readlink(link, text, sizeof(text) - 1);
	text[length < 0 ? 0 : length] = '\0';
	slash = strrchr(text, '/');
	snprintf(out, size, "%s", slash ? slash + 1 : "");
}

/* Return: where the reason begins in a line about the disk or the type, NULL for other lines. */
static const char *reason_in(const char *line, const char *disk, const char *filesystem)
{
	char about[80];
	const char *found;

	snprintf(about, sizeof(about), " (%s): ", disk);
	found = disk[0] ? strstr(line, about) : NULL;
	if (found)
		return found + strlen(about);
	snprintf(about, sizeof(about), "%s: ", filesystem);
	return strncasecmp(line, about, strlen(about)) == 0 ? line + strlen(about) : NULL;
}

void kernel_log_reason(int fd, dev_t device, const char *filesystem, char *out, size_t size)
{
	char record[RECORD_BYTES];
	char disk[64];
	ssize_t length;

	out[0] = '\0';
	if (fd < 0)
		return;
	disk_name(device, disk, sizeof(disk));
	/* EPIPE: records were overwritten before they were read; the next read goes on with the oldest. */
	while ((length = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (length < 0 && (errno == EPIPE || errno == EINTR))) {
		const char *line;

		if (length < 0)
			continue;
		record[length] = '\0';
		line = strchr(record, ';');
		line = line ? reason_in(line + 1, disk, filesystem) : NULL;
		if (line)
			snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
	}
	length = (ssize_t)strlen(out);
	while (length && isspace((unsigned char)out[length - 1]))
		out[--length] = '\0';
}
