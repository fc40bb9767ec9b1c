/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

/* Copies text with its NUL.  0, or -1 with ENAMETOOLONG and to unchanged. */
int text_copy(char *to, size_t size, const char *text);

/* True if the array has a NUL and no ASCII control character before it. */
int text_is_printable(const char *array, size_t size);

/* Replaces each control character, of ASCII, Latin-1 or UTF-8, with '?'. */
void text_make_printable(char *text);
