/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/disk/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WHOLE_BYTES (4 * SAMPLE_END) /* a device of up to this is read without gaps */

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

/*
 * The kernel's own asynchronous reads (io_submit(2)): one thread with many reads in flight, no switch between threads for
 * each. glibc has no wrappers; libaio is nothing but these.
 */
static long io_setup(unsigned int count, aio_context_t *context)
{
	return syscall(SYS_io_setup, count, context);
}

static long io_submit(aio_context_t context, long count, struct iocb **requests)
{
	return syscall(SYS_io_submit, context, count, requests);
}

static long io_getevents(aio_context_t context, long least, long most, struct io_event *events)
{
	return syscall(SYS_io_getevents, context, least, most, events, NULL);
}

/*
 * One queue for the life of the process: the kernel takes tens of milliseconds to give one back (it waits for all
 * processors), which the process's end does anyway. Return: 0 for none: the host's whole share of asynchronous requests
 * is in use (fs.aio-max-nr).
 */
static aio_context_t the_context(void)
{
	static aio_context_t context;

	if (!context && io_setup(SAMPLE_DEPTH, &context) < 0)
		context = 0;
	return context;
}

/**
 * struct queue - reads in flight
 * @job: the caller's
 * @context: the kernel's
 * @buffers: SAMPLE_DEPTH of SAMPLE_MAX bytes
 * @requests: one for each buffer
 * @places: what each reads
 * @idle: those that are not in flight
 * @idle_count: how many
 * @in_flight: how many the kernel has
 * @next: number of the next place
 */
struct queue {
	const struct sample_job *job;
	aio_context_t context;
	uint8_t *buffers;
	struct iocb requests[SAMPLE_DEPTH];
	struct sample_place places[SAMPLE_DEPTH];
	unsigned int idle[SAMPLE_DEPTH];
	unsigned int idle_count;
	long in_flight;
	uint64_t next;
};

static struct sample_place place_at(const struct sample_job *job, uint64_t number)
{
	struct sample_place place = job->place(job->context, number);

	if (place.length > job->device->size_bytes - place.offset)
		place.length = (uint32_t)(job->device->size_bytes - place.offset);
	return place;
}

static int read_error(const struct sample_job *job, int code, uint64_t offset, struct err *err)
{
	return err_sys(err, code, "read '%s' at byte %" PRIu64, job->device->path, offset);
}

/* Puts every idle request to work, as far as there are places. */
static int submit(struct queue *queue, struct err *err)
{
	struct iocb *batch[SAMPLE_DEPTH];
	long count = 0;
	long done = 0;

	while (queue->idle_count && queue->next < queue->job->count) {
		unsigned int slot = queue->idle[--queue->idle_count];
		struct sample_place place = place_at(queue->job, queue->next++);
		uint64_t asked = (place.length + SAMPLE_PAGE - 1) / SAMPLE_PAGE * SAMPLE_PAGE;

		queue->places[slot] = place;
		queue->requests[slot] = (struct iocb){
			.aio_data = slot,
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_fildes = (uint32_t)queue->job->device->fd,
			.aio_buf = (uint64_t)(uintptr_t)(queue->buffers + (size_t)slot * SAMPLE_MAX),
			.aio_nbytes = asked,
			.aio_offset = (int64_t)place.offset,
		};
		batch[count++] = &queue->requests[slot];
	}
	while (done < count) {
		long accepted = io_submit(queue->context, count - done, batch + done);

		if (accepted < 0 && errno == EINTR)
			continue;
		if (accepted <= 0)
			return read_error(queue->job, accepted ? errno : EIO, (uint64_t)batch[done]->aio_offset, err);
		done += accepted;
		queue->in_flight += accepted;
	}
	return 0;
}

/* Waits for half of what is in flight, so that the other half keeps the device busy, and has it looked at. */
static int collect(struct queue *queue, struct err *err)
{
	struct io_event events[SAMPLE_DEPTH];
	long count;
	int ret;

	do {
		count = io_getevents(queue->context, (queue->in_flight + 1) / 2, SAMPLE_DEPTH, events);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return read_error(queue->job, errno, 0, err);
	queue->in_flight -= count;
	for (long i = 0; i < count; i++) {
		unsigned int slot = (unsigned int)events[i].data;
		struct sample_place place = queue->places[slot];
		uint8_t *data = queue->buffers + (size_t)slot * SAMPLE_MAX;

		if (events[i].res < 0)
			return read_error(queue->job, (int)-events[i].res, place.offset, err);
		/* A read that is cut short is done again, to its end or to the error that cut it. */
		if ((uint64_t)events[i].res < place.length) {
			ret = read_place(queue->job->device, place.offset, data, place.length);
			if (ret < 0)
				return read_error(queue->job, -ret, place.offset, err);
		}
		queue->job->visit(queue->job->context, place.offset, data, place.length);
		queue->idle[queue->idle_count++] = slot;
	}
	return 0;
}

/* After a failure: nothing may be read into memory that is given back. */
static void drain(struct queue *queue)
{
	struct io_event events[SAMPLE_DEPTH];

	while (queue->in_flight > 0) {
		long count = io_getevents(queue->context, 1, SAMPLE_DEPTH, events);

		if (count < 0 && errno != EINTR)
			return;
		queue->in_flight -= count > 0 ? count : 0;
	}
}

static int read_queued(struct queue *queue, struct err *err)
{
	int ret = 0;

	while (ret == 0 && (queue->in_flight || queue->next < queue->job->count)) {
		ret = submit(queue, err);
		if (ret == 0)
			ret = collect(queue, err);
	}
	if (ret < 0)
		drain(queue);
	return ret;
}

static int read_one_by_one(struct queue *queue, struct err *err)
{
	for (uint64_t number = 0; number < queue->job->count; number++) {
		struct sample_place place = place_at(queue->job, number);
		int ret = read_place(queue->job->device, place.offset, queue->buffers, place.length);

		if (ret < 0)
			return read_error(queue->job, -ret, place.offset, err);
		queue->job->visit(queue->job->context, place.offset, queue->buffers, place.length);
	}
	return 0;
}

int sample_read(const struct sample_job *job, struct err *err)
{
	size_t mapped = (size_t)SAMPLE_DEPTH * SAMPLE_MAX;
	struct queue queue = { .job = job };
	int ret;

	queue.buffers = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (queue.buffers == MAP_FAILED)
		return err_sys(err, errno, "map memory for reading '%s'", job->device->path);
	for (unsigned int slot = 0; slot < SAMPLE_DEPTH; slot++)
		queue.idle[queue.idle_count++] = slot;
	queue.context = the_context();
	ret = queue.context ? read_queued(&queue, err) : read_one_by_one(&queue, err);
	munmap(queue.buffers, mapped);
	return ret;
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
