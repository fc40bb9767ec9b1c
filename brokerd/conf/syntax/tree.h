/* SPDX-License-Identifier: ISC */
#ifndef CONF_SYNTAX_TREE_H
#define CONF_SYNTAX_TREE_H

#include "conf/keys/keys.h"
#include "record/record.h"

/* What was written in the configuration, before anybody asks what it means. */
struct value {
	struct value *next;
	unsigned int line; /* 0: from the command line */
	char text[];
};

struct values {
	struct value *first;
	struct value **end; /* where the next one goes, if there is a first */
};

/* A listener, or the top level. */
struct section {
	struct section *next;
	char *name;
	unsigned int line;
	struct values values[KEY_COUNT];

	/* What mailbox.c made of it; an empty mailbox is not usable. */
	char mailbox[RECORD_PATH_SIZE];
	unsigned int mailbox_line;
	uint32_t owner;
};

struct tree {
	struct section top;
	struct section *first; /* of the listeners, in their order */
	struct section **end;
};

void tree_init(struct tree *tree);
void tree_done(struct tree *tree);

/* Appends a listener, owned by tree; NULL with errno. */
struct section *tree_add(
    struct tree *tree, const char *name, unsigned int line);

/* Removes and frees the listener that was added last. */
void tree_drop_last(struct tree *tree);

/* Appends a value of a key, a copy of text.  0, or -1 with errno. */
int section_add(struct section *section, enum key_id id, const char *text,
    unsigned int line);

/* The only value of a key, NULL if it was not given. */
const struct value *section_value(
    const struct section *section, enum key_id id);

/* The line of a key, or of the section if the key was not given. */
unsigned int section_line(const struct section *section, enum key_id id);

#endif
