/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/node/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/log.h"
#include "bootstrap/base/supervise.h"
#include "bootstrap/node/metrics.h"
#include "bootstrap/sys/file.h"
#include "bootstrap/base/jsontext.h"
#include "bootstrap/sys/root.h"

#define DIRECTORY   "/run/nodevol"
#define REPORT_FILE DIRECTORY "/report.json"
#define METRIC_FILE DIRECTORY "/nodevol.prom"
#define TEXT_MAX    (256U << 10)

static const char *const outcome_words[] = {
	[REPORT_RUNNING] = "running", [REPORT_DONE] = "done",	    [REPORT_UNCHANGED] = "unchanged",
	[REPORT_WOULD] = "would-do",  [REPORT_SKIPPED] = "skipped", [REPORT_FAILED] = "failed",
	[REPORT_REFUSED] = "refused",
};

/* "2026-11-22T10:54:17.123Z" */
static void wall_clock(char *out, size_t size)
{
	struct timespec now;
	struct tm utc;
	char seconds[24];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out, size, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000));
}

void report_init(struct report *report, const char *program, const char *root, bool dry_run)
{
	report->program = program;
	report->root = root;
	report->dry_run = dry_run;
	report->start_ms = deadline_now_ms();
	report->aws_calls = 0;
	report->degraded = false;
	report->finished = false;
	report->exit_status = 0;
	report->step_count = 0;
	report->write_failed = false;
	wall_clock(report->start, sizeof(report->start));
}

static const char *whole_outcome(const struct report *report)
{
	if (!report->finished)
		return "unfinished";
	if (report->exit_status)
		return "failed";
	return report->degraded ? "degraded" : "done";
}

static void write_step(struct jsontext *write, const struct report_step *step)
{
	jsontext_open_object(write, NULL);
	if (step->volume[0])
		jsontext_text(write, "volume", step->volume);
	jsontext_text(write, "name", step->name);
	jsontext_text(write, "start", step->start);
	jsontext_u64(write, "milliseconds", (uint64_t)step->milliseconds);
	jsontext_text(write, "outcome", outcome_words[step->outcome]);
	jsontext_text(write, "found", step->found);
	jsontext_close_object(write);
}

int report_json(const struct report *report, struct buf *out, struct err *err)
{
	struct jsontext write;

	jsontext_begin(&write, out);
	jsontext_open_object(&write, NULL);
	jsontext_u64(&write, "schema", REPORT_SCHEMA);
	jsontext_text(&write, "program", report->program);
	jsontext_text(&write, "version", NODEVOL_VERSION);
	jsontext_text(&write, "start", report->start);
	jsontext_u64(&write, "milliseconds", (uint64_t)(deadline_now_ms() - report->start_ms));
	jsontext_text(&write, "outcome", whole_outcome(report));
	if (report->finished)
		jsontext_u64(&write, "exit-status", (uint64_t)report->exit_status);
	jsontext_u64(&write, "aws-calls", report->aws_calls);
	jsontext_open_array(&write, "steps");
	for (unsigned int i = 0; i < report->step_count; i++)
		write_step(&write, &report->steps[i]);
	jsontext_close_array(&write);
	jsontext_close_object(&write);
	return jsontext_end(&write, err);
}

static int replace(const struct report *report, const char *name, const struct buf *text, struct err *err)
{
	struct root_path path;
	int ret = root_path(report->root, name, &path, err);

	return ret < 0 ? ret : file_replace(path.text, text->data, text->length, 0644, err);
}

static int write_files(const struct report *report, struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(TEXT_MAX);
	int ret;

	ret = file_make_directories(report->root, DIRECTORY, err);
	if (ret == 0)
		ret = report_json(report, &text, err);
	if (ret == 0)
		ret = buf_add_text(&text, "\n");
	if (ret == 0)
		ret = replace(report, REPORT_FILE, &text, err);
	if (ret < 0 || !report->finished)
		return ret;
	buf_clear(&text);
	ret = metrics_text(report, &text);
	return ret < 0 ? err_sys(err, -ret, "make the metrics") : replace(report, METRIC_FILE, &text, err);
}

/* The report serves people; a boot whose report cannot be written has still mounted its volumes. Said once. */
static void write_report(struct report *report)
{
	struct err err;

	if (report->dry_run || report->write_failed || write_files(report, &err) == 0)
		return;
	report->write_failed = true;
	log_warn("the report is not written: %s", err.message);
}

static struct report_step *last_step(struct report *report)
{
	return &report->steps[report->step_count - 1];
}

void report_begin(struct report *report, const char *volume, const char *name)
{
	struct report_step *step;

	/*
	 * A configuration cannot have so many steps; if it could, the last one would stand for those that do not fit.
	 */
	if (report->step_count < REPORT_STEPS_MAX)
		report->step_count++;
	step = last_step(report);
	*step = (struct report_step){ .outcome = REPORT_RUNNING, .start_ms = deadline_now_ms() };
	snprintf(step->volume, sizeof(step->volume), "%s", volume);
	snprintf(step->name, sizeof(step->name), "%s", name);
	wall_clock(step->start, sizeof(step->start));
	supervise_stage("%s%s%s", volume, volume[0] ? ": " : "", name);
	write_report(report);
}

void report_end(struct report *report, enum report_outcome outcome, const char *format, ...)
{
	struct report_step *step = last_step(report);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(step->found, sizeof(step->found), format, arguments);
	va_end(arguments);
	step->outcome = outcome;
	step->milliseconds = deadline_now_ms() - step->start_ms;
	log_step("%s%s%s: %s%s (%lld ms)", step->volume, step->volume[0] ? ": " : "", step->name,
		 outcome == REPORT_FAILED  ? "failed: " :
		 outcome == REPORT_REFUSED ? "refused: " :
					     "",
		 step->found, (long long)step->milliseconds);
}

void report_end_err(struct report *report, const struct err *err)
{
	report_end(report, err->status == ERR_REFUSED ? REPORT_REFUSED : REPORT_FAILED, "%s", err->message);
}

void report_drop(struct report *report)
{
	report->step_count--;
}

void report_finish(struct report *report, int exit_status)
{
	report->finished = true;
	report->exit_status = exit_status;
	write_report(report);
}
