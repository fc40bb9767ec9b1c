/* SPDX-License-Identifier: ISC */
/*
 * brokerctl workers: who gets connections.
 */
#include "ctl/command.h"
#include "ctl/print.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* "www,www-alt" */
static void
workers_add_listeners(struct print *table, const json_t *listeners)
{
	char text[256] = "";
	const json_t *name;
	size_t i, used = 0;

	json_array_foreach(listeners, i, name)
	{
		int n = snprintf(text + used, sizeof(text) - used, "%s%s",
		    i == 0 ? "" : ",", json_string_value(name));

		used += (size_t)n;
		if (used >= sizeof(text))
			break;
	}
	print_add(table, "%s", text);
}

static void
workers_add(struct print *table, const json_t *worker)
{
	const char *kind = json_string_value(json_object_get(worker, "kind"));

	workers_add_listeners(table, json_object_get(worker, "listeners"));
	print_add_json(table, json_object_get(worker, "name"));
	print_add_json(table, json_object_get(worker, "state"));
	print_add(table, "%s",
	    json_is_true(json_object_get(worker, "shared")) ? "shared" : kind);
	print_add_json(table, json_object_get(worker, "uid"));
	print_add_json(table, json_object_get(worker, "pid"));
	print_add(table, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
	    json_integer_value(json_object_get(worker, "unreceipted")),
	    json_integer_value(json_object_get(worker, "window")));
	print_add_json(table, json_object_get(worker, "connections"));
	print_add_json(table, json_object_get(worker, "weight"));
	print_add_json(table, json_object_get(worker, "label"));
}

static int
workers_run(const struct ctl *ctl, char **arguments)
{
	json_t *json;
	int status = ask_get(ctl, "/v1/workers", arguments, &json);

	if (json == NULL)
		return status;
	print_print_all(
	    "LISTENERS WORKER STATE KIND UID PID IN-HAND CONNECTIONS WEIGHT "
	    "LABEL",
	    json_object_get(json, "workers"), workers_add);
	json_decref(json);
	return EX_OK;
}

const struct command command_workers = {
    "workers", "", 0, "who gets connections", workers_run};
