/* SPDX-License-Identifier: Apache-2.0 */
/* What EC2, or something on the way, answers. */
#include "bootstrap/sys/xml.h"

#include "tests/fuzz/replay.h"

/* Every element hangs where it says, and the depth that is promised is kept. */
static void walk(const struct xml_element *element, const struct xml_element *parent, int depth)
{
	REPLAY_CHECK(depth <= XML_DEPTH_MAX);
	REPLAY_CHECK(element->parent == parent);
	REPLAY_CHECK(element->name && element->name[0]);
	REPLAY_CHECK(xml_child(parent, element->name));
	REPLAY_CHECK(xml_text(parent, element->name));
	for (const struct xml_element *child = element->first; child; child = child->next)
		walk(child, element, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_XML struct xml_element *root = NULL;
	struct err err = { 0 };

	if (xml_parse((const char *)data, size, &root, &err) < 0) {
		REPLAY_CHECK(!root && err.message[0]);
		return 0;
	}
	REPLAY_CHECK(root && !root->parent && !root->next);
	for (const struct xml_element *child = root->first; child; child = child->next)
		walk(child, root, 2);
	REPLAY_CHECK(strcmp(xml_text(root, "there is no such name"), "") == 0);
	return 0;
}
