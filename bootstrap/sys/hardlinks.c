/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/hardlinks.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct first_copy {
	ino_t ino;
	nlink_t names;
	char *path;
};

static int compare(const void *left, const void *right)
{
	const struct first_copy *a = left;
	const struct first_copy *b = right;

	return (a->ino > b->ino) - (a->ino < b->ino);
}

static struct first_copy *find(const struct hardlinks *links, ino_t ino)
{
	struct first_copy key = { .ino = ino };
	void *node = tfind(&key, &links->tree, compare);

	return node ? *(struct first_copy **)node : NULL;
}

static void free_entry(void *pointer)
{
	struct first_copy *entry = pointer;

	free(entry->path);
	free(entry);
}

const char *hardlinks_find(const struct hardlinks *links, ino_t ino)
{
	const struct first_copy *entry = find(links, ino);

	return entry ? entry->path : NULL;
}

int hardlinks_add(struct hardlinks *links, ino_t ino, nlink_t names, const char *path)
{
	struct first_copy *entry = find(links, ino);
	char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	if (entry) {
		free(entry->path);
		entry->path = copy;
		return 0;
	}
	entry = malloc(sizeof(*entry));
	if (!entry) {
		free(copy);
		return -ENOMEM;
	}
	*entry = (struct first_copy){ .ino = ino, .names = names, .path = copy };
	if (!tsearch(entry, &links->tree, compare)) {
		free_entry(entry);
		return -ENOMEM;
	}
	return 0;
}

void hardlinks_used(struct hardlinks *links, ino_t ino)
{
	struct first_copy *entry = find(links, ino);

	if (!entry || --entry->names)
		return;
	tdelete(entry, &links->tree, compare);
	free_entry(entry);
}

void hardlinks_done(struct hardlinks *links)
{
	tdestroy(links->tree, free_entry);
	links->tree = NULL;
}
