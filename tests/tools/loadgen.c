/* SPDX-License-Identifier: ISC */
/*
 * The load generator: opens connections, K at a time, and accounts for every
 * single one.  One process, one epoll.  Exit status: 0 all were served, 1 not
 * all, 64 usage, 70 its own accounts do not add up.
 */
#include "client.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOADGEN_EVENTS 256
#define LOADGEN_RETRY_MS 1

static const char loadgen_usage[] =
    "usage: loadgen [OPTION ...] TARGET\n"
    "TARGET is tcp:ADDRESS:PORT, unix-stream:PATH or unix-seqpacket:PATH;\n"
    "@NAME is an abstract PATH.\n"
    "  -n, --total N        connections (1000)\n"
    "      --duration S     as many as there is time for, instead\n"
    "  -c, --concurrency K  at a time (1)\n"
    "      --rate R         begun in a second, at most\n"
    "      --sources N      source addresses in 127/8 (64; 0: as it comes)\n"
    "      --timeout MS     of one connection (30000)\n"
    "      --request MODE   id (the default), none or http\n"
    "      --path PATH      of --request http (/)\n"
    "      --slow-every N   one request in N asks for slowness\n"
    "      --hold MS        silence before the request\n"
    "      --half-close     shut down for writing behind the request\n"
    "      --expect-policy TEXT  an answer that begins so is a refusal\n"
    "      --journal FILE   a line for each connection\n"
    "      --json           figures for a program\n"
    "SIGTERM: begin no more, finish those under way.\n";

struct loadgen {
	struct client_plan plan;
	struct tally tally;
	struct client *clients;
	struct client_list running; /* oldest first */
	struct client_list idle;
	size_t concurrency;
	uint64_t total;
	uint64_t duration_us;
	uint64_t rate;
	uint64_t base_us; /* of the rate */
	int json;
};

static volatile sig_atomic_t loadgen_ending;

static void
on_signal(int number)
{
	(void)number;
	loadgen_ending = 1;
}

static int
loadgen_may_start(const struct loadgen *load, uint64_t now)
{
	if (loadgen_ending || TAILQ_EMPTY(&load->idle))
		return 0;
	if (load->duration_us != 0 ?
		now - load->tally.begin_us >= load->duration_us :
		load->tally.started >= load->total)
		return 0;
	return load->rate == 0 ||
	    load->tally.started <
	    (now - load->tally.begin_us) * load->rate / 1000000 + 1;
}

static int
loadgen_is_over(const struct loadgen *load, uint64_t now)
{
	if (!TAILQ_EMPTY(&load->running))
		return 0;
	if (loadgen_ending)
		return 1;
	return load->duration_us != 0 ?
	    now - load->tally.begin_us >= load->duration_us :
	    load->tally.started >= load->total;
}

static void
loadgen_release(struct loadgen *load, struct client *client)
{
	TAILQ_REMOVE(&load->running, client, entry);
	TAILQ_INSERT_TAIL(&load->idle, client, entry);
}

static void
loadgen_start(struct loadgen *load)
{
	while (loadgen_may_start(load, tool_now_us())) {
		struct client *client = TAILQ_FIRST(&load->idle);

		TAILQ_REMOVE(&load->idle, client, entry);
		TAILQ_INSERT_TAIL(&load->running, client, entry);
		client_start(client, &load->plan, load->tally.started);
		if (client->ended)
			loadgen_release(load, client);
	}
}

/* What no event tells: time-outs, full backlogs, silence that is over. */
static void
loadgen_look(struct loadgen *load)
{
	uint64_t now = tool_now_us();
	struct client *client, *next;

	for (client = TAILQ_FIRST(&load->running); client != NULL;
	     client = next) {
		next = TAILQ_NEXT(client, entry);
		if (now - client->begin_us >= load->plan.timeout_us)
			client_end(client, OUTCOME_TIMEOUT);
		else if (client->fd == -1 ||
		    (load->plan.hold_ms != 0 && !client->sent))
			client_continue(client);
		if (client->ended)
			loadgen_release(load, client);
	}
}

static void
loadgen_run(struct loadgen *load)
{
	struct epoll_event events[LOADGEN_EVENTS];
	uint64_t looked = tool_now_us();
	int n;

	load->tally.begin_us = looked;
	for (;;) {
		loadgen_start(load);
		if (loadgen_is_over(load, tool_now_us()))
			break;
		n = epoll_wait(
		    load->plan.loop, events, LOADGEN_EVENTS, LOADGEN_RETRY_MS);
		if (n == -1 && errno != EINTR)
			err(71, "epoll_wait");
		for (int i = 0; i < n; i++) {
			struct client *client = events[i].data.ptr;

			/* One that ended leaves no event behind: closing its
			 * only descriptor removed it. */
			client_continue(client);
			if (client->ended)
				loadgen_release(load, client);
		}
		if (tool_now_us() - looked >= LOADGEN_RETRY_MS * 1000) {
			loadgen_look(load);
			looked = tool_now_us();
		}
	}
	load->tally.end_us = tool_now_us();
}

static enum client_request
loadgen_request(const char *name)
{
	if (strcmp(name, "id") == 0)
		return CLIENT_ID;
	if (strcmp(name, "none") == 0)
		return CLIENT_NONE;
	if (strcmp(name, "http") == 0)
		return CLIENT_HTTP;
	errx(64, "--request %s: expected id, none or http", name);
}

static void
loadgen_option(struct loadgen *load, int option)
{
	switch (option) {
	case 'n':
		load->total = strtoull(optarg, NULL, 10);
		break;
	case 'd':
		load->duration_us = (uint64_t)(strtod(optarg, NULL) * 1e6);
		break;
	case 'c':
		load->concurrency = strtoul(optarg, NULL, 10);
		break;
	case 'r':
		load->rate = strtoull(optarg, NULL, 10);
		break;
	case 's':
		load->plan.sources = (unsigned int)strtoul(optarg, NULL, 10);
		break;
	case 't':
		load->plan.timeout_us = strtoull(optarg, NULL, 10) * 1000;
		break;
	case 'm':
		load->plan.request = loadgen_request(optarg);
		break;
	case 'p':
		load->plan.path = optarg;
		break;
	case 'w':
		load->plan.slow = (unsigned int)strtoul(optarg, NULL, 10);
		break;
	case 'h':
		load->plan.hold_ms = (unsigned int)strtoul(optarg, NULL, 10);
		break;
	case 'H':
		load->plan.half_close = 1;
		break;
	case 'e':
		load->plan.policy = optarg;
		break;
	case 'j':
		load->plan.journal = fopen(optarg, "we");
		if (load->plan.journal == NULL)
			err(71, "%s", optarg);
		break;
	case 'J':
		load->json = 1;
		break;
	default:
		fputs(loadgen_usage, stderr);
		exit(64);
	}
}

static void
loadgen_options(struct loadgen *load, int argc, char **argv)
{
	static const struct option options[] = {{"total", 1, NULL, 'n'},
	    {"duration", 1, NULL, 'd'}, {"concurrency", 1, NULL, 'c'},
	    {"rate", 1, NULL, 'r'}, {"sources", 1, NULL, 's'},
	    {"timeout", 1, NULL, 't'}, {"request", 1, NULL, 'm'},
	    {"path", 1, NULL, 'p'}, {"slow-every", 1, NULL, 'w'},
	    {"hold", 1, NULL, 'h'}, {"half-close", 0, NULL, 'H'},
	    {"expect-policy", 1, NULL, 'e'}, {"journal", 1, NULL, 'j'},
	    {"json", 0, NULL, 'J'}, {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "n:c:", options, NULL)) != -1)
		loadgen_option(load, option);
	if (optind + 1 != argc || load->concurrency == 0) {
		fputs(loadgen_usage, stderr);
		exit(64);
	}
	tool_parse_address(argv[optind], &load->plan.target);
}

static void
loadgen_prepare(struct loadgen *load)
{
	struct rlimit files;

	srandom((unsigned int)(tool_now_us() ^ (uint64_t)getpid()));
	load->plan.base = (uint64_t)random() << 32;
	load->plan.tally = &load->tally;
	load->plan.loop = epoll_create1(EPOLL_CLOEXEC);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	load->clients = calloc(load->concurrency, sizeof(*load->clients));
	if (load->plan.loop == -1 || load->clients == NULL)
		err(71, "start");
	TAILQ_INIT(&load->running);
	TAILQ_INIT(&load->idle);
	for (size_t i = 0; i < load->concurrency; i++)
		TAILQ_INSERT_TAIL(&load->idle, &load->clients[i], entry);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
}

int
main(int argc, char **argv)
{
	struct loadgen load = {.concurrency = 1,
	    .total = 1000,
	    .plan = {.path = "/", .sources = 64, .timeout_us = 30000000}};
	uint64_t good;

	loadgen_options(&load, argc, argv);
	loadgen_prepare(&load);
	loadgen_run(&load);
	tally_print(&load.tally, load.json, stdout);
	if (load.plan.journal != NULL)
		fclose(load.plan.journal);
	good = load.tally.counts[OUTCOME_SERVED] +
	    load.tally.counts[OUTCOME_POLICY];
	free(load.clients);
	tally_done(&load.tally);
	if (!tally_is_complete(&load.tally))
		return 70;
	return good == load.tally.started ? 0 : 1;
}
