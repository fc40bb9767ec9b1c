/* SPDX-License-Identifier: ISC */
/*
 * brokerctl status: the state of the listeners.
 */
#include "ctl/status.h"

#include "ctl/print.h"

static json_int_t
status_counter(const json_t *listener, const char *name)
{
	return json_integer_value(
	    json_object_get(json_object_get(listener, "counters"), name));
}

static void
status_add_listener(struct print *table, const json_t *listener)
{
	const json_t *since = json_object_get(listener, "since_ms");
	char text[32] = "-";

	if (json_is_integer(since))
		print_duration(text, sizeof(text), json_integer_value(since));
	print_add_value(table, listener, "name");
	print_add_value(table, listener, "state");
	print_add(table, "%s", text);
	print_add_value(table, listener, "workers");
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

/* A row for each endpoint; the columns of the listener are in the first. */
static void
status_add(struct print *table, const json_t *listener)
{
	const json_t *endpoint;
	size_t i;

	json_array_foreach(json_object_get(listener, "endpoints"), i, endpoint)
	{
		if (i == 0)
			status_add_listener(table, listener);
		else
			for (int column = 0; column < 7; column++)
				print_add(table, "\"");
		print_add_value(table, endpoint, "name");
	}
}

static void
status_print_broker(const json_t *broker)
{
	const json_t *orphan = json_object_get(broker, "orphan_ms");
	char up[32], left[32];

	print_duration(up, sizeof(up),
	    json_integer_value(json_object_get(broker, "uptime_ms")));
	print_duration(left, sizeof(left), json_integer_value(orphan));
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

void
status_print(const json_t *answer)
{
	status_print_broker(json_object_get(answer, "broker"));
	print_table(
	    "LISTENER STATE SINCE WORKERS ACCEPTED IN-HAND REFUSED ENDPOINT",
	    json_object_get(answer, "listeners"), status_add);
}
