/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: volume ids, in the API's form (vol-0123456789abcdef0) and in the NVMe serial's (vol0123456789abcdef0)
 */
#ifndef NODEVOL_EBS_VOLUME_ID_H
#define NODEVOL_EBS_VOLUME_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "bootstrap/base/err.h"

#define VOLUME_ID_MAX 32

/* "vol-" and 8 or 17 hexadecimal digits (8 is the form of before 2016, which still exists). */
bool volume_id_is_valid(const char *text);

/* As above with a sentence for people: -EINVAL, exit 2. */
int volume_id_check(const char *text, struct err *err);

/* "vol0123..." to "vol-0123...". Return: false when @serial is not of an EBS volume. */
bool volume_id_from_serial(const char *serial, char out[VOLUME_ID_MAX]);

#endif
