/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: scope-bound cleanup
 *
 * A variable that owns something carries one of the marks below, is initialised where it is declared (NULL or -1), and
 * is handed over with TAKE_PTR() or TAKE_FD() and nothing else. What was written is flushed, closed and checked
 * explicitly: these are only the net below.
 */
#ifndef NODEVOL_BASE_CLEANUP_H
#define NODEVOL_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <dirent.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cleanup_closedir(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

#define CLEANUP_FREE	 CLEANUP(cleanup_free)
#define CLEANUP_CLOSE	 CLEANUP(cleanup_close)
#define CLEANUP_FCLOSE	 CLEANUP(cleanup_fclose)
#define CLEANUP_CLOSEDIR CLEANUP(cleanup_closedir)

/*
 * The value of an owning variable, which no longer owns it. The type is the variable's own, so a mix-up does not
 * compile.
 */
#define TAKE_PTR(pointer)                                \
	({                                               \
		__typeof__(pointer) taken_ = (pointer);  \
		(pointer) = NULL;                        \
		taken_;                                  \
	})

#define TAKE_FD(fd)                  \
	({                           \
		int taken_ = (fd);   \
		(fd) = -1;           \
		taken_;              \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
