/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every target includes last. With libFuzzer (NODEVOL_LIBFUZZER) it only declares; otherwise it is the main() that
 * gives the target each file named as an argument, so that seeds run without a fuzzer.
 */
#ifndef NODEVOL_FUZZ_REPLAY_H
#define NODEVOL_FUZZ_REPLAY_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that has to hold whatever the input is. */
#define REPLAY_CHECK(condition)                                                                \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                               \
		}                                                                              \
	} while (0)

/* @data as a string of its own, so that a sanitizer sees a read beyond its end. NULL when there is a NUL inside. */
static inline char *replay_text(const uint8_t *data, size_t size)
{
	char *text;

	if (memchr(data, '\0', size))
		return NULL;
	text = malloc(size + 1);
	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#ifndef NODEVOL_LIBFUZZER

static inline int replay_file(const char *path)
{
	CLEANUP_FCLOSE FILE *file = fopen(path, "rbe");
	CLEANUP_FREE uint8_t *data = NULL;
	long size;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0) {
		fprintf(stderr, "open %s: %s\n", path, strerror(errno));
		return -1;
	}
	data = malloc(size ? (size_t)size : 1);
	if (!data || fread(data, 1, (size_t)size, file) != (size_t)size) {
		fprintf(stderr, "read %s\n", path);
		return -1;
	}
	LLVMFuzzerTestOneInput(data, (size_t)size);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		if (replay_file(argv[i]) < 0)
			return 1;
	printf("%d files\n", argc - 1);
	return 0;
}

#endif

#endif
