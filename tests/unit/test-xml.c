/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/xml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"

static struct xml_element *parse(const char *text)
{
	struct xml_element *root = NULL;
	struct err err;

	assert_int_equal(xml_parse(text, strlen(text), &root, &err), 0);
	return root;
}

/* One answer of EC2's, as it is with and without white space, in two orders, with absent and with empty elements. */
static const char *const same_answer[] = {
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<R xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
	"  <requestId>r-1</requestId>\n"
	"  <volumeSet>\n"
	"    <item>\n      <volumeId>vol-1</volumeId>\n      <snapshotId/>\n    </item>\n"
	"    <item>\n      <volumeId>vol-2</volumeId>\n    </item>\n"
	"  </volumeSet>\n"
	"</R>\n",
	"<R><volumeSet><item><snapshotId></snapshotId><volumeId>vol-1</volumeId></item><other/>"
	"<item><volumeId>vol-2</volumeId></item></volumeSet><requestId>r-1</requestId></R>",
};

static void order_and_white_space_mean_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(same_answer); i++) {
		CLEANUP_XML struct xml_element *root = parse(same_answer[i]);
		const struct xml_element *item = xml_child(xml_child(root, "volumeSet"), "item");

		assert_string_equal(xml_text(root, "requestId"), "r-1");
		assert_string_equal(xml_text(item, "volumeId"), "vol-1");
		assert_string_equal(xml_text(item, "snapshotId"), "");
		item = xml_next(item);
		assert_string_equal(xml_text(item, "volumeId"), "vol-2");
		assert_null(xml_next(item));
	}
}

static void what_is_absent_is_an_empty_text(void **state)
{
	CLEANUP_XML struct xml_element *root = parse("<R><a/></R>");

	assert_string_equal(xml_text(root, "b"), "");
	assert_string_equal(xml_text(xml_child(xml_child(root, "a"), "b"), "c"), "");
	assert_string_equal(xml_text(NULL, "a"), "");
	assert_null(xml_child(NULL, "a"));
	assert_null(xml_next(NULL));
}

static const struct {
	const char *xml;
	const char *text;
} text_rows[] = {
	{ "<R><v>a &amp; b &lt;c&gt; &quot;d&quot; &apos;e&apos;</v></R>", "a & b <c> \"d\" 'e'" },
	{ "<R><v>&#65;&#x42;&#xe9;</v></R>", "AB\xc3\xa9" },
	{ "<R><v> kept  as it is\n</v></R>", " kept  as it is\n" },
	{ "<R><v><![CDATA[<x>&amp;]]></v></R>", "<x>&amp;" },
	{ "<R><v>one<!-- two -->three</v></R>", "onethree" },
	{ "<R><v unit=\"GiB\">100</v></R>", "100" },
	{ "<R><v>first</v><v>second</v></R>", "first" },
};

static void text_is_what_it_stands_for(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(text_rows); i++) {
		CLEANUP_XML struct xml_element *root = parse(text_rows[i].xml);

		assert_string_equal(xml_text(root, "v"), text_rows[i].text);
	}
}

static const struct {
	const char *xml;
	const char *reason;
} bad_rows[] = {
	{ "", "no element found" },
	{ "not xml", "syntax error" },
	{ "<R><a></R>", "mismatched tag" },
	{ "<R>", "no element found" },
	{ "<R/><R/>", "junk after document element" },
	{ "<!DOCTYPE html><html/>", "it has a document type" },
	{ "<!DOCTYPE R [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><R>&b;</R>", "it has a document type" },
	{ "<!DOCTYPE R SYSTEM \"file:///etc/passwd\"><R/>", "it has a document type" },
	{ "<R>&unknown;</R>", "undefined entity" },
};

static void what_is_not_a_plain_document_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_rows); i++) {
		struct xml_element *root = NULL;
		struct err err = { 0 };

		assert_int_equal(xml_parse(bad_rows[i].xml, strlen(bad_rows[i].xml), &root, &err), -EBADMSG);
		assert_null(root);
		assert_non_null(strstr(err.message, bad_rows[i].reason));
		assert_non_null(strstr(err.message, "line "));
	}
}

/* @count times @piece between "<R>" and "</R>"; closed again @depth times by "</a>". */
static int parse_repeated(const char *piece, size_t count, const char *closing, struct err *err)
{
	struct buf text CLEANUP_BUF = BUF_INIT(8U << 20);
	struct xml_element *root = NULL;
	int ret;

	buf_add_text(&text, "<R>");
	for (size_t i = 0; i < count; i++)
		buf_add_text(&text, piece);
	for (size_t i = 0; closing && i < count; i++)
		buf_add_text(&text, closing);
	buf_add_text(&text, "</R>");
	ret = xml_parse(text.data, text.length, &root, err);
	xml_free(root);
	return ret;
}

static void depth_and_number_of_elements_and_length_of_a_text_are_bounded(void **state)
{
	struct err err = { 0 };

	assert_int_equal(parse_repeated("<a>", XML_DEPTH_MAX - 1, "</a>", &err), 0);
	assert_int_equal(parse_repeated("<a>", XML_DEPTH_MAX, "</a>", &err), -EBADMSG);
	assert_non_null(strstr(err.message, "nested too deeply"));
	assert_int_equal(parse_repeated("<a>", 500000, "</a>", &err), -EBADMSG);
	assert_int_equal(parse_repeated("<a/>", XML_ELEMENTS_MAX - 1, NULL, &err), 0);
	assert_int_equal(parse_repeated("<a/>", XML_ELEMENTS_MAX, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "too many elements"));
	assert_int_equal(parse_repeated("0123456789abcdef", 100000, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "text is too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_white_space_mean_nothing),
		cmocka_unit_test(what_is_absent_is_an_empty_text),
		cmocka_unit_test(text_is_what_it_stands_for),
		cmocka_unit_test(what_is_not_a_plain_document_is_refused),
		cmocka_unit_test(depth_and_number_of_elements_and_length_of_a_text_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
