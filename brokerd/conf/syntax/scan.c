/* SPDX-License-Identifier: ISC */
/*
 * A walk over the raw configuration before libconfuse sees it, in the config
 * reader.  libconfuse 3.3 counts a line with a comment twice or three times,
 * takes a comment within a list for a value, drops characters that it does
 * not expect, ends a text at an escaped NUL and fills in environment
 * variables.  So comments become blanks here, and the rest an error.
 */
#include "conf/syntax/scan.h"

#include "conf/syntax/input.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is between two tokens, and what was before them. */
struct scan_state {
	struct scan *scan;
	struct output *out;
	char *at;
	char *end;
	unsigned int line;
	unsigned int error_line; /* the last one with a stray character */
	unsigned int depth;      /* of open braces */
	char before;             /* first character of the last token */
	unsigned int lines[2];   /* of the last two tokens, the last first */
	int stop;                /* nothing behind this makes sense */
	int failed;
};

static void
scan_push(struct scan_state *s, struct lines *lines, unsigned int line)
{
	if (lines_push(lines, line) == -1)
		s->failed = s->stop = 1;
}

/* What needs no quotes; libconfuse allows more and then drops some of it. */
static int
scan_is_word(char c)
{
	return isalnum((unsigned char)c) ||
	    (c != '\0' && strchr("_-./:@%[]", c) != NULL);
}

/* A text of several lines with this right behind it has lost its closing quote:
 * it ends where another text was to begin. */
static int
scan_is_glued(char c)
{
	return scan_is_word(c) || c == '"' || c == '\'';
}

static void
scan_token(struct scan_state *s, unsigned int line)
{
	s->before = *s->at;
	s->lines[1] = s->lines[0];
	s->lines[0] = line;
	s->scan->last_line = line;
}

/* At most one a line, or a file that is no text fills the report. */
static void
scan_stray(struct scan_state *s)
{
	unsigned char c = (unsigned char)*s->at++;
	char what[16];

	if (s->error_line == s->line)
		return;
	s->error_line = s->line;
	snprintf(what, sizeof(what),
	    c > 0x20 && c < 0x7f ? "\"%c\"" : "byte 0x%02x", c);
	output_error(s->out, s->line, "%s outside quotes: expected %s", what,
	    c == ';' ? "none, remove it" : "text with it in quotes");
}

static void
scan_line_comment(struct scan_state *s)
{
	while (s->at < s->end && *s->at != '\n')
		*s->at++ = ' ';
}

static void
scan_block_comment(struct scan_state *s)
{
	unsigned int first = s->line;
	const char *end = strstr(s->at + 2, "*/");

	if (end == NULL) {
		output_error(s->out, first,
		    "a comment begins here and does not end: expected \"*/\"");
		s->stop = 1;
		return;
	}
	for (; s->at < end + 2; s->at++) {
		if (*s->at == '\n')
			s->line++;
		else
			*s->at = ' ';
	}
}

/* True for the escapes that make a NUL: \0, \00, \000, \x0, \x00. */
static int
scan_is_nul(const char *at)
{
	size_t digits;

	if (*at == 'x') {
		if (!isxdigit((unsigned char)at[1]))
			return 0;
		return at[1] == '0' &&
		    (at[2] == '0' || !isxdigit((unsigned char)at[2]));
	}
	digits = strspn(at, "01234567");
	return digits > 0 && digits <= 3 && strspn(at, "0") == digits;
}

static void
scan_escape(struct scan_state *s, char quote)
{
	s->at++;
	if (s->at == s->end)
		return;
	if (*s->at == '\n')
		s->line++;
	if (quote == '"' && scan_is_nul(s->at))
		output_error(s->out, s->line,
		    "an escaped NUL: expected text without NUL bytes");
	s->at++;
}

static void
scan_string(struct scan_state *s)
{
	char quote = *s->at;
	unsigned int first = s->line;

	scan_token(s, first);
	for (s->at++; s->at < s->end && *s->at != quote;) {
		if (*s->at == '\\') {
			scan_escape(s, quote);
			continue;
		}
		if (*s->at == '\n')
			s->line++;
		if (quote == '"' && s->at[0] == '$' && s->at[1] == '{')
			output_error(s->out, s->line,
			    "\"${\" in double quotes: expected \"\\${\" or "
			    "single quotes, variables have no value here");
		s->at++;
	}
	if (s->at < s->end)
		s->at++;
	else
		s->stop = 1;
	if (s->stop || (s->line != first && scan_is_glued(*s->at))) {
		output_error(s->out, first,
		    "a text begins here and does not end: expected a closing "
		    "%c",
		    quote);
		s->stop = 1;
		return;
	}
	if (s->line != first) {
		scan_push(s, &s->scan->spans, first);
		scan_push(s, &s->scan->spans, s->line);
	}
}

static void
scan_punctuation(struct scan_state *s, size_t length)
{
	if (strchr("=+", *s->at) != NULL && s->before != '\0' &&
	    strchr("\"'", s->before) != NULL)
		output_error(s->out, s->line,
		    "\"%.*s\" behind a text in quotes: expected a key without "
		    "quotes before it",
		    (int)length, s->at);
	if (*s->at == '{' && s->depth++ == 0) {
		scan_push(s, &s->scan->starts, s->lines[1]);
		s->scan->open_line = s->lines[1];
	}
	if (*s->at == '}' && s->depth > 0)
		s->depth--;
	scan_token(s, s->line);
	s->at += length;
}

static void
scan_step(struct scan_state *s)
{
	char c = *s->at;

	if (c == '\n') {
		s->line++;
		s->at++;
	} else if (c == ' ' || c == '\t' || c == '\r') {
		*s->at++ = ' ';
	} else if (c == '#' || (c == '/' && s->at[1] == '/')) {
		scan_line_comment(s);
	} else if (c == '/' && s->at[1] == '*') {
		scan_block_comment(s);
	} else if (c == '"' || c == '\'') {
		scan_string(s);
	} else if (c != '\0' && strchr("{}=,()", c) != NULL) {
		scan_punctuation(s, 1);
	} else if (c == '+' && s->at[1] == '=') {
		scan_punctuation(s, 2);
	} else if (scan_is_word(c)) {
		scan_token(s, s->line);
		while (scan_is_word(*s->at))
			s->at++;
	} else {
		scan_stray(s);
	}
}

static int
scan_walk(struct scan *scan, struct output *out)
{
	struct scan_state s = {.scan = scan, .out = out, .line = 1};
	const char *nul = memchr(scan->text, '\0', scan->length);

	scan->last_line = 1;
	for (const char *c = scan->text; nul != NULL && c < nul; c++)
		s.line += *c == '\n';
	if (scan->length > INPUT_MAX) {
		output_error(out, 1,
		    "the file is too large: expected at most %d bytes",
		    INPUT_MAX);
		return 0;
	}
	if (nul != NULL) {
		output_error(out, s.line,
		    "a NUL byte: expected a text file without NUL bytes");
		return 0;
	}
	s.at = scan->text;
	s.end = scan->text + scan->length;
	while (s.at < s.end && !s.stop)
		scan_step(&s);
	if (s.depth == 0)
		scan->open_line = 0;
	if (s.failed)
		errno = ENOMEM;
	return s.failed ? -1 : 0;
}

int
scan_text(
    struct scan *scan, const char *text, size_t length, struct output *out)
{
	memset(scan, 0, sizeof(*scan));
	scan->text = calloc(1, length + 1);
	if (scan->text == NULL)
		return -1;
	if (length > 0)
		memcpy(scan->text, text, length);
	scan->length = length;
	return scan_walk(scan, out);
}

void
scan_done(struct scan *scan)
{
	free(scan->text);
	lines_done(&scan->starts);
	lines_done(&scan->spans);
	memset(scan, 0, sizeof(*scan));
}

unsigned int
scan_start(const struct scan *scan, size_t index)
{
	return index < scan->starts.count ? scan->starts.items[index] :
					    scan->last_line;
}

unsigned int
scan_begin(struct scan *scan, unsigned int line)
{
	const struct lines *spans = &scan->spans;

	while (scan->span + 1 < spans->count &&
	    spans->items[scan->span + 1] < line)
		scan->span += 2;
	if (scan->span + 1 < spans->count &&
	    spans->items[scan->span + 1] == line) {
		scan->span += 2;
		return spans->items[scan->span - 2];
	}
	return line;
}
