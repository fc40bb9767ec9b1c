/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/keys/key_id.h"
#include "conf/text/reason.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct key {
	const char *name;
	enum key_type type;
	const char *initial; /* the default, NULL: none */
	const char *range;   /* NULL: min to max, or what the type implies */
	uint32_t min, max;
	unsigned int needs; /* enum key_need; 0: has an effect everywhere */
	size_t offset; /* of the value in struct record_endpoint, 0: none */
	uint32_t flag; /* enum record_flag of a boolean, or of the first choice
			*/
	const char *description;
};

/* The one table of keys, by enum key_id: the grammar, the checks of values and
 * `brokerd-conf -k` use it. */
extern const struct key keys[KEY_COUNT];

/* The key of that name, KEY_COUNT if there is none. */
enum key_id keys_find(const char *name);

/* The text for a need, such as "a tcp address in listen". */
const char *key_need_text(unsigned int need);

/* Reads text as a value of the key.  0, or -1 and the reason. */
int key_read(const struct key *key, const char *text, uint32_t *out_value,
    struct reason *reason);

/* Writes what was expected instead of a key that is not allowed there: "one of
 * a, b, c", or for a key of the other level where it belongs. */
void keys_expected(enum key_id found, int in_listener, char *text, size_t size);

/* Writes the table, a line a key, its columns separated by tabs: name, type,
 * default, range, description. */
void keys_print(FILE *file);
