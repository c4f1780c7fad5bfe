/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "al2023/user-data.h"
#include "bootstrap/base/cleanup.h"
#include "bootstrap/sys/hash.h"

#define CONFIG "{\"version\": 1}"
#define NODE \
	"--//\nContent-Type: application/node.eks.aws\n\n---\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n"
#define OURS   "--//\nContent-Type: application/vnd.nodevol+json\n\n" CONFIG "\n"
#define HEAD   "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"//\"\n\n"

static const struct {
	const char *name;
	const char *text;
	const char *expected; /* NULL: no configuration */
} documents[] = {
	{ "as Karpenter writes it, LF only", HEAD OURS NODE "--//--\n", CONFIG },
	{ "as a mail program writes it, CRLF",
	  "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"//\"\r\n\r\n--//\r\n"
	  "Content-Type: application/vnd.nodevol+json\r\n\r\n" CONFIG "\r\n--//--\r\n",
	  CONFIG },
	{ "behind another part", HEAD NODE OURS "--//--\n", CONFIG },
	{ "no end boundary", HEAD OURS, CONFIG },
	{ "two of ours: the first", HEAD OURS "--//\nContent-Type: application/vnd.nodevol+json\n\n{}\n--//--\n",
	  CONFIG },
	{ "boundary without quotes",
	  "Content-Type: multipart/mixed; boundary=x; charset=utf-8\n\n--x\nContent-Type: "
	  "application/vnd.nodevol+json; charset=utf-8\n\n" CONFIG "\n--x--\n",
	  CONFIG },
	{ "boundary on the next line",
	  "Content-Type: multipart/mixed;\n boundary=\"x\"\n\n--x\nContent-Type: "
	  "application/vnd.nodevol+json\n\n" CONFIG "\n--x--\n",
	  CONFIG },
	{ "other case and more fields",
	  "content-type: MULTIPART/mixed; BOUNDARY=\"x\"\n\n--x\nContent-Disposition: attachment\n"
	  "CONTENT-TYPE: Application/Vnd.Nodevol+JSON\n\n" CONFIG "\n--x--\n",
	  CONFIG },
	{ "text before the first boundary", HEAD "preamble\n" OURS "--//--\n", CONFIG },
	{ "a part in base64",
	  HEAD "--//\nContent-Type: application/vnd.nodevol+json\nContent-Transfer-Encoding: base64\n\n"
	       "eyJ2ZXJzaW9u\nIjogMX0=\n--//--\n",
	  CONFIG },
	{ "a document that is one part", "Content-Type: application/vnd.nodevol+json\n\n" CONFIG, CONFIG },
	{ "only other parts", HEAD NODE "--//--\n", NULL },
	{ "a longer type", HEAD "--//\nContent-Type: application/vnd.nodevol+json2\n\n" CONFIG "\n--//--\n", NULL },
	{ "a part without a header", HEAD "--//\n\n" CONFIG "\n--//--\n", NULL },
	{ "a boundary that only begins so", HEAD "--//x\nContent-Type: application/vnd.nodevol+json\n\n" CONFIG "\n",
	  NULL },
	{ "multipart without a boundary",
	  "Content-Type: multipart/mixed\n\n--\nContent-Type: application/vnd.nodevol+json\n", NULL },
	{ "a shell script", "#!/bin/bash\necho hello\n", NULL },
	{ "a NodeConfig without MIME", "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\n", NULL },
	{ "JSON without MIME", CONFIG, NULL },
	{ "nothing", "", NULL },
	{ "only blanks", "\n\n  \n", NULL },
};

static void check(const char *data, size_t length, const char *name, const char *expected)
{
	struct buf out CLEANUP_BUF = BUF_INIT(65536);
	struct err err = { 0 };
	int ret;

	ret = user_data_find_config(data, length, &out, &err);
	if (ret < 0)
		fail_msg("%s: %s", name, err.message);
	if (ret != (expected ? 1 : 0))
		fail_msg("%s: found %d", name, ret);
	if (expected && strcmp(out.data, expected) != 0)
		fail_msg("%s: '%s'", name, out.data);
}

static void the_first_part_of_our_type_is_found(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		check(documents[i].text, strlen(documents[i].text), documents[i].name, documents[i].expected);
}

static size_t gzip(const char *text, unsigned char *out, size_t size)
{
	z_stream stream = { .next_in = (unsigned char *)(uintptr_t)text, .avail_in = (unsigned int)strlen(text),
			    .next_out = out, .avail_out = (unsigned int)size };

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

static void base64_and_gzip_are_taken_off_the_whole(void **state)
{
	struct buf text CLEANUP_BUF = BUF_INIT(65536);
	unsigned char packed[4096];
	size_t length = gzip(HEAD OURS NODE "--//--\n", packed, sizeof(packed));

	check((const char *)packed, length, "gzip", CONFIG);
	assert_int_equal(hash_base64_encode(packed, length, &text), 0);
	check(text.data, text.length, "base64 of gzip", CONFIG);
	buf_clear(&text);
	assert_int_equal(hash_base64_encode(HEAD OURS, strlen(HEAD OURS), &text), 0);
	check(text.data, text.length, "base64", CONFIG);
}

static void a_part_of_ours_that_is_cut_short_is_an_error(void **state)
{
	struct buf document CLEANUP_BUF = BUF_INIT(65536);
	struct buf out CLEANUP_BUF = BUF_INIT(65536);
	unsigned char packed[4096];
	size_t length = gzip(CONFIG, packed, sizeof(packed));
	struct err err = { 0 };

	buf_add_text(&document, HEAD "--//\nContent-Type: application/vnd.nodevol+json\n\n");
	buf_add(&document, packed, length - 9);
	assert_true(user_data_find_config(document.data, document.length, &out, &err) < 0);
	assert_int_equal(err.status, ERR_USAGE);
	assert_non_null(strstr(err.message, "gzip"));
}

static void a_bomb_does_not_grow_without_end(void **state)
{
	static char zeros[8 << 20];
	struct buf packed CLEANUP_BUF = BUF_INIT(1 << 20);
	struct buf out CLEANUP_BUF = BUF_INIT(65536);
	struct err err = { 0 };
	unsigned char *room;
	size_t length;

	memset(zeros, 'x', sizeof(zeros) - 1);
	room = test_malloc(1 << 20);
	length = gzip(zeros, room, 1 << 20);
	buf_add(&packed, room, length);
	test_free(room);
	assert_int_equal(user_data_find_config(packed.data, packed.length, &out, &err), 0);
}

static void noise_is_no_configuration(void **state)
{
	struct buf out CLEANUP_BUF = BUF_INIT(65536);
	unsigned char noise[16384];
	struct err err = { 0 };
	uint32_t value = 1;

	for (unsigned int round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof(noise); i++) {
			value = value * 1664525 + 1013904223;
			noise[i] = (unsigned char)(value >> 24);
		}
		assert_int_equal(user_data_find_config((const char *)noise, sizeof(noise), &out, &err), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_part_of_our_type_is_found),
		cmocka_unit_test(base64_and_gzip_are_taken_off_the_whole),
		cmocka_unit_test(a_part_of_ours_that_is_cut_short_is_an_error),
		cmocka_unit_test(a_bomb_does_not_grow_without_end),
		cmocka_unit_test(noise_is_no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
