/* SPDX-License-Identifier: ISC */
/*
 * The grammar of the configuration and its tokens, for the config reader.
 */
%code requires {
#include "conf/syntax/include.h"
#include "conf/syntax/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An action uses the last token: bison runs it before it reads the next. */
struct parse {
	struct tree *tree;
	struct diagnostics *out;
	const struct source *source;
	const char *next;        /* byte of its text */
	struct location at;      /* of that byte */
	unsigned int stray_line; /* of the last character out of place */

	int token;                /* the last one */
	struct location token_at; /* where it begins */
	char *text;               /* without quotes and escapes */
	size_t length;
	int quoted;
	const char *expected;      /* in its place, or NULL */
	const char *next_expected; /* likewise after it */
	struct section *section; /* the listener that is being read */
	enum key_id key;         /* the last one */
	int unknown;             /* that key may not be there */
	int append;              /* to the values that it has */
	int incomplete;          /* a part of a statement is missing */
};
}

%code {
static const char parse_listener[] = "listener NAME { ... }";
static const char parse_word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz"
				 "0123456789_-./:@%[]";

/* The token that begins here, or a quote; 0 at the end of the text, -1: none. */
static int
parse_begin(const struct parse *p)
{
	if (strncmp(p->next, "+=", 2) == 0)
		return PARSE_APPEND;
	if (strchr("\"'{}=,", *p->next) != NULL)
		return *p->next;
	return strspn(p->next, parse_word) > 0 ? PARSE_WORD : -1;
}

/* Reports a character that begins no token: one a line, or a file that is no
 * text would fill the report. */
static void
parse_stray(struct parse *p)
{
	unsigned char c = (unsigned char)*p->next;

	if (p->stray_line != p->at.line)
		diagnostics_error(p->out, p->at, c > 0x20 && c < 0x7f ?
		    "\"%c\" outside quotes: expected %s" :
		    "byte 0x%02x outside quotes: expected %s", c, c == ';' ?
		    "none, remove it" : "text with it in quotes");
	p->stray_line = p->at.line;
}

/* Skips what is between tokens. */
static void
parse_skip(struct parse *p)
{
	const char *end = p->next;

	do {
		for (; p->next < end; p->next++)
			p->at.line += *p->next == '\n';
		end = p->next + strspn(p->next, " \t\r\n");
		if (*p->next == '#' || strncmp(p->next, "//", 2) == 0) {
			end = p->next + strcspn(p->next, "\n");
		} else if (strncmp(p->next, "/*", 2) == 0) {
			end = strstr(p->next + 2, "*/");
			if (end == NULL)
				diagnostics_error(p->out, p->at, "a comment"
				    " begins here and does not end: expected"
				    " \"*/\"");
			end = end != NULL ? end + 2 : strchr(p->next, '\0');
		} else if (end == p->next && parse_begin(p) == -1) {
			parse_stray(p);
			end++;
		}
	} while (p->next < end);
}

/* Reads an escape sequence of so many digits. */
static void
parse_number(struct parse *p, const char *digits, size_t length, int base)
{
	char *end, copy[5] = "";
	unsigned long number;

	memcpy(copy, digits, length < 4 ? length : 4);
	number = strtoul(copy, &end, base);
	p->text[p->length++] = (char)number;
	p->next = digits + length;
	if (length > 3 || number > 0377 || *end != '\0')
		diagnostics_error(p->out, p->at, "escape sequence \\%.*s:"
		    " expected up to three octal digits, at most \\377",
		    length < 160 ? (int)length : 160, digits);
	else if (number == 0)
		diagnostics_error(p->out, p->at,
		    "an escaped NUL: expected text without NUL bytes");
}

/* Reads what is after a backslash. */
static void
parse_escape(struct parse *p, char quote)
{
	static const char letters[] = "abefnrtv", bytes[] = "\a\b\033\f\n\r\t\v";
	const char *letter = strchr(letters, *p->next);
	size_t octal = strspn(p->next, "0123456789");
	size_t hex = strspn(p->next + 1, "0123456789abcdefABCDEF");

	if (*p->next == '\n') {
		p->at.line++;
		p->next++;
	} else if (quote == '\'') {
		p->text[p->length++] =
		    *p->next == '\'' || *p->next == '\\' ? *p->next++ : '\\';
	} else if (octal > 0) {
		parse_number(p, p->next, octal, 8);
	} else if (*p->next == 'x' && hex > 0) {
		parse_number(p, p->next + 1, hex < 2 ? hex : 2, 16);
	} else {
		p->text[p->length++] =
		    letter != NULL ? bytes[letter - letters] : *p->next;
		p->next++;
	}
}

/* Reads a text in quotes.  One of several lines with another text right after
 * it has lost its closing quote: it ends where the other was to begin. */
static int
parse_quoted(struct parse *p)
{
	char quote = *p->next++;
	int closed, after;

	while (*p->next != '\0' && *p->next != quote) {
		if (quote == '"' && strncmp(p->next, "${", 2) == 0)
			diagnostics_error(p->out, p->at, "\"${\" in double"
			    " quotes: expected \"\\${\" or single quotes,"
			    " there are no variables");
		if (p->next[0] == '\\' && p->next[1] != '\0') {
			p->next++;
			parse_escape(p, quote);
		} else {
			p->at.line += *p->next == '\n';
			p->text[p->length++] = *p->next++;
		}
	}
	closed = *p->next == quote;
	p->next += closed;
	after = parse_begin(p);
	if (closed && (p->at.line == p->token_at.line ||
	    (after != PARSE_WORD && after != '"' && after != '\'')))
		return PARSE_WORD;
	diagnostics_error(p->out, p->token_at,
	    "a text begins here and does not end: expected a closing %c", quote);
	p->next += strlen(p->next);
	return 0;
}

/* Reads a token, 0 at the end of the text. */
static int
parse_token(struct parse *p)
{
	int token;

	parse_skip(p);
	token = parse_begin(p);
	if (token == 0)
		return 0;
	p->token_at = p->at;
	p->length = 0;
	p->quoted = token == '"' || token == '\'';
	if (p->quoted)
		return parse_quoted(p);
	p->length = token == PARSE_WORD ? strspn(p->next, parse_word) :
	    token == PARSE_APPEND ? 2 : 1;
	memcpy(p->text, p->next, p->length);
	p->next += p->length;
	return token;
}

static int
parse_lex(int *value, struct parse *p)
{
	enum key_id id;

	(void)value;
	p->expected = p->next_expected;
	p->next_expected = NULL;
	p->token = parse_token(p);
	p->text[p->length] = '\0';
	if (p->token != PARSE_WORD)
		return p->token;
	id = keys_find(p->text);
	if (id != KEY_COUNT)
		p->token = keys[id].type == KEY_TYPE_LIST ? PARSE_LIST :
							    PARSE_KEY;
	else if (strcmp(p->text, "listener") == 0)
		p->token = PARSE_LISTENER;
	else if (strcmp(p->text, "include") == 0)
		p->token = PARSE_INCLUDE;
	return p->token;
}

/* What should be in the place of a token, or beside it. */
static const char *
parse_expected(const struct parse *p)
{
	if (p->expected != NULL && p->token != PARSE_APPEND)
		return p->expected;
	switch (p->token) {
	case '}':
		return p->incomplete ? "a value before it" :
		    "\"{\" before it, a key or the end of the file";
	case '{':
		return "a single value or a key, this one takes no list";
	case '=':
		return "a key before it and a value after it";
	case PARSE_APPEND:
		return "a key before it that takes a list, and a value after "
		       "it";
	case ',':
		return "a value on either side, and a list in \"{\" and \"}\"";
	default:
		return "\",\" or \"}\" after a value of a list";
	}
}

static void
parse_error(struct parse *p, const char *message)
{
	(void)message; /* "syntax error" */
	if (p->token == 0 && p->section != NULL && p->expected != parse_listener)
		diagnostics_error(p->out, p->section->at, "the section that"
		    " begins here is not closed: expected \"}\" before the end"
		    " of the file");
	else if (p->unknown)
		return; /* what follows may be its fault */
	else if (p->token == 0)
		diagnostics_error(p->out, p->token_at, "the file ends here in"
		    " the middle of a statement: expected KEY = VALUE or %s",
		    parse_listener);
	else if (!p->incomplete && p->section != NULL &&
	    (p->token == PARSE_LISTENER || p->token == PARSE_INCLUDE))
		diagnostics_error(p->out, p->token_at, "\"%s\" is out of place"
		    " within the listener of line %u: expected \"}\" before"
		    " it", p->text, p->section->at.line);
	else
		diagnostics_error(p->out, p->token_at, REASON_VALUE
		    " is out of place: expected %s", p->text,
		    parse_expected(p));
}

static void
parse_key(struct parse *p)
{
	int in_listener = p->section != NULL;
	char expected[REASON_SIZE];

	p->next_expected = "\"=\" before it, as in KEY = VALUE";
	p->incomplete = 1;
	p->append = 0;
	p->key = keys_find(p->text);
	p->unknown =
	    p->key == KEY_COUNT || in_listener != (p->key >= KEY_LISTEN);
	if (p->unknown) {
		keys_expected(p->key, in_listener, expected, sizeof(expected));
		diagnostics_error(p->out, p->token_at, "%s key " REASON_VALUE
		    ": expected %s", p->key == KEY_COUNT ? "unknown" :
		    "misplaced", p->text, expected);
	} else if (p->quoted) {
		diagnostics_error(p->out, p->token_at, "key " REASON_VALUE
		    " in quotes: expected it without quotes", p->text);
	}
}

static void
parse_value(struct parse *p)
{
	struct section *section =
	    p->section != NULL ? p->section : &p->tree->top;
	const struct value *first =
	    p->unknown ? NULL : section_value(section, p->key);

	if (first != NULL && !p->append)
		diagnostics_error(p->out, p->token_at, "%s: given in %s already"
		    ": expected it once", keys[p->key].name,
		    diagnostics_locate(p->out, first->at, p->token_at).text);
	else if (!p->unknown)
		p->out->failed |= section_add(section, p->key, p->text,
		    p->token_at) == -1;
	p->append |= first == NULL;
}
}

%require "3.6"
%expect 0
%define api.pure full
%define api.prefix {parse_}
%define api.token.prefix {PARSE_}
%param {struct parse *p}
%token KEY LIST WORD LISTENER INCLUDE APPEND

%%

file	: %empty
	| file assignment	{ p->incomplete = 0; }
	| file listener		{ p->section = NULL; }
	| file include
	;
listener: heading name '{'	{ p->incomplete = 0; }
	  body '}'
	;
heading	: LISTENER		{ p->next_expected = parse_listener; }
	;
name	: text
	{
		p->next_expected = parse_listener;
		p->incomplete = 1;
		p->unknown = 0;
		p->section = tree_add(p->tree, p->text, p->token_at);
		p->out->failed |= p->section == NULL;
	}
	;
body	: %empty
	| body assignment	{ p->incomplete = 0; }
	;
assignment
	: key '=' value
	| list '=' values
	| list APPEND		{ p->append = 1; }
	  values
	;
key	: KEY			{ parse_key(p); }
	| WORD			{ parse_key(p); }
	;
list	: LIST			{ parse_key(p); }
	;
values	: value
	| '{' items '}'
	| '{' items ',' '}'
	;
items	: value
	| items ',' value
	;
value	: text			{ parse_value(p); }
	;
include	: with text
	{
		struct include include;

		include_init(&include, p->source, p->token_at, p->text, p->out);
		while (include_next(&include))
			parse_file(p->tree, &include.source, p->out);
		include_done(&include);
	}
	;
with	: INCLUDE		{ p->next_expected = "include \"FILE\""; }
	;
text	: KEY | LIST | WORD | LISTENER | INCLUDE
	;

%%

void
parse_file(
    struct tree *tree, const struct source *source, struct diagnostics *out)
{
	const struct parse first = {.tree = tree, .out = out, .source = source,
	    .next = source->text, .text = source->token,
	    .at = {source->file, 1}, .token_at = {source->file, 1}};
	struct parse p = first;
	size_t errors = out->errors;
	int value;

	/* First every token, since a wrong one misleads the grammar. */
	while (parse_lex(&value, &p) != 0)
		continue;
	p = first;
	if (out->errors == errors)
		out->failed |= parse_parse(&p) == 2;
	/* Half a statement does not show what the listener lacks. */
	if (p.section != NULL && (p.incomplete || p.token != 0))
		tree_drop_last(tree);
}
