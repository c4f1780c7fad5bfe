/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the instance metadata service, version 2 only
 *
 * A token first, by PUT, then items with it (EC2 User Guide, "Use the Instance Metadata Service to access instance
 * metadata"). An expired token is fetched anew, once per item. What is momentarily wrong (503, no answer, no route yet)
 * is tried again until the deadline; there is no fall-back to version 1, no proxy and no redirect. The service counts
 * requests, and packets together with DNS and NTP: so each item is asked for once and then remembered.
 */
#ifndef NODEVOL_AWS_IMDS_H
#define NODEVOL_AWS_IMDS_H

#include <time.h>

#include "bootstrap/aws/settings.h"
#include "bootstrap/base/buf.h"
#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

#define IMDS_BODY_MAX (64U << 10)

struct imds;

/**
 * imds_open - get ready; nothing is asked yet
 * @settings: borrowed as long as the handle lives
 * @deadline: for all that is asked through the handle; copied
 * @out: given back with imds_close()
 * @err: filled on failure
 *
 * Return: 0, -ENOMEM.
 */
int imds_open(const struct settings *settings, const struct deadline *deadline, struct imds **out, struct err *err);
void imds_close(struct imds *imds);

/**
 * imds_get - one item
 * @imds: the handle
 * @path: under /latest/, e.g. "meta-data/instance-id"; a slash in front is allowed
 * @out: its bytes are appended
 * @err: filled on failure
 *
 * Return: 0, or -ENOENT (ERR_ABSENT) there is no such item here, -EACCES the service is disabled or refuses,
 * -ETIMEDOUT (ERR_RETRY) no answer until the deadline, -EPROTO it answers nonsense, -EINVAL (ERR_USAGE) not a path,
 * -EMSGSIZE.
 */
int imds_get(struct imds *imds, const char *path, struct buf *out, struct err *err);

/* As imds_get(), never remembered: for credentials. */
int imds_get_secret(struct imds *imds, const char *path, struct buf *out, struct err *err);

/**
 * struct imds_identity - who this instance is
 * @instance_id: "i-..."
 * @instance_type: "m5.large"
 * @region: "us-east-1"
 * @zone: "us-east-1a"
 * @launch_time: when this boot of it was asked for, 0 when unknown
 */
struct imds_identity {
	char instance_id[32];
	char instance_type[48];
	char region[SETTINGS_REGION_MAX];
	char zone[64];
	time_t launch_time;
};

/* One request: dynamic/instance-identity/document. Return: as imds_get(), -EPROTO when it is no such document. */
int imds_get_identity(struct imds *imds, struct imds_identity *out, struct err *err);

static inline void imds_cleanup(struct imds **imds)
{
	imds_close(*imds);
}

#define CLEANUP_IMDS __attribute__((cleanup(imds_cleanup)))

#endif
