/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a deadline that is kept whatever a device does
 *
 * A read from a dead device sleeps uninterruptibly: no signal, timer or thread in that process can end it. So the work
 * of every binary runs in a child, and the parent does nothing but wait for it. At the deadline the child is killed;
 * one that cannot die is left behind (the kernel ends it the moment it wakes, before it does anything more), and the
 * parent says what the child was doing and exits. Grandchildren are made with process_run(), which ties them to the
 * child.
 */
#ifndef NODEVOL_BASE_SUPERVISE_H
#define NODEVOL_BASE_SUPERVISE_H

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

/**
 * supervise - run @work in a child until the deadline
 * @deadline: when the child is killed
 * @work: returns the exit status of the child
 * @argument: handed to @work
 * @status: the child's exit status, when it ended by itself
 * @err: what happened, when it did not
 *
 * SIGTERM, SIGINT and SIGHUP end the child; every step of ours may be cut short at any instant and is finished by the
 * next run.
 *
 * Return: 0, or a negative errno value: -ETIMEDOUT at the deadline and -EINTR after a signal (both ERR_RETRY), -ECHILD
 * when the child crashed.
 */
int supervise(const struct deadline *deadline, int (*work)(void *argument), void *argument, int *status,
	      struct err *err);

/*
 * Says what the child is about to do, for the parent's last words. Outside of a child of supervise() it does nothing.
 */
void supervise_stage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Moves the deadline that the parent keeps to an earlier point; a later one changes nothing. */
void supervise_shorten(const struct deadline *deadline);

#endif
