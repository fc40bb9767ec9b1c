/* SPDX-License-Identifier: ISC */
/*
 * libconfuse's messages, made to say what was expected.  They are known by
 * their format, in the C locale; one that a later version adds is passed on.
 */
#include "conf/syntax/parse_error.h"

#include "conf/keys/keys.h"
#include "conf/text/reason.h"

#include <stdio.h>
#include <string.h>

/* Each format has one %s at most; text goes before and behind it. */
static const struct {
	const char *format;
	const char *before;
	const char *behind;
} parse_messages[] = {
    {"unexpected closing brace", "\"}\" without a \"{\" before it",
	": expected a key or the end of the file"},
    {"missing equal sign after option '%s'", "no \"=\" behind \"",
	"\": expected KEY = VALUE"},
    {"attempt to append to non-list option '%s'", "\"+=\" behind \"",
	"\", which is not a list: expected \"=\""},
    {"missing opening brace for section '%s'", "no \"{\" behind the name of a ",
	": expected listener NAME { ... }"},
    {"missing title for section '%s'", "a ",
	" without a name: expected listener NAME { ... }"},
    {"invalid octal number '%s'", "escape sequence ",
	": expected an octal number up to \\377"},
    {"bad escape sequence '%s'", "escape sequence ",
	": expected up to three octal digits behind \"\\\""},
};

/* Where a token is out of place, by the token; any other is a text behind a
 * value of a list. */
static const struct {
	const char *token;
	const char *expected;
} parse_tokens[] = {
    {"}", "a value before it"},
    {"{", "a single value or a key, only listen takes a list"},
    {"=", "a key before it and a value behind it"},
    {"+=", "a key before it and a value behind it"},
    {",", "a value on either side, and a list in \"{\" and \"}\""},
    {"(", "a key or a value"},
    {")", "a key or a value"},
};

static const char *const parse_unknown[] = {
    "no such option '%s'",
    "no sub-section title/index for '%s'",
};

int
parse_error_is_unknown(const char *format)
{
	for (size_t i = 0; i < sizeof(parse_unknown) / sizeof(parse_unknown[0]);
	     i++)
		if (strcmp(parse_unknown[i], format) == 0)
			return 1;
	return 0;
}

static void
parse_error_unknown(
    const struct parse_error *error, struct output *out, const char *key)
{
	char expected[RECORD_TEXT_SIZE];

	if (error->in_listener && strcmp(key, "listener") == 0) {
		output_error(out, error->line,
		    "a listener within the listener of line %u: expected "
		    "\"}\" before it",
		    error->section_line);
		return;
	}
	keys_list(error->in_listener, expected, sizeof(expected));
	output_error(out, error->line,
	    "unknown key " REASON_VALUE ": expected one of %s%s", key, expected,
	    error->in_listener ? "" : ", listener");
}

static void
parse_error_token(
    const struct parse_error *error, struct output *out, const char *token)
{
	const char *expected = "\",\" or \"}\" behind a value of a list";

	for (size_t i = 0; i < sizeof(parse_tokens) / sizeof(parse_tokens[0]);
	     i++)
		if (strcmp(parse_tokens[i].token, token) == 0)
			expected = parse_tokens[i].expected;
	output_error(out, error->line,
	    REASON_VALUE " is out of place: expected %s", token, expected);
}

int
parse_error_open(struct output *out, unsigned int line)
{
	output_error(out, line,
	    "the section that begins here is not closed: expected \"}\" "
	    "before the end of the file");
	return 0;
}

static void
parse_error_end(const struct parse_error *error, struct output *out)
{
	if (error->open_line != 0)
		parse_error_open(out, error->open_line);
	else
		output_error(out, error->last_line,
		    "the file ends here in the middle of a statement: "
		    "expected KEY = VALUE or listener NAME { ... }");
}

void
parse_error_report(const struct parse_error *error, struct output *out,
    const char *format, va_list ap)
{
	char text[RECORD_TEXT_SIZE];

	if (strcmp(format, "premature end of file") == 0) {
		parse_error_end(error, out);
		return;
	}
	if (strcmp(format, "unexpected token '%s'") == 0) {
		parse_error_token(error, out, va_arg(ap, const char *));
		return;
	}
	if (parse_error_is_unknown(format)) {
		parse_error_unknown(error, out, va_arg(ap, const char *));
		return;
	}
	for (size_t i = 0;
	     i < sizeof(parse_messages) / sizeof(parse_messages[0]); i++) {
		if (strcmp(parse_messages[i].format, format) != 0)
			continue;
		output_error(out, error->line, "%s%.160s%s",
		    parse_messages[i].before,
		    strchr(format, '%') != NULL ? va_arg(ap, const char *) : "",
		    parse_messages[i].behind);
		return;
	}
	vsnprintf(text, sizeof(text), format, ap);
	output_error(out, error->line,
	    "%s: expected KEY = VALUE or listener NAME { ... }", text);
}
