/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/node/metrics.h"

#include "bootstrap/base/deadline.h"

/* One gauge per step. Names of volumes and steps are of letters, digits and dashes, so labels need no escapes. */
static int add_steps(const struct report *report, struct buf *out)
{
	int ret = buf_add_text(out, "# TYPE nodevol_step_seconds gauge\n"
				    "# UNIT nodevol_step_seconds seconds\n"
				    "# HELP nodevol_step_seconds How long a step of the last boot took.\n");

	for (unsigned int i = 0; ret == 0 && i < report->step_count; i++) {
		const struct report_step *step = &report->steps[i];

		ret = buf_printf(out, "nodevol_step_seconds{volume=\"%s\",step=\"%s\"} %lld.%03d\n", step->volume,
				 step->name, (long long)step->milliseconds / 1000, (int)(step->milliseconds % 1000));
	}
	return ret;
}

int metrics_text(const struct report *report, struct buf *out)
{
	long long milliseconds = (long long)(deadline_now_ms() - report->start_ms);
	int ret = add_steps(report, out);

	if (ret < 0)
		return ret;
	return buf_printf(out,
			  "# TYPE nodevol_boot_seconds gauge\n"
			  "# UNIT nodevol_boot_seconds seconds\n"
			  "# HELP nodevol_boot_seconds How long the last boot took.\n"
			  "nodevol_boot_seconds %lld.%03d\n"
			  "# TYPE nodevol_exit_status gauge\n"
			  "# HELP nodevol_exit_status Exit status of the last boot.\n"
			  "nodevol_exit_status %d\n"
			  "# TYPE nodevol_degraded gauge\n"
			  "# HELP nodevol_degraded 1 when a volume is missing and the node goes on without it.\n"
			  "nodevol_degraded %d\n"
			  "# TYPE nodevol_aws_calls gauge\n"
			  "# HELP nodevol_aws_calls Requests of the last boot to AWS APIs.\n"
			  "nodevol_aws_calls %u\n"
			  "# EOF\n",
			  milliseconds / 1000, (int)(milliseconds % 1000), report->exit_status, report->degraded,
			  report->aws_calls);
}
