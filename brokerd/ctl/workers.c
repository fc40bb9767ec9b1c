/* SPDX-License-Identifier: ISC */
/*
 * brokerctl workers: the workers and their connections.
 */
#include "ctl/workers.h"

#include "ctl/print.h"

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
	workers_add_listeners(table, json_object_get(worker, "listeners"));
	print_add_value(table, worker, "name");
	print_add_value(table, worker, "state");
	if (json_is_true(json_object_get(worker, "shared")))
		print_add(table, "shared");
	else
		print_add_value(table, worker, "kind");
	print_add_value(table, worker, "uid");
	print_add_value(table, worker, "pid");
	print_add(table, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
	    json_integer_value(json_object_get(worker, "unreceipted")),
	    json_integer_value(json_object_get(worker, "window")));
	print_add_value(table, worker, "connections");
	print_add_value(table, worker, "weight");
	print_add_value(table, worker, "label");
}

void
workers_print(const json_t *answer)
{
	print_table(
	    "LISTENERS WORKER STATE KIND UID PID IN-HAND CONNECTIONS WEIGHT "
	    "LABEL",
	    json_object_get(answer, "workers"), workers_add);
}
