/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: what a mount would hide: containerd's store and kubelet's directories
 *
 * A new volume over a directory that holds files hides them. For three directories of a node that is not allowed to
 * happen and not refused either: /var/lib/containerd (the pause image is in there, without which no pod starts),
 * /var/lib/kubelet and /var/log/pods are copied onto a volume that holds nothing yet. Everything else is refused.
 */
#ifndef NODEVOL_NODE_STORE_H
#define NODEVOL_NODE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootstrap/base/deadline.h"
#include "bootstrap/base/err.h"

/**
 * enum store_kind - what a mount point is to the node
 * @STORE_NONE: nothing of ours: files there are refused
 * @STORE_CONTAINERD: containerd's root; its meta.db says whether it is in use
 * @STORE_KUBELET: /var/lib/kubelet
 * @STORE_LOGS: /var/log/pods
 */
enum store_kind {
	STORE_NONE,
	STORE_CONTAINERD,
	STORE_KUBELET,
	STORE_LOGS,
};

/* Told by the path as the host names it. */
enum store_kind store_kind_of(const char *path);

/*
 * Does @directory hold anything; an empty lost+found and our own marks aside. Return: 1 with the name of one entry in
 * @name (NULL if nobody wants it), 0 when not or when there is no such directory, or an error.
 */
int store_has_content(const char *directory, char *name, size_t size, struct err *err);

/* Return: 1 when a copy onto @directory was begun and not finished, 0, or an error. */
int store_copy_unfinished(const char *directory, struct err *err);

/* Is what @directory holds a store of @kind. Of containerd's that is its meta.db; the others are what they are. */
bool store_is_whole(enum store_kind kind, const char *directory);

/**
 * store_check_stopped - is anybody at work in @directory
 * @root: the host's root, for its processes
 * @kind: of the directory
 * @directory: as seen from here
 * @err: says who
 *
 * bolt holds a lock on meta.db as long as containerd runs (bbolt, bolt_unix.go: flock(2)); a process with a file open
 * below @directory counts as well.
 *
 * Return: 0 for nobody, -EBUSY (ERR_REFUSED).
 */
int store_check_stopped(const char *root, enum store_kind kind, const char *directory, struct err *err);

/**
 * struct store_move - a directory on its way to a volume
 * @root: the host's root
 * @kind: of @source
 * @source: the directory that the mount will hide, as seen from here
 * @destination: a directory of the volume that is empty, or whose copy is unfinished: then it is emptied first
 * @deadline: when to give up; the mark stays
 */
struct store_move {
	const char *root;
	enum store_kind kind;
	const char *source;
	const char *destination;
	struct deadline deadline;
};

/**
 * store_move_onto - copy the source onto the destination, all or visibly unfinished
 * @move: what
 * @files: how many were copied
 * @bytes: how much
 * @err: filled on failure
 *
 * A mark is written and synced before the first file, removed and synced after the last; containerd's meta.db is the
 * last file. The source is not changed. That nobody is at work in it is checked before and after.
 *
 * Return: 0, -EEXIST (ERR_REFUSED) the destination holds something else, -EBUSY (ERR_REFUSED), -ENOSPC, ...
 */
int store_move_onto(const struct store_move *move, uint64_t *files, uint64_t *bytes, struct err *err);

#endif
