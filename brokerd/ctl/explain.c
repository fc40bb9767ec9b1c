/* SPDX-License-Identifier: ISC */
/*
 * brokerctl explain LISTENER: what it waits for, and what helps.
 */
#include "ctl/command.h"
#include "ctl/say.h"

static int
explain_run(const struct ctl *ctl, char **arguments)
{
	const json_t *line;
	json_t *json;
	size_t i;
	int status = ask_get(ctl, "/v1/listeners/*", arguments, &json);

	json_array_foreach(json_object_get(json, "text"), i, line)
	    say_line(stdout, json_string_value(line));
	json_decref(json);
	return status;
}

const struct command command_explain = {
    "explain", "LISTENER", 1, "what it waits for, and what helps", explain_run};
