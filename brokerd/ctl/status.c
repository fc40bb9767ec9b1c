/* SPDX-License-Identifier: ISC */
/*
 * brokerctl status: the listeners and how they are.
 */
#include "ctl/command.h"
#include "ctl/print.h"

#include <stdio.h>
#include <sysexits.h>

static json_int_t
status_counter(const json_t *listener, const char *name)
{
	return json_integer_value(
	    json_object_get(json_object_get(listener, "counters"), name));
}

/* One line for each endpoint; what is the same in all is in the first. */
static void
status_add(struct print *table, const json_t *listener)
{
	const json_t *endpoints = json_object_get(listener, "endpoints");
	const json_t *endpoint;
	size_t i;

	json_array_foreach(endpoints, i, endpoint)
	{
		if (i > 0) {
			for (int column = 0; column < 7; column++)
				print_add(table, "\"");
		} else {
			print_add_json(
			    table, json_object_get(listener, "name"));
			print_add_json(
			    table, json_object_get(listener, "state"));
			print_add_time(
			    table, json_object_get(listener, "since_ms"));
			print_add_json(
			    table, json_object_get(listener, "workers"));
			print_add(table, "%" JSON_INTEGER_FORMAT,
			    status_counter(listener, "accepted"));
			print_add(table, "%" JSON_INTEGER_FORMAT,
			    status_counter(listener, "held") +
				status_counter(listener, "unreceipted"));
			print_add(table, "%" JSON_INTEGER_FORMAT,
			    status_counter(listener, "refused_absent") +
				status_counter(listener, "refused_drain") +
				status_counter(listener, "refused_deaths"));
		}
		print_add_json(table, json_object_get(endpoint, "name"));
	}
}

static void
status_broker(const json_t *broker)
{
	const json_t *orphan = json_object_get(broker, "orphan_ms");
	char up[32], left[32];

	print_time(up, sizeof(up),
	    json_integer_value(json_object_get(broker, "uptime_ms")));
	print_time(left, sizeof(left), json_integer_value(orphan));
	printf("brokerd %s, ",
	    json_string_value(json_object_get(broker, "version")));
	if (json_is_integer(orphan))
		printf("which has died: start it again within %s", left);
	else
		printf("pid %" JSON_INTEGER_FORMAT,
		    json_integer_value(json_object_get(broker, "monitor")));
	printf("; engine %" JSON_INTEGER_FORMAT " for %s\n",
	    json_integer_value(json_object_get(broker, "engine")), up);
}

static int
status_run(const struct ctl *ctl, char **arguments)
{
	json_t *json;
	int status = ask_get(ctl, "/v1/status", arguments, &json);

	if (json == NULL)
		return status;
	status_broker(json_object_get(json, "broker"));
	print_print_all(
	    "LISTENER STATE SINCE WORKERS ACCEPTED IN-HAND REFUSED ENDPOINT",
	    json_object_get(json, "listeners"), status_add);
	json_decref(json);
	return EX_OK;
}

const struct command command_status = {
    "status", "", 0, "listeners and how they are", status_run};
