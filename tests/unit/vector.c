/* SPDX-License-Identifier: ISC */
/*
 * Reads the messages that are written down in tests/vectors.
 */
#include "vector.h"

#include "unit.h"

#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
vector_is_for(const char *test)
{
	if (htole16(1) == 1)
		return 1;
	unit_skipped(test, "the vectors are little endian, this host is not");
	return 0;
}

static unsigned char
vector_byte(const char *digits)
{
	char text[3] = {digits[0], digits[1], '\0'};

	ck_assert_msg(isxdigit((unsigned char)text[0]) &&
		isxdigit((unsigned char)text[1]),
	    "not two hexadecimal digits: %s", text);
	return (unsigned char)strtoul(text, NULL, 16);
}

size_t
vector_read(const char *name, unsigned char *bytes, size_t size)
{
	char path[4096], line[256], *word, *rest;
	size_t count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", VECTORS, name);
	file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s", path);
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "#\n")] = '\0';
		for (word = strtok_r(line, " ", &rest); word != NULL;
		     word = strtok_r(NULL, " ", &rest)) {
			ck_assert_uint_eq(strlen(word), 2);
			ck_assert_uint_lt(count, size);
			bytes[count++] = vector_byte(word);
		}
	}
	fclose(file);
	ck_assert_uint_gt(count, 0);
	return count;
}
