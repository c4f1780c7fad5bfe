/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: emptying a directory
 */
#ifndef NODEVOL_SYS_TREECLEAR_H
#define NODEVOL_SYS_TREECLEAR_H

#include "bootstrap/base/err.h"

/*
 * Removes everything in @directory except entries named in @keep (NULL-terminated). No symlink is followed; a mount in
 * there is -EXDEV, and what is in it stays.
 */
int treeclear_all_but(const char *directory, const char *const *keep, struct err *err);

#endif
