/* SPDX-License-Identifier: ISC */
/*
 * libconfuse, for the config reader: it splits the text into sections, keys
 * and values, and calls back for each value.  Every option is a text for it;
 * types are our table's business, so that one bad value does not hide the
 * next.  Unknown keys are let through (CFGF_KEYSTRVAL) after the complaint.
 */
#include "conf/syntax/parse.h"

#include "conf/syntax/parse_error.h"

#include <confuse.h>

#include <stdio.h>
#include <stdlib.h>

/*
 * libconfuse hands no pointer of the caller's to its callbacks.  But each
 * option may name a variable for its value, which is the first member here.
 */
struct parse {
	char *sink;
	struct tree *tree;
	struct scan *scan;
	struct output *out;
	struct section *section; /* the listener that is being read */
	size_t sections;
	int unknown; /* an unknown key came last: what follows may be its fault
		      */
	int failed;
};

static struct parse *
parse_of(const cfg_opt_t *opt)
{
	return (struct parse *)(void *)opt->simple_value.string;
}

static int
parse_is_listener(cfg_t *cfg)
{
	return cfg_title(cfg) != NULL;
}

/* The section of cfg, which begins with its first value. */
static struct section *
parse_section(struct parse *parse, cfg_t *cfg)
{
	if (!parse_is_listener(cfg))
		return &parse->tree->top;
	if (parse->section == NULL) {
		parse->section = tree_add(parse->tree, cfg_title(cfg),
		    scan_start(parse->scan, parse->sections));
		if (parse->section == NULL)
			parse->failed = 1;
	}
	return parse->section;
}

static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *out_text)
{
	struct parse *parse = parse_of(opt);
	struct section *section = parse_section(parse, cfg);
	enum key_id id = keys_find(cfg_opt_name(opt));
	unsigned int line = scan_begin(parse->scan, (unsigned int)cfg->line);
	const struct value *first;

	parse->unknown = 0;
	if (section == NULL || id == KEY_COUNT)
		return -1;
	*(const char **)out_text = "";
	first = section_value(section, id);
	/* "=" sets CFGF_RESET, "+=" and further values of a list do not. */
	if ((opt->flags & CFGF_RESET) && first != NULL) {
		output_error(parse->out, line,
		    "%s: given in line %u already: expected it once",
		    keys[id].name, first->line);
		return 0;
	}
	opt->flags &= ~CFGF_RESET;
	if (section_add(section, id, text, line) == -1)
		parse->failed = 1;
	return parse->failed ? -1 : 0;
}

/* Removes what libconfuse keeps of a section, so that it finds no other of
 * the same name and asks for a new one each time. */
static int
on_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, 0);
	struct parse *parse = parse_of(cfg_getnopt(cfg, 0));

	parse_section(parse, section);
	parse->section = NULL;
	parse->sections++;
	parse->unknown = 0;
	cfg_opt_rmnsec(opt, 0);
	return parse->failed ? -1 : 0;
}

static void __attribute__((format(printf, 2, 0)))
on_error(cfg_t *cfg, const char *format, va_list ap)
{
	struct parse *parse = parse_of(cfg_getnopt(cfg, 0));
	struct parse_error error = {.line = (unsigned int)cfg->line,
	    .in_listener = parse_is_listener(cfg),
	    .last_line = parse->scan->last_line,
	    .open_line = parse->scan->open_line,
	    .section_line = scan_start(parse->scan, parse->sections)};

	if (parse_error_is_unknown(format)) {
		parse->unknown = 1;
		/* Enough is told: libconfuse slows down with each of them. */
		if (parse->out->errors >= OUTPUT_DIAGNOSTICS)
			cfg->flags &= ~CFGF_KEYSTRVAL;
		parse_error_report(&error, parse->out, format, ap);
	} else if (!parse->unknown) {
		parse_error_report(&error, parse->out, format, ap);
	}
}

static void
parse_options(
    struct parse *parse, cfg_opt_t *options, enum key_id first, enum key_id end)
{
	for (enum key_id id = first; id < end; id++)
		options[id - first] = (cfg_opt_t){.name = keys[id].name,
		    .type = CFGT_STR,
		    .flags =
			keys[id].type == KEY_TYPE_LIST ? CFGF_LIST : CFGF_NONE,
		    .simple_value.string = &parse->sink,
		    .parsecb = on_value};
}

static cfg_t *
parse_init(struct parse *parse)
{
	cfg_opt_t listener[KEY_COUNT - KEY_LISTEN + 1] = {CFG_END()};
	cfg_opt_t top[KEY_LISTEN + 2] = {CFG_END()};
	cfg_opt_t section =
	    CFG_SEC("listener", listener, CFGF_MULTI | CFGF_TITLE);
	cfg_t *cfg;

	parse_options(parse, listener, KEY_LISTEN, KEY_COUNT);
	parse_options(parse, top, 0, KEY_LISTEN);
	section.validcb = on_section_end;
	top[KEY_LISTEN] = section;
	cfg = cfg_init(top, CFGF_KEYSTRVAL);
	if (cfg != NULL)
		cfg_set_error_function(cfg, on_error);
	return cfg;
}

int
parse_text(struct tree *tree, struct scan *scan, struct output *out)
{
	struct parse parse = {.tree = tree, .scan = scan, .out = out};
	size_t before = out->errors;
	cfg_t *cfg = parse_init(&parse);
	FILE *file = NULL;
	int result = -1;

	if (cfg == NULL)
		return -1;
	/* Older fmemopen(3) refuses a buffer of no bytes. */
	file = scan->length > 0 ? fmemopen(scan->text, scan->length, "r") :
				  fopen("/dev/null", "re");
	if (file == NULL)
		goto out;
	if (cfg_parse_fp(cfg, file) == CFG_SUCCESS)
		result = 1;
	else if (!parse.failed && out->errors > before)
		result = 0;
	/* The end of the file will do for a "}" to libconfuse. */
	if (result == 1 && scan->open_line != 0)
		result = parse_error_open(out, scan->open_line);
	else if (result == 0 && parse.section != NULL)
		tree_drop_last(tree);
	fclose(file);
out:
	cfg_free(cfg);
	free(parse.sink);
	return result;
}
