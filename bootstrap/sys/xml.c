/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap/sys/xml.h"

#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/base/buf.h"
#include "bootstrap/base/cleanup.h"

#define TEXT_MAX (1U << 20)

static const char no_text[] = "";

/**
 * struct reader - the state of one parse
 * @parser: expat's
 * @root: what was read so far
 * @open: the innermost element that is not closed
 * @text: character data of @open
 * @depth: of @open, 1 for the root
 * @elements: read so far
 * @failure: 0, or why we stopped expat
 * @reason: the same for people
 */
struct reader {
	XML_Parser parser;
	struct xml_element *root;
	struct xml_element *open;
	struct buf text;
	unsigned int depth;
	unsigned int elements;
	int failure;
	const char *reason;
};

static void stop(struct reader *reader, int failure, const char *reason)
{
	if (!reader->failure) {
		reader->failure = failure;
		reader->reason = reason;
	}
	XML_StopParser(reader->parser, XML_FALSE);
}

static void append(struct reader *reader, struct xml_element *element)
{
	struct xml_element *parent = reader->open;

	element->parent = parent;
	if (!parent)
		reader->root = element;
	else if (!parent->first)
		parent->first = element;
	else
		parent->last->next = element;
	if (parent)
		parent->last = element;
	reader->open = element;
}

static void on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = data;
	struct xml_element *element;

	if (reader->failure)
		return;
	if (reader->depth == XML_DEPTH_MAX)
		return stop(reader, -EBADMSG, "elements are nested too deeply");
	if (reader->elements == XML_ELEMENTS_MAX)
		return stop(reader, -EBADMSG, "too many elements");
	element = calloc(1, sizeof(*element));
	if (!element)
		return stop(reader, -ENOMEM, "no memory");
	reader->depth++;
	reader->elements++;
	append(reader, element);
	buf_clear(&reader->text);
	element->name = strdup(name);
	if (!element->name)
		stop(reader, -ENOMEM, "no memory");
}

/* Text beside child elements is white space between them: only an element without children keeps its own. */
static void on_end(void *data, const XML_Char *name)
{
	struct reader *reader = data;
	struct xml_element *element = reader->open;

	if (reader->failure || !element)
		return;
	if (!element->first && reader->text.length) {
		element->text = strdup(reader->text.data);
		if (!element->text)
			stop(reader, -ENOMEM, "no memory");
	}
	buf_clear(&reader->text);
	reader->depth--;
	reader->open = element->parent;
}

static void on_text(void *data, const XML_Char *text, int length)
{
	struct reader *reader = data;
	int ret;

	if (reader->failure)
		return;
	ret = buf_add(&reader->text, text, (size_t)length);
	if (ret < 0)
		stop(reader, ret == -EMSGSIZE ? -EBADMSG : ret, "text is too long");
}

static void on_doctype(void *data, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
		       int has_subset)
{
	stop(data, -EBADMSG, "it has a document type");
}

static int parse(struct reader *reader, const char *text, size_t length, struct err *err)
{
	if (length > INT_MAX)
		return err_set(err, EMSGSIZE, "read XML: it is too long");
	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
	if (XML_Parse(reader->parser, text, (int)length, 1) == XML_STATUS_OK)
		return 0;
	if (!reader->failure) {
		reader->failure = -EBADMSG;
		reader->reason = XML_ErrorString(XML_GetErrorCode(reader->parser));
	}
	return err_set(err, -reader->failure, "read XML: line %lu, column %lu: %s",
		       (unsigned long)XML_GetCurrentLineNumber(reader->parser),
		       (unsigned long)XML_GetCurrentColumnNumber(reader->parser), reader->reason);
}

int xml_parse(const char *text, size_t length, struct xml_element **out, struct err *err)
{
	struct reader reader = { .parser = XML_ParserCreate(NULL) };
	int ret;

	if (!reader.parser)
		return err_sys(err, ENOMEM, "read XML");
	buf_init(&reader.text, TEXT_MAX);
	ret = parse(&reader, text, length, err);
	buf_done(&reader.text);
	XML_ParserFree(reader.parser);
	if (ret < 0)
		xml_free(reader.root);
	else
		*out = reader.root;
	return ret;
}

/* Leaf by leaf, without recursion. */
void xml_free(struct xml_element *root)
{
	struct xml_element *element = root;

	while (element) {
		struct xml_element *parent = element->parent;

		if (element->first) {
			struct xml_element *child = element->first;

			element->first = child->next;
			element = child;
			continue;
		}
		free(element->name);
		free(element->text);
		free(element);
		element = parent;
	}
}

const struct xml_element *xml_child(const struct xml_element *element, const char *name)
{
	const struct xml_element *child = element ? element->first : NULL;

	while (child && strcmp(child->name, name) != 0)
		child = child->next;
	return child;
}

const struct xml_element *xml_next(const struct xml_element *element)
{
	const struct xml_element *sibling = element ? element->next : NULL;

	while (sibling && strcmp(sibling->name, element->name) != 0)
		sibling = sibling->next;
	return sibling;
}

const char *xml_text(const struct xml_element *element, const char *name)
{
	const struct xml_element *child = xml_child(element, name);

	return child && child->text ? child->text : no_text;
}
