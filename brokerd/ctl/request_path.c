/* SPDX-License-Identifier: ISC */
/*
 * Paths of requests.  brokerctl, any uid.
 */
#include "ctl/request_path.h"

#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void
request_path_add_word(FILE *file, const char *word)
{
	for (; *word != '\0'; word++)
		if (isalnum((unsigned char)*word) ||
		    strchr("-._~", *word) != NULL)
			fputc(*word, file);
		else
			fprintf(file, "%%%02X", (unsigned char)*word);
}

char *
request_path_make(const char *pattern, char *const *words)
{
	char *path = NULL;
	size_t size;
	FILE *file = open_memstream(&path, &size);

	if (file == NULL)
		err(EX_OSERR, "no memory");
	for (; *pattern != '\0'; pattern++)
		if (*pattern == '*')
			request_path_add_word(file, *words++);
		else
			fputc(*pattern, file);
	if (fclose(file) != 0)
		err(EX_OSERR, "no memory");
	return path;
}
