/* SPDX-License-Identifier: ISC */
/*
 * Text for a terminal, from whoever had a part in it.  brokerctl, any uid.
 */
#include "ctl/say.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

void
say_clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void
say_line(FILE *file, const char *text)
{
	char *copy;

	if (text == NULL)
		return;
	copy = strdup(text);
	if (copy == NULL)
		err(EX_OSERR, "no memory");
	say_clean(copy);
	fprintf(file, "%s\n", copy);
	free(copy);
}
