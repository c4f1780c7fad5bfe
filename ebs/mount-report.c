/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs/mount-report.h"

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/log.h"

static void tell(struct jsontext *write, const char *name, const struct mount_outcome *outcome, int64_t milliseconds)
{
	if (!outcome->text[0])
		return;
	if (outcome->changed)
		log_step("%s: %s", name, outcome->text);
	else
		log_detail("%s: %s", name, outcome->text);
	jsontext_open_object(write, NULL);
	jsontext_text(write, "name", name);
	jsontext_u64(write, "milliseconds", (uint64_t)milliseconds);
	jsontext_bool(write, "changed", outcome->changed);
	jsontext_text(write, "found", outcome->text);
	jsontext_close_object(write);
}

int mount_report_run(struct mount *mount, struct jsontext *write, bool *changed, struct err *err)
{
	*changed = false;
	jsontext_open_array(write, "steps");
	for (enum mount_stage stage = MOUNT_CHECK; stage < MOUNT_STAGES; stage++) {
		int64_t begin_ms = deadline_now_ms();
		struct mount_outcome outcome;
		int ret = mount_run(mount, stage, &outcome, err);

		if (ret < 0)
			return ret;
		tell(write, mount_stage_name(stage), &outcome, deadline_now_ms() - begin_ms);
		*changed |= outcome.changed;
	}
	jsontext_close_array(write);
	jsontext_text(write, "filesystem", mount->info.filesystem);
	jsontext_text(write, "label", mount->info.label);
	jsontext_text(write, "uuid", mount->info.uuid[0] ? mount->info.uuid : NULL);
	jsontext_bool(write, "changed", *changed);
	return 0;
}
