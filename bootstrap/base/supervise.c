/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/base/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"

#define STAGE_MAX  512
#define LAST_WORDS 500 /* milliseconds that a killed child gets to be reaped */

/**
 * struct shared - a page of parent and child
 * @stage: what the child is doing; a torn text would only make a last message odd
 * @deadline_ms: on the deadline's clock; only ever made earlier, by the child
 */
struct shared {
	char stage[STAGE_MAX];
	_Atomic int64_t deadline_ms;
};

static struct shared *shared;
static int deadline_changed = -1; /* an eventfd that wakes the parent */

void supervise_stage(const char *format, ...)
{
	va_list arguments;

	if (!shared)
		return;
	va_start(arguments, format);
	vsnprintf(shared->stage, STAGE_MAX, format, arguments);
	va_end(arguments);
}

void supervise_shorten(const struct deadline *deadline)
{
	uint64_t one = 1;

	if (!shared || deadline->at_ms >= shared->deadline_ms)
		return;
	shared->deadline_ms = deadline->at_ms;
	/* A parent that is not woken keeps the later deadline, and every wait in here keeps the earlier one. */
	if (write(deadline_changed, &one, sizeof(one)) < 0)
		return;
}

static const char *stage_text(void)
{
	shared->stage[STAGE_MAX - 1] = '\0';
	return shared->stage[0] ? shared->stage : "start";
}

static int run_child(pid_t parent, const sigset_t *mask, int (*work)(void *), void *argument)
{
	/* The parent's own death must end us too: nobody would keep the deadline any more. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return ERR_RETRY;
	sigprocmask(SIG_SETMASK, mask, NULL);
	return work(argument);
}

/*
 * Waits for the child's end or a signal. Return: the signal's number, SIGCHLD for the end, 0 when the deadline passed.
 */
static int wait_signal(int signals)
{
	struct signalfd_siginfo info;
	struct pollfd poll_fds[] = { { .fd = signals, .events = POLLIN },
				     { .fd = deadline_changed, .events = POLLIN } };
	struct deadline deadline;
	uint64_t count;

	do {
		deadline.at_ms = shared->deadline_ms;
		if (poll(poll_fds, ARRAY_SIZE(poll_fds), deadline_left_ms(&deadline)) > 0) {
			if (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
				return (int)info.ssi_signo;
			if (read(deadline_changed, &count, sizeof(count)) < 0)
				continue;
		}
		deadline.at_ms = shared->deadline_ms;
	} while (deadline_left_ms(&deadline));
	return 0;
}

static bool reap(pid_t child, int *wait_status, const struct deadline *deadline)
{
	for (;;) {
		if (waitpid(child, wait_status, WNOHANG) == child)
			return true;
		if (!deadline_left_ms(deadline))
			return false;
		deadline_sleep_ms(deadline, 10);
	}
}

static int end_child(pid_t child, struct err *err, int code)
{
	struct deadline last = deadline_in_ms(LAST_WORDS);
	int wait_status;

	kill(child, SIGKILL);
	if (!reap(child, &wait_status, &last))
		err_wrap(err, "process %d sleeps in the kernel and is left behind", (int)child);
	err->code = code;
	err->status = ERR_RETRY;
	return -code;
}

static int watch(pid_t child, int signals, int *status, struct err *err)
{
	int wait_status = 0;
	int number;

	for (;;) {
		number = wait_signal(signals);
		if (number == 0) {
			err_set(err, ETIMEDOUT, "the deadline passed during: %s", stage_text());
			return end_child(child, err, ETIMEDOUT);
		}
		if (number != SIGCHLD) {
			err_set(err, EINTR, "stopped by SIG%s during: %s; the next run goes on from there",
				sigabbrev_np(number), stage_text());
			return end_child(child, err, EINTR);
		}
		if (waitpid(child, &wait_status, WNOHANG) == child)
			break;
	}
	if (WIFSIGNALED(wait_status)) {
		err_set(err, ECHILD, "killed by SIG%s during: %s", sigabbrev_np(WTERMSIG(wait_status)), stage_text());
		/* Somebody did that, or memory ran out: neither need be so the next time. Our own crashes are other signals. */
		if (WTERMSIG(wait_status) == SIGKILL)
			err->status = ERR_RETRY;
		return -ECHILD;
	}
	*status = WEXITSTATUS(wait_status);
	return 0;
}

int supervise(const struct deadline *deadline, int (*work)(void *argument), void *argument, int *status,
	      struct err *err)
{
	CLEANUP_CLOSE int signals = -1;
	sigset_t handled;
	sigset_t before;
	pid_t parent = getpid();
	pid_t child;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		shared = NULL;
		return err_sys(err, errno, "map a page");
	}
	shared->deadline_ms = deadline->at_ms;
	deadline_changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigemptyset(&handled);
	sigaddset(&handled, SIGCHLD);
	sigaddset(&handled, SIGTERM);
	sigaddset(&handled, SIGINT);
	sigaddset(&handled, SIGHUP);
	sigprocmask(SIG_BLOCK, &handled, &before);
	signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0 || deadline_changed < 0)
		return err_sys(err, errno, "open a signalfd and an eventfd");
	child = fork();
	if (child < 0)
		return err_sys(err, errno, "fork");
	if (child == 0)
		_exit(run_child(parent, &before, work, argument));
	return watch(child, signals, status, err);
}
