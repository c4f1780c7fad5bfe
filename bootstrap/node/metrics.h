/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: a report as OpenMetrics text (https://openmetrics.io, prometheus text format)
 */
#ifndef NODEVOL_NODE_METRICS_H
#define NODEVOL_NODE_METRICS_H

#include "bootstrap/base/buf.h"
#include "bootstrap/node/report.h"

/* Appends the text. Return: 0, -EMSGSIZE, -ENOMEM. */
int metrics_text(const struct report *report, struct buf *out);

#endif
