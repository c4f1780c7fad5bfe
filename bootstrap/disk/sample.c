/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bootstrap/base/cleanup.h"

#define STACK_BYTES ((size_t)256 << 10) /* address space; a few pages of it are touched */
#define WHOLE_BYTES (4 * SAMPLE_END)	/* a device of up to this is read without gaps */

/**
 * struct crew - what the threads of one sample_read() share
 * @job: the caller's
 * @next: number of the next place that nobody has taken
 * @code: errno of the first read that failed, 0
 * @failed_at: where that was; written once, before @code
 */
struct crew {
	const struct sample_job *job;
	atomic_uint_fast64_t next;
	atomic_int code;
	atomic_uint_fast64_t failed_at;
};

struct worker {
	struct crew *crew;
	unsigned int number;
	uint8_t *buffer;
	pthread_t thread;
};

/* Direct reads want whole pages; at the end of the device the kernel gives what there is. Return: 0 or -errno. */
static int read_place(const struct blkdev *device, uint64_t offset, uint8_t *data, size_t length)
{
	size_t asked = (length + SAMPLE_PAGE - 1) / SAMPLE_PAGE * SAMPLE_PAGE;
	size_t done = 0;

	while (done < length) {
		ssize_t got = pread(device->fd, data + done, asked - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
		/* A direct read can only go on at a sector; anything else is a device that got smaller. */
		if (done < length && done % device->sector_bytes)
			return -EIO;
	}
	return 0;
}

static void work(struct worker *worker)
{
	struct crew *crew = worker->crew;
	const struct sample_job *job = crew->job;

	while (!atomic_load(&crew->code)) {
		uint64_t number = atomic_fetch_add(&crew->next, 1);
		struct sample_place place;
		int expected = 0;
		int ret;

		if (number >= job->count)
			return;
		place = job->place(job->context, number);
		if (place.length > job->device->size_bytes - place.offset)
			place.length = (uint32_t)(job->device->size_bytes - place.offset);
		ret = read_place(job->device, place.offset, worker->buffer, place.length);
		if (ret < 0) {
			atomic_store(&crew->failed_at, place.offset);
			atomic_compare_exchange_strong(&crew->code, &expected, -ret);
			return;
		}
		job->visit(job->context, worker->number, place.offset, worker->buffer, place.length);
	}
}

static void *run(void *argument)
{
	work(argument);
	return NULL;
}

/* Return: how many threads run. Fewer than wanted only take longer: the caller is worker 0 and needs none. */
static unsigned int start(struct worker *workers, unsigned int wanted)
{
	pthread_attr_t attributes;
	unsigned int started = 1;
	sigset_t all;
	sigset_t before;

	if (pthread_attr_init(&attributes) != 0)
		return started;
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	/* Signals are for the thread that was there before. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < wanted && pthread_create(&workers[started].thread, &attributes, run, &workers[started]) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return started;
}

int sample_read(const struct sample_job *job, struct err *err)
{
	unsigned int wanted = job->count < SAMPLE_WORKERS ? (unsigned int)job->count : SAMPLE_WORKERS;
	size_t mapped = (size_t)wanted * SAMPLE_MAX;
	struct worker workers[SAMPLE_WORKERS];
	struct crew crew = { .job = job };
	unsigned int started;
	uint8_t *buffers;

	if (!wanted)
		return 0;
	buffers = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffers == MAP_FAILED)
		return err_sys(err, errno, "map memory for reading '%s'", job->device->path);
	for (unsigned int i = 0; i < wanted; i++)
		workers[i] = (struct worker){ .crew = &crew, .number = i, .buffer = buffers + (size_t)i * SAMPLE_MAX };
	started = start(workers, wanted);
	work(&workers[0]);
	for (unsigned int i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	munmap(buffers, mapped);
	if (crew.code)
		return err_sys(err, crew.code, "read '%s' at byte %" PRIuFAST64, job->device->path, crew.failed_at);
	return 0;
}

int sample_read_one(const struct blkdev *device, uint64_t offset, uint8_t *data, size_t length, struct err *err)
{
	size_t there = offset >= device->size_bytes	      ? 0
		       : device->size_bytes - offset < length ? (size_t)(device->size_bytes - offset)
							      : length;
	int ret = read_place(device, offset, data, there);

	if (ret < 0)
		return err_sys(err, -ret, "read '%s' at byte %" PRIu64, device->path, offset);
	memset(data + there, 0, length - there);
	return 0;
}

/* The plan */

static uint64_t pieces(uint64_t bytes)
{
	return (bytes + SAMPLE_MAX - 1) / SAMPLE_MAX;
}

/* Multiples of SAMPLE_STEP that lie between the ends. */
static uint64_t steps_between(const struct sample_plan *plan)
{
	return plan->tail > SAMPLE_PAGE ? (plan->tail - SAMPLE_PAGE) / SAMPLE_STEP : 0;
}

struct sample_plan sample_plan(uint64_t size_bytes, uint64_t seed)
{
	struct sample_plan plan = { .size_bytes = size_bytes, .seed = seed };

	if (size_bytes <= WHOLE_BYTES) {
		plan.tail = size_bytes > SAMPLE_END ? (size_bytes - SAMPLE_END) / SAMPLE_PAGE * SAMPLE_PAGE : 0;
		plan.whole = pieces(size_bytes);
		return plan;
	}
	plan.tail = (size_bytes - SAMPLE_END) / SAMPLE_PAGE * SAMPLE_PAGE;
	plan.whole = pieces(SAMPLE_END) + pieces(size_bytes - plan.tail);
	plan.strata = SAMPLE_STRATA;
	plan.steps = steps_between(&plan);
	if (plan.steps > SAMPLE_STEPS)
		plan.steps = SAMPLE_STEPS;
	return plan;
}

uint64_t sample_plan_count(const struct sample_plan *plan)
{
	return plan->whole + plan->strata + plan->steps;
}

/* Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014): one number for each place, in any order. */
static uint64_t mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

/* The numbers of pages fit in 52 bits, those of places in 13: no product overflows. */
static struct sample_place stratum(const struct sample_plan *plan, uint64_t number)
{
	uint64_t first = SAMPLE_END / SAMPLE_PAGE;
	uint64_t count = plan->tail / SAMPLE_PAGE - first;
	uint64_t from = count * number / SAMPLE_STRATA;
	uint64_t to = count * (number + 1) / SAMPLE_STRATA;
	uint64_t page = first + from + mix(plan->seed ^ mix(number)) % (to - from);

	return (struct sample_place){ .offset = page * SAMPLE_PAGE, .length = SAMPLE_PAGE };
}

struct sample_place sample_plan_place(const struct sample_plan *plan, uint64_t number)
{
	bool gaps = plan->strata > 0;
	uint64_t head = gaps ? pieces(SAMPLE_END) : plan->whole;

	if (number < head)
		return (struct sample_place){ .offset = number * SAMPLE_MAX, .length = SAMPLE_MAX };
	if (number < plan->whole)
		return (struct sample_place){ .offset = plan->tail + (number - head) * SAMPLE_MAX,
					      .length = SAMPLE_MAX };
	number -= plan->whole;
	if (number < plan->strata)
		return stratum(plan, number);
	number -= plan->strata;
	return (struct sample_place){ .offset = (1 + steps_between(plan) * number / plan->steps) * SAMPLE_STEP,
				      .length = SAMPLE_PAGE };
}
