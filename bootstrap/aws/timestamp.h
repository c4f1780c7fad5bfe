/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: points in time as AWS and HTTP write them
 */
#ifndef NODEVOL_AWS_TIMESTAMP_H
#define NODEVOL_AWS_TIMESTAMP_H

#include <time.h>

#define TIMESTAMP_BASIC_SIZE 17

/* "2026-11-05T12:34:56Z", also with a fraction of a second, which is dropped. Return: 0 and @out, or -EINVAL. */
int timestamp_parse(const char *text, time_t *out);

/* A Date header, "Thu, 05 Nov 2026 12:34:56 GMT" (RFC 9110, section 5.6.7). Return: 0 and @out, or -EINVAL. */
int timestamp_parse_http(const char *text, time_t *out);

/* "20261105T123456Z", as signature version 4 wants it. */
void timestamp_basic(time_t when, char out[TIMESTAMP_BASIC_SIZE]);

#endif
