/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: all stages of a mount in a row, told to people and as JSON
 */
#ifndef NODEVOL_EBS_MOUNT_REPORT_H
#define NODEVOL_EBS_MOUNT_REPORT_H

#include "bootstrap/base/jsontext.h"
#include "ebs/mount.h"

/*
 * Runs every stage of @mount; each that has something to say gets a line in the log and an object in the array "steps",
 * followed by what is known of the filesystem and "changed", which is @changed too. Return: as mount_run().
 */
int mount_report_run(struct mount *mount, struct jsontext *write, bool *changed, struct err *err);

#endif
