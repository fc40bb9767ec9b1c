/* SPDX-License-Identifier: ISC */
/*
 * brokerctl whois INODE: which of the broker's sockets that is.
 */
#include "ctl/command.h"
#include "ctl/say.h"

static int
whois_run(const struct ctl *ctl, char **arguments)
{
	json_t *json;
	int status = ask_get(ctl, "/v1/sockets/*", arguments, &json);

	say_line(stdout, json_string_value(json_object_get(json, "text")));
	json_decref(json);
	return status;
}

const struct command command_whois = {
    "whois", "INODE", 1, "which of the broker's sockets that is", whois_run};
