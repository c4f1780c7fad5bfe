/* SPDX-License-Identifier: Apache-2.0 */
/*
 * noisevol FILE DATA MAP BYTES KEY: serves a file that reads as keyed noise where nothing was written, as a fresh
 * encrypted EBS volume does, and keeps what is written in the sparse file DATA, with one bit per sector in MAP.
 *
 * FILE, which exists, is mounted over by a FUSE filesystem that has nothing but this one file in it, spoken to directly
 * (linux/fuse.h), so that a loop device over it needs no library and no daemon that a distribution may lack. Prints
 * "ready" when it is there, ends when nothing has it open or mounted any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR	     512
#define TRANSFER_MAX (1 << 20)
#define REQUEST_MAX  (TRANSFER_MAX + 65536)
#define THREADS	     4

#ifndef FOPEN_PARALLEL_DIRECT_WRITES /* Linux 6.2; older kernels ignore it */
#define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#endif

struct noisevol {
	int fuse;
	int data;
	uint8_t *map;
	uint64_t size;
	uint64_t key;
};

/* Word @index of the noise: the output function of SplitMix64 (Steele, Lea, Flood 2014) on a counter. */
static uint64_t noise_word(uint64_t key, uint64_t index)
{
	uint64_t word = key + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);

	word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
	return word ^ (word >> 31);
}

static void fill_noise(uint64_t key, uint64_t offset, uint8_t *out, size_t length)
{
	uint64_t index = offset / sizeof(index), word;

	for (size_t at = 0; at < length; at += sizeof(word)) {
		word = noise_word(key, index++);
		memcpy(out + at, &word, sizeof(word));
	}
}

static bool is_written(const struct noisevol *volume, uint64_t sector)
{
	return __atomic_load_n(&volume->map[sector / 8], __ATOMIC_ACQUIRE) & (1 << sector % 8);
}

static int read_all(int fd, uint8_t *out, size_t length, uint64_t offset)
{
	while (length) {
		ssize_t got = pread(fd, out, length, (off_t)offset);

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		out += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

/* Runs of sectors that are all written, or all not. */
static int read_volume(const struct noisevol *volume, uint64_t offset, uint8_t *out, size_t length)
{
	while (length) {
		bool written = is_written(volume, offset / SECTOR);
		size_t run = SECTOR;
		int ret;

		while (run < length && is_written(volume, (offset + run) / SECTOR) == written)
			run += SECTOR;
		if (written) {
			ret = read_all(volume->data, out, run, offset);
			if (ret < 0)
				return ret;
		} else {
			fill_noise(volume->key, offset, out, run);
		}
		out += run;
		offset += run;
		length -= run;
	}
	return 0;
}

static int write_volume(const struct noisevol *volume, uint64_t offset, const uint8_t *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t put = pwrite(volume->data, data + done, length - done, (off_t)(offset + done));

		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	for (uint64_t sector = offset / SECTOR; sector < (offset + length) / SECTOR; sector++)
		__atomic_fetch_or(&volume->map[sector / 8], 1 << sector % 8, __ATOMIC_RELEASE);
	return 0;
}

static bool is_inside(const struct noisevol *volume, uint64_t offset, uint64_t length)
{
	return offset % SECTOR == 0 && length % SECTOR == 0 && length <= TRANSFER_MAX && offset <= volume->size &&
	       length <= volume->size - offset;
}

/* @error: 0 or a negative errno value. */
static void reply(const struct noisevol *volume, uint64_t unique, int error, void *data, size_t length)
{
	struct fuse_out_header header = { .unique = unique, .error = error };
	struct iovec parts[] = { { &header, sizeof(header) }, { data, error ? 0 : length } };

	header.len = (uint32_t)(sizeof(header) + parts[1].iov_len);
	/* It fails only when the request or the whole mount is gone, and then nobody waits for it. */
	if (writev(volume->fuse, parts, 2) < 0)
		return;
}

static void reply_init(const struct noisevol *volume, const struct fuse_in_header *in, const struct fuse_init_in *asked)
{
	struct fuse_init_out answer = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION < asked->minor ? FUSE_KERNEL_MINOR_VERSION : asked->minor,
		.max_readahead = asked->max_readahead,
		.flags = asked->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_ASYNC_DIO |
					 FUSE_PARALLEL_DIROPS),
		.max_background = 64,
		.congestion_threshold = 48,
		.max_write = TRANSFER_MAX,
		.max_pages = TRANSFER_MAX / 4096,
		.time_gran = 1,
	};

	reply(volume, in->unique, 0, &answer, sizeof(answer));
}

static void reply_attributes(const struct noisevol *volume, uint64_t unique)
{
	struct fuse_attr_out answer = {
		.attr_valid = 3600,
		.attr = { .ino = FUSE_ROOT_ID, .size = volume->size, .blocks = volume->size / SECTOR, .nlink = 1,
			  .mode = S_IFREG | 0600, .blksize = 4096 },
	};

	reply(volume, unique, 0, &answer, sizeof(answer));
}

/* @buffer holds the request and, for a read, takes the answer. */
static void serve(const struct noisevol *volume, uint8_t *buffer)
{
	const struct fuse_in_header in = *(struct fuse_in_header *)(void *)buffer;
	uint8_t *body = buffer + sizeof(in);
	struct fuse_open_out opened = { .fh = 1, .open_flags = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES };
	struct fuse_read_in wanted;
	struct fuse_write_in given;
	struct fuse_write_out taken = { 0 };
	int ret;

	switch (in.opcode) {
	case FUSE_INIT:
		reply_init(volume, &in, (struct fuse_init_in *)(void *)body);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		reply_attributes(volume, in.unique);
		break;
	case FUSE_OPEN:
		reply(volume, in.unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		memcpy(&wanted, body, sizeof(wanted));
		ret = is_inside(volume, wanted.offset, wanted.size)
			      ? read_volume(volume, wanted.offset, buffer, wanted.size)
			      : -EINVAL;
		reply(volume, in.unique, ret, buffer, wanted.size);
		break;
	case FUSE_WRITE:
		memcpy(&given, body, sizeof(given));
		ret = is_inside(volume, given.offset, given.size)
			      ? write_volume(volume, given.offset, body + sizeof(given), given.size)
			      : -EINVAL;
		taken.size = given.size;
		reply(volume, in.unique, ret, &taken, sizeof(taken));
		break;
	case FUSE_FSYNC: /* it outlives every process that it is made for, and needs no more than that */
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(volume, in.unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* these have no answer */
	case FUSE_FALLOCATE: /* EBS volumes have no discard */
		reply(volume, in.unique, -EOPNOTSUPP, NULL, 0);
		break;
	default:
		reply(volume, in.unique, -ENOSYS, NULL, 0);
	}
}

/* Until the mount is gone. */
static void *serve_all(void *argument)
{
	const struct noisevol *volume = argument;
	uint8_t *buffer = NULL;

	if (posix_memalign((void **)&buffer, 4096, REQUEST_MAX) != 0)
		return NULL;
	for (;;) {
		ssize_t length = read(volume->fuse, buffer, REQUEST_MAX);

		if (length < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		if (length < (ssize_t)sizeof(struct fuse_in_header))
			break;
		serve(volume, buffer);
	}
	free(buffer);
	return NULL;
}

static int fail(const char *what)
{
	fprintf(stderr, "noisevol: %s: %s\n", what, strerror(errno));
	return 1;
}

static int open_files(struct noisevol *volume, const char *data_path, const char *map_path)
{
	size_t map_bytes = (size_t)((volume->size / SECTOR + 7) / 8);
	int map = open(map_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	volume->data = open(data_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (map < 0 || volume->data < 0)
		return fail("open the volume's files");
	if (ftruncate(map, (off_t)map_bytes) < 0 || ftruncate(volume->data, (off_t)volume->size) < 0)
		return fail("size the volume's files");
	volume->map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, map, 0);
	if (volume->map == MAP_FAILED)
		return fail("map the written sectors");
	close(map);
	return 0;
}

int main(int argc, char **argv)
{
	struct noisevol volume = { .fuse = -1 };
	pthread_t threads[THREADS];
	char options[128];

	if (argc != 6) {
		fprintf(stderr, "usage: noisevol FILE DATA MAP BYTES KEY\n");
		return 2;
	}
	volume.size = strtoumax(argv[4], NULL, 10) / SECTOR * SECTOR;
	volume.key = strtoumax(argv[5], NULL, 16);
	if (open_files(&volume, argv[2], argv[3]) != 0)
		return 1;
	volume.fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (volume.fuse < 0)
		return fail("open /dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=%o,user_id=0,group_id=0,max_read=%d", volume.fuse,
		 S_IFREG | 0600, TRANSFER_MAX);
	if (mount("noisevol", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		return fail("mount");
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, serve_all, &volume) != 0)
			return fail("start a thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
