/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: who an NVMe disk is
 *
 * sysfs tells serial and model without privileges; Identify Controller tells the same from the device itself, with
 * Amazon's vendor area behind it. Layout: NVM Express base specification, Identify Controller; Amazon's part:
 * amazon-ec2-utils, ebsnvme.
 */
#ifndef NODEVOL_DISK_NVME_DISK_H
#define NODEVOL_DISK_NVME_DISK_H

#include <stdint.h>

#include "bootstrap/base/err.h"

#define NVME_VENDOR_AMAZON 0x1d0f
#define NVME_SERIAL_MAX	   21
#define NVME_MODEL_MAX	   41
#define NVME_NAME_MAX	   33

/**
 * struct nvme_disk_identity - what Identify Controller answers
 * @vendor: PCI vendor id, bytes 0 and 1
 * @serial: bytes 4 to 23, blanks cut off; EBS: the volume id without its dash
 * @model: bytes 24 to 63, blanks cut off
 * @name: bytes 3072 to 3103, blanks cut off: the device name that was asked for at attachment, with or without "/dev/".
 *	  Amazon's; anything for other vendors.
 */
struct nvme_disk_identity {
	uint16_t vendor;
	char serial[NVME_SERIAL_MAX];
	char model[NVME_MODEL_MAX];
	char name[NVME_NAME_MAX];
};

/* Asks the device open as @fd. Return: 0, -ENOTTY when it is no NVMe device, -EACCES without CAP_SYS_ADMIN, ... */
int nvme_disk_identify(int fd, struct nvme_disk_identity *out, struct err *err);

/**
 * struct nvme_disk - one disk in sysfs
 * @disk: the kernel's name, such as "nvme1n1"; not stable
 * @serial: see above
 * @model: see above
 * @size_bytes: capacity
 */
struct nvme_disk {
	char disk[32];
	char serial[NVME_SERIAL_MAX];
	char model[NVME_MODEL_MAX];
	uint64_t size_bytes;
};

/*
 * Calls @each for every NVMe disk in @root's sysfs, in the order of their names, until it returns anything but 0, which
 * is then returned. A disk that goes away meanwhile is passed over. A host without NVMe has none: 0.
 */
int nvme_disk_each(const char *root, int (*each)(const struct nvme_disk *, void *context, struct err *err),
	      void *context, struct err *err);

#endif
