/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what a boot did, for machines
 *
 * /run/nodevol/report.json has every step with its time, outcome and what it found; /run/nodevol/nodevol.prom has the
 * same as OpenMetrics text for node_exporter's textfile collector. Both are replaced by rename, at every step: a boot
 * that is killed leaves a report whose outcome is "unfinished" and whose last step is "running".
 */
#ifndef NODEVOL_NODE_REPORT_H
#define NODEVOL_NODE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/err.h"

#define REPORT_SCHEMA	 1
#define REPORT_STEPS_MAX 160

/**
 * enum report_outcome - how a step ended
 * @REPORT_RUNNING: it has not
 * @REPORT_DONE: something was changed
 * @REPORT_UNCHANGED: nothing was to do
 * @REPORT_WOULD: --dry-run: something would be changed
 * @REPORT_SKIPPED: not wanted, or not possible after what went before
 * @REPORT_FAILED: an error of any kind but the next
 * @REPORT_REFUSED: data could be lost
 */
enum report_outcome {
	REPORT_RUNNING,
	REPORT_DONE,
	REPORT_UNCHANGED,
	REPORT_WOULD,
	REPORT_SKIPPED,
	REPORT_FAILED,
	REPORT_REFUSED,
};

/**
 * struct report_step - one step of one volume
 * @volume: its name; "" for a step of the whole boot
 * @name: of the step, such as "format"
 * @start: wall clock, ISO 8601 in UTC
 * @start_ms: on the deadline's clock
 * @milliseconds: how long it took
 * @outcome: see above
 * @found: for people: what it found and did
 */
struct report_step {
	char volume[40];
	char name[24];
	char start[32];
	int64_t start_ms;
	int64_t milliseconds;
	enum report_outcome outcome;
	char found[512];
};

/**
 * struct report - a boot
 * @program: the binary
 * @root: the host's root; "" for "/"
 * @dry_run: nothing is written
 * @start: wall clock
 * @start_ms: on the deadline's clock
 * @aws_calls: requests to AWS's APIs, IMDS not among them
 * @degraded: a volume is missing and the boot went on without it
 * @finished: report_finish() was called
 * @exit_status: of the boot, once it is finished
 * @steps: in the order in which they began
 * @step_count: how many
 * @write_failed: a report could not be written, which was said once
 */
struct report {
	const char *program;
	const char *root;
	bool dry_run;
	char start[32];
	int64_t start_ms;
	unsigned int aws_calls;
	bool degraded;
	bool finished;
	int exit_status;
	struct report_step steps[REPORT_STEPS_MAX];
	unsigned int step_count;
	bool write_failed;
};

/* @program and @root are borrowed. */
void report_init(struct report *report, const char *program, const char *root, bool dry_run);

/* A step begins: noted, written, and told to the supervisor. It has ended before the next begins. */
void report_begin(struct report *report, const char *volume, const char *name);

/* It ends: noted, logged as one line, written at the next step. */
void report_end(struct report *report, enum report_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* It ends with @err. */
void report_end_err(struct report *report, const struct err *err);

/* It was nothing after all: as if it had not begun. */
void report_drop(struct report *report);

/* The boot ends: both files are written for the last time. A disk that is full is a warning, not a failure. */
void report_finish(struct report *report, int exit_status);

/* The report as JSON text, appended to @out. */
int report_json(const struct report *report, struct buf *out, struct err *err);

#endif
