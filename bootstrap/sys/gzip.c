/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST /* next_in points to const */

#include "bootstrap/sys/gzip.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>

#define GZIP_ONLY (MAX_WBITS + 16) /* zlib's way to ask for a gzip header, zlib.h at inflateInit2() */

bool gzip_is(const void *data, size_t length)
{
	const unsigned char *bytes = data;

	return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* One round of inflate() into @out. Return: 1 for more to come, 0 at the end, or a negative errno value. */
static int unpack_some(z_stream *stream, struct buf *out)
{
	unsigned char chunk[4096];
	int status;
	int ret;

	stream->next_out = chunk;
	stream->avail_out = sizeof(chunk);
	status = inflate(stream, Z_NO_FLUSH);
	if (status != Z_OK && status != Z_STREAM_END)
		return -EINVAL;
	ret = buf_add(out, chunk, sizeof(chunk) - stream->avail_out);
	if (ret < 0)
		return ret;
	return status == Z_OK;
}

int gzip_unpack(const void *data, size_t length, struct buf *out, struct err *err)
{
	z_stream stream = { 0 };
	int ret;

	if (length > UINT_MAX || inflateInit2(&stream, GZIP_ONLY) != Z_OK)
		return err_set(err, ENOMEM, "start to unpack gzip");
	stream.next_in = data;
	stream.avail_in = (uInt)length;
	do {
		ret = unpack_some(&stream, out);
	} while (ret > 0);
	inflateEnd(&stream);
	if (ret == -EMSGSIZE)
		return err_set(err, EMSGSIZE, "unpack gzip: more than %zu bytes", out->max);
	if (ret < 0)
		return err_set(err, -ret, "unpack gzip: damaged or cut short");
	return 0;
}
