/* SPDX-License-Identifier: ISC */
/*
 * The load generator's command line: one table with each option and its help.
 */
#include "load_options.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_OPTIONS_DAY_MS 86400000

static const struct {
	const char *name;
	char letter;
	const char *argument; /* NULL: has none */
	const char *help;
} load_options_table[] = {
    {"total", 'n', "N", "connections in all (no limit)"},
    {"duration", 'd', "SECONDS", "start none after that time (no limit)"},
    {"concurrency", 'c', "K", "connections at a time (1)"},
    {"rate", 'r', "R", "start R in a second, as far as K permits"},
    {"sources", 's', "N", "number of source addresses in 127/8 (0: any)"},
    {"timeout", 't', "MS", "of one connection (10000)"},
    {"request", 'm', "MODE", "id, http or none (id)"},
    {"path", 'P', "PATH", "of --request http (/)"},
    {"slow-every", 'w', "N", "every Nth request asks for a slow reply"},
    {"hold", 'H', "MS", "wait between connection and request"},
    {"half-close", 'x', NULL, "end of file after the request"},
    {"abort", 'a', NULL, "close with a reset: cheaper, no TIME_WAIT"},
    {"expect-policy", 'e', "TEXT", "a reply that begins so is a refusal"},
    {"journal", 'j', "FILE", "append: ID OUTCOME LATENCY-US BEGIN-US"},
    {"replies", 'R', "FILE", "append: ID REPLY"},
    {"json", 'J', NULL, "report for a program"},
    {"help", 'h', NULL, "print this"},
};

#define LOAD_OPTIONS_COUNT \
	(sizeof(load_options_table) / sizeof(load_options_table[0]))

static void
load_options_help(void)
{
	puts("usage: loadgen [OPTION ...] TARGET\n"
	     "TARGET: tcp:ADDRESS:PORT, unix-stream:PATH, unix-seqpacket:PATH;"
	     "\n@NAME is an abstract PATH.  IPv6: tcp:[::1]:80.");
	for (size_t i = 0; i < LOAD_OPTIONS_COUNT; i++)
		printf("  -%c, --%-13s %-8s %s\n", load_options_table[i].letter,
		    load_options_table[i].name,
		    load_options_table[i].argument == NULL ?
			"" :
			load_options_table[i].argument,
		    load_options_table[i].help);
	puts("Modes: id sends \"ID NONCE[ SLOW]\\n\" and expects a line that "
	     "begins with ID NONCE;\nhttp sends a GET with X-Id and expects a "
	     "complete 200; none sends nothing and\naccepts any reply.  The "
	     "end of file must follow.\n"
	     "Without -n and -d, SIGTERM ends it after the present "
	     "connections.\n"
	     "Exit status: 0 all were served (or refused with the expected "
	     "text), 1 not all,\n64 usage, 70 the counts do not add up, "
	     "71 system error.");
	exit(0);
}

static enum request_kind
load_options_request(const char *name)
{
	if (strcmp(name, "id") == 0)
		return REQUEST_ID;
	if (strcmp(name, "http") == 0)
		return REQUEST_HTTP;
	if (strcmp(name, "none") == 0)
		return REQUEST_NONE;
	errx(64, "--request %s: expected id, http or none", name);
}

static uint64_t
load_options_seconds(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds > 0 && seconds < 1e6))
		errx(64, "--duration %s: expected seconds", text);
	return (uint64_t)(seconds * 1e6);
}

/* Options for the amount of load. */
static void
load_options_amount(struct load *load, int letter)
{
	uint64_t most = UINT32_MAX; /* as IDs are limited */

	switch (letter) {
	case 'n':
		load->total = tool_number(optarg, 1, most);
		break;
	case 'd':
		load->duration_us = load_options_seconds(optarg);
		break;
	case 'c':
		load->concurrency = tool_number(optarg, 1, 1000000);
		break;
	case 'r':
		load->rate = tool_number(optarg, 1, 1000000);
		break;
	case 's':
		load->plan.sources =
		    (unsigned int)tool_number(optarg, 0, 65536);
		break;
	case 't':
		load->plan.timeout_us =
		    tool_number(optarg, 1, LOAD_OPTIONS_DAY_MS) * 1000;
		break;
	case 'w':
		load->plan.slow = tool_number(optarg, 1, most);
		break;
	case 'H':
		load->plan.hold_us =
		    tool_number(optarg, 0, LOAD_OPTIONS_DAY_MS) * 1000;
		break;
	default:
		break;
	}
}

/* Options for the kind of load. */
static void
load_options_kind(struct load *load, int letter)
{
	switch (letter) {
	case 'm':
		load->plan.request = load_options_request(optarg);
		break;
	case 'P':
		if (strlen(optarg) > REQUEST_PATH_MAX)
			errx(64, "--path: longer than %d", REQUEST_PATH_MAX);
		load->plan.path = optarg;
		break;
	case 'x':
		load->plan.half_close = 1;
		break;
	case 'a':
		load->plan.abort = 1;
		break;
	case 'e':
		load->plan.policy = optarg;
		break;
	case 'j':
		run_log_open(&load->journal, optarg);
		break;
	case 'R':
		run_log_open(&load->replies, optarg);
		break;
	case 'J':
		load->json = 1;
		break;
	case 'h':
		load_options_help();
		break;
	case '?':
		exit(64);
	default:
		break;
	}
}

static void
load_options_target(struct load *load, const char *text)
{
	const struct tool_address *target = &load->plan.target;
	struct sockaddr_in in;

	tool_parse_address(text, &load->plan.target);
	if (target->type == SOCK_DGRAM)
		errx(64, "%s: not connections", text);
	if (load->plan.sources == 0)
		return;
	memcpy(&in, &target->storage, sizeof(in));
	if (in.sin_family != AF_INET ||
	    ntohl(in.sin_addr.s_addr) >> IN_CLASSA_NSHIFT != IN_LOOPBACKNET)
		errx(64, "--sources: %s is not in 127/8", text);
}

void
load_options_read(struct load *load, int argc, char **argv)
{
	struct option options[LOAD_OPTIONS_COUNT + 1] = {{NULL, 0, NULL, 0}};
	char letters[2 * LOAD_OPTIONS_COUNT + 1] = "";
	size_t used = 0;
	int letter;

	for (size_t i = 0; i < LOAD_OPTIONS_COUNT; i++) {
		options[i].name = load_options_table[i].name;
		options[i].has_arg = load_options_table[i].argument != NULL;
		options[i].val = load_options_table[i].letter;
		letters[used++] = load_options_table[i].letter;
		if (options[i].has_arg)
			letters[used++] = ':';
	}
	while (
	    (letter = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		load_options_amount(load, letter);
		load_options_kind(load, letter);
	}
	if (optind + 1 != argc)
		errx(64, "expected one TARGET; see --help");
	load_options_target(load, argv[optind]);
}
