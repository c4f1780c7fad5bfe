/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/uevent.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define KERNEL_EVENTS 1

int uevent_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_EVENTS };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void uevent_wait(int fd, int longest_ms, const struct deadline *deadline)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int left = deadline_left_ms(deadline);
	char event[4096];

	if (fd < 0) {
		deadline_sleep_ms(deadline, longest_ms);
		return;
	}
	if (poll(&poll_fd, 1, longest_ms < left ? longest_ms : left) <= 0)
		return;
	/*
	 * What it says does not matter: the caller looks at all devices again. One look for a burst of events is
	 * enough.
	 */
	while (recv(fd, event, sizeof(event), 0) > 0)
		;
}
