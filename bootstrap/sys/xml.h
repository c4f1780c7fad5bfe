/* SPDX-License-Identifier: Apache-2.0 */
/**
 * DOC: the door to expat: a small document as a tree of elements
 *
 * For what the AWS Query APIs answer: elements and text. Attributes, comments and processing instructions are
 * dropped. A document type is refused, so no entity can be defined and none can grow. Nothing may depend on the order
 * of elements or on white space between them: EC2 promises neither (AWSEC2/APIReference, Query-Requests).
 */
#ifndef NODEVOL_SYS_XML_H
#define NODEVOL_SYS_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "bootstrap/base/err.h"

#define XML_DEPTH_MAX	 32
#define XML_ELEMENTS_MAX 65536

/**
 * struct xml_element - one element
 * @name: as written, namespace prefix included
 * @text: the character data of an element without children, "" for none; entities resolved, white space kept
 * @parent: NULL for the root
 * @first: first child, NULL for none
 * @last: last child
 * @next: next sibling, NULL for none
 */
struct xml_element {
	char *name;
	char *text;
	struct xml_element *parent;
	struct xml_element *first;
	struct xml_element *last;
	struct xml_element *next;
};

/**
 * xml_parse - read a whole document
 * @text: the bytes
 * @length: how many
 * @out: its root element, freed with xml_free()
 * @err: says line and column
 *
 * Return: 0, -EBADMSG not well-formed, with a document type, too deep or with too many elements; -ENOMEM.
 */
int xml_parse(const char *text, size_t length, struct xml_element **out, struct err *err);

/* Frees the tree of which @root is the root; NULL is nothing. */
void xml_free(struct xml_element *root);

/* Each takes a NULL element as one without children, so that lookups can be nested. */

/* The first child called @name, or NULL. */
const struct xml_element *xml_child(const struct xml_element *element, const char *name);

/* The next sibling that has the same name, or NULL. */
const struct xml_element *xml_next(const struct xml_element *element);

/* The text of the first child called @name; "" when there is none or it is empty. Never NULL; lives with the tree. */
const char *xml_text(const struct xml_element *element, const char *name);

static inline void xml_cleanup(struct xml_element **root)
{
	xml_free(*root);
}

#define CLEANUP_XML __attribute__((cleanup(xml_cleanup)))

#endif
