/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure FILE COMMAND...: runs the command and writes "CPU_MS WALL_MS PEAK_KIB STATUS" into FILE: user and system time
 * of the command and of all it waited for, its duration, the largest resident set among them, its exit status.
 *
 * A process inherits the peak of whoever started it, so that is done by something small.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double time_ms(struct timeval time)
{
	return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double begin = now_ms();
	int status;
	pid_t child;
	FILE *out;

	if (argc < 3)
		return 2;
	child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 1;
	out = fopen(argv[1], "w");
	if (!out)
		return 1;
	fprintf(out, "%.1f %.1f %ld %d\n", time_ms(usage.ru_utime) + time_ms(usage.ru_stime), now_ms() - begin,
		usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(out) == 0 ? 0 : 1;
}
