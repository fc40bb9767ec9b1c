/* SPDX-License-Identifier: ISC */
#ifndef CTL_SAY_H
#define CTL_SAY_H

#include <stdio.h>

/* Makes each control character a '?': workers choose names, and a terminal
 * obeys them. */
void say_clean(char *text);

/* Prints text (NULL: nothing) as a line, cleaned. */
void say_line(FILE *file, const char *text);

#endif
