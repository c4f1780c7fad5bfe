/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"

#define LAST_WORDS_MS 500 /* that a killed program gets to be reaped */
#define LOOK_MS	      5	  /* between looks at a program that has no pidfd */

static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

/**
 * struct running - a program that was started
 * @pid: its process
 * @pidfd: readable when it has ended; -1 where there are none (a sandbox, valgrind)
 * @output: read end of its stdout and stderr, not blocking
 */
struct running {
	pid_t pid;
	int pidfd;
	int output;
};

static int find_program(const char *name, char *out, size_t size, struct err *err)
{
	if (strchr(name, '/')) {
		if ((size_t)snprintf(out, size, "%s", name) >= size)
			return err_set(err, ENAMETOOLONG, "the path of a program is too long");
		if (access(out, X_OK) < 0)
			return err_sys(err, errno, "run %s", name);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if ((size_t)snprintf(out, size, "%s/%s", folders[i], name) < size && access(out, X_OK) == 0)
			return 0;
	return err_set(err, ENOENT, "%s is not installed", name);
}

/*
 * Our environment with a fixed language and search path, and without AWS's variables: no child of ours talks to AWS, and
 * credentials do not belong where /proc shows them once more. Made before fork(), because malloc() after it is not safe
 * in a program with threads.
 */
static char **make_environment(struct err *err)
{
	static char language[] = "LC_ALL=C";
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	size_t count = 0;
	size_t kept = 0;
	char **made;

	while (environ && environ[count])
		count++;
	made = calloc(count + 3, sizeof(*made));
	if (!made) {
		err_sys(err, ENOMEM, "copy the environment");
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "LC_ALL=", 7) != 0 && strncmp(environ[i], "PATH=", 5) != 0 &&
		    strncmp(environ[i], "AWS_", 4) != 0)
			made[kept++] = environ[i];
	made[kept++] = language;
	made[kept] = path;
	return made;
}

/**
 * struct birth - what a child needs to become a program
 * @program: its path
 * @argv: its words
 * @environment: its environment
 * @parent: who forks
 * @output: write end for its stdout and stderr
 * @report: write end for the errno value of a failure; a successful exec closes it
 */
struct birth {
	const char *program;
	const char *const *argv;
	char **environment;
	pid_t parent;
	int output;
	int report;
};

/* After fork(): system calls only. */
static void become(const struct birth *birth)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t none;
	int code;
	int null;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != birth->parent)
		_exit(127);
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &by_default, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(birth->output, STDOUT_FILENO) >= 0 &&
	    dup2(birth->output, STDERR_FILENO) >= 0) {
		/* All of ours close on exec; this is for what a library or our own parent left open. */
		if (birth->report > 3)
			close_range(3, (unsigned int)birth->report - 1, 0);
		close_range((unsigned int)birth->report + 1, ~0U, 0);
		execve(birth->program, (char *const *)birth->argv, birth->environment);
	}
	code = errno;
	/* A report that does not arrive reads as a program that ended with 127. */
	if (write(birth->report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * An end of a pipe must not be 0 to 2: where our own standard descriptors are closed, it would be overwritten while the
 * child sets up its own.
 */
static int make_pipe(int *read_end, int *write_end, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "make a pipe");
	*read_end = fcntl(ends[0], F_DUPFD_CLOEXEC, 3);
	*write_end = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
	close(ends[0]);
	close(ends[1]);
	if (*read_end < 0 || *write_end < 0)
		return err_sys(err, EMFILE, "make a pipe");
	return 0;
}

/* Waits until the child runs @program or has said why not. */
static int wait_for_exec(const struct running *running, int report, const char *program, struct err *err)
{
	int code = 0;
	ssize_t length;

	do {
		length = read(report, &code, sizeof(code));
	} while (length < 0 && errno == EINTR);
	if (length == 0)
		return 0;
	err_sys(err, length > 0 ? code : EIO, "run %s", program);
	kill(running->pid, SIGKILL);
	waitpid(running->pid, NULL, 0);
	if (running->pidfd >= 0)
		close(running->pidfd);
	return -err->code;
}

static int start(const char *program, const char *const *argv, struct running *out, struct err *err)
{
	CLEANUP_FREE char **environment = make_environment(err);
	CLEANUP_CLOSE int output_read = -1;
	CLEANUP_CLOSE int output_write = -1;
	CLEANUP_CLOSE int report_read = -1;
	CLEANUP_CLOSE int report_write = -1;
	struct birth birth = { .program = program, .argv = argv, .environment = environment, .parent = getpid() };
	int ret;

	if (!environment)
		return -err->code;
	if (make_pipe(&output_read, &output_write, err) < 0 || make_pipe(&report_read, &report_write, err) < 0)
		return -err->code;
	birth.output = output_write;
	birth.report = report_write;
	out->pid = fork();
	if (out->pid == 0)
		become(&birth);
	if (out->pid < 0)
		return err_sys(err, errno, "fork");
	close(TAKE_FD(output_write));
	close(TAKE_FD(report_write));
	/* A descriptor from pidfd_open(2) closes on exec by itself. */
	out->pidfd = (int)syscall(SYS_pidfd_open, out->pid, 0);
	ret = wait_for_exec(out, report_read, program, err);
	if (ret < 0)
		return ret;
	fcntl(output_read, F_SETFL, O_NONBLOCK);
	out->output = TAKE_FD(output_read);
	return 0;
}

/* Reads what is there. Return: true as long as there may be more. What does not fit is read and dropped. */
static bool drain(int fd, struct buf *output)
{
	char data[4096];
	ssize_t length;

	for (;;) {
		length = read(fd, data, sizeof(data));
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return length < 0 && errno == EAGAIN;
		if (output) {
			size_t room = output->max - output->length;

			/* Without memory the message is shorter, which is no reason to fail. */
			if (room)
				buf_add(output, data, (size_t)length < room ? (size_t)length : room);
		}
	}
}

static bool has_ended(const struct running *running)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)running->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

static int wait_for(const struct running *running, const struct deadline *deadline, struct buf *output)
{
	struct pollfd polled[2] = { { .fd = running->pidfd, .events = POLLIN },
				    { .fd = running->output, .events = POLLIN } };

	for (;;) {
		int left = deadline_left_ms(deadline);

		if (poll(polled, 2, running->pidfd < 0 && left > LOOK_MS ? LOOK_MS : left) < 0 && errno != EINTR)
			return -errno;
		/* Its end counts, not the pipe's: something it started may hold that open. */
		if (has_ended(running)) {
			drain(running->output, output);
			return 0;
		}
		if (!left)
			return -ETIMEDOUT;
		if (polled[1].fd >= 0 && !drain(running->output, output))
			polled[1].fd = -1;
	}
}

static int end(struct running *running, const char *name, int code, struct err *err)
{
	struct deadline last = deadline_in_ms(LAST_WORDS_MS);

	kill(running->pid, SIGKILL);
	if (wait_for(running, &last, NULL) == 0)
		waitpid(running->pid, NULL, 0);
	if (code == -ETIMEDOUT)
		return err_set(err, ETIMEDOUT, "%s was stopped at the deadline", name);
	return err_sys(err, -code, "wait for %s", name);
}

int process_run(const char *const *argv, const struct deadline *deadline, struct buf *output, int *status,
		struct err *err)
{
	struct running running = { .pidfd = -1, .output = -1 };
	char program[256];
	int wait_status = 0;
	int ret;

	ret = find_program(argv[0], program, sizeof(program), err);
	if (ret < 0)
		return ret;
	ret = start(program, argv, &running, err);
	if (ret < 0)
		return ret;
	ret = wait_for(&running, deadline, output);
	if (ret < 0) {
		ret = end(&running, argv[0], ret, err);
	} else if (waitpid(running.pid, &wait_status, 0) != running.pid) {
		ret = err_sys(err, errno, "wait for %s", argv[0]);
	} else {
		*status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
	}
	cleanup_close(&running.pidfd);
	close(running.output);
	return ret;
}
