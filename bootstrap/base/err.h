/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: errors
 *
 * Every function that can fail returns 0 or a negative errno value and takes a struct err last. The code is for
 * branching, the message is for reading, the status is what the process would exit with if nobody handled it.
 * The struct lives on the caller's stack and nothing is allocated, so an error can be made when memory is gone.
 * Messages: verb and object in lower case, values in quotes, no full stop. They are printed once, by cli_main().
 */
#ifndef NODEVOL_BASE_ERR_H
#define NODEVOL_BASE_ERR_H

#define ERR_MESSAGE_MAX 1024

/**
 * enum err_status - the exit statuses, the same in every binary
 * @ERR_DONE: done, or nothing to do
 * @ERR_FAILED: failed, retrying is useless
 * @ERR_USAGE: usage or configuration
 * @ERR_REFUSED: refused, data could be lost
 * @ERR_ABSENT: the thing asked for does not exist
 * @ERR_NO: the check's answer is no
 * @ERR_RETRY: a later try may succeed (deadline, throttling, network); EX_TEMPFAIL of sysexits.h
 */
enum err_status {
	ERR_DONE = 0,
	ERR_FAILED = 1,
	ERR_USAGE = 2,
	ERR_REFUSED = 3,
	ERR_ABSENT = 4,
	ERR_NO = 7,
	ERR_RETRY = 75,
};

struct err {
	int code;
	enum err_status status;
	char message[ERR_MESSAGE_MAX];
};

/* Each sets @err and returns -code, so that "return err_set(...)" is the whole of a failing branch. */

/* Our own words. @code is a positive errno value. EINVAL means usage, EAGAIN and ETIMEDOUT mean a later try. */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A system call's: adds ": " and strerror(@code). Exits 1, for EAGAIN and ETIMEDOUT 75. */
int err_sys(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Data could be lost: -EPERM, exit 3. */
int err_refuse(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The thing asked for does not exist: -ENOENT, exit 4. */
int err_absent(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A later try may succeed: -EAGAIN, exit 75. */
int err_again(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts context before the message, keeps code and status. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
