/* SPDX-License-Identifier: ISC */
/*
 * The configuration as it was written, in the config reader.
 */
#include "conf/syntax/tree.h"

#include <stdlib.h>
#include <string.h>

void
tree_init(struct tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	tree->end = &tree->first;
}

static void
section_done(struct section *section)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		struct value *value = section->values[i].first;

		while (value != NULL) {
			struct value *next = value->next;

			free(value);
			value = next;
		}
	}
	free(section->name);
}

void
tree_done(struct tree *tree)
{
	struct section *section = tree->first;

	while (section != NULL) {
		struct section *next = section->next;

		section_done(section);
		free(section);
		section = next;
	}
	section_done(&tree->top);
	tree_init(tree);
}

struct section *
tree_add(struct tree *tree, const char *name, struct location at)
{
	struct section *section = calloc(1, sizeof(*section));

	if (section == NULL)
		return NULL;
	section->name = strdup(name);
	if (section->name == NULL) {
		free(section);
		return NULL;
	}
	section->at = at;
	section->owner = RECORD_NO_ID;
	*tree->end = section;
	tree->end = &section->next;
	return section;
}

void
tree_drop_last(struct tree *tree)
{
	struct section **last = &tree->first;

	if (*last == NULL)
		return;
	while ((*last)->next != NULL)
		last = &(*last)->next;
	section_done(*last);
	free(*last);
	*last = NULL;
	tree->end = last;
}

int
section_add(struct section *section, enum key_id id, const char *text,
    struct location at)
{
	struct values *values = &section->values[id];
	size_t size = strlen(text) + 1;
	struct value *value = malloc(sizeof(*value) + size);

	if (value == NULL)
		return -1;
	value->next = NULL;
	value->at = at;
	memcpy(value->text, text, size);
	if (values->first == NULL)
		values->end = &values->first;
	*values->end = value;
	values->end = &value->next;
	return 0;
}

const struct value *
section_value(const struct section *section, enum key_id id)
{
	return section->values[id].first;
}

struct location
section_at(const struct section *section, enum key_id id)
{
	const struct value *value = section_value(section, id);

	return value != NULL ? value->at : section->at;
}
