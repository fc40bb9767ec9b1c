/* SPDX-License-Identifier: ISC */
/*
 * The loop of the load generator.  The next connection starts as soon as
 * another one has ended, so the load does not come in bursts.  Time-outs, full
 * backlogs and pauses, which cause no event, have deadlines.
 */
#include "load.h"

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define LOAD_EVENTS 256
#define LOAD_RETRY_US 1000 /* after a full backlog */
#define LOAD_REST_US 1000  /* after a local error */
#define LOAD_LATE_US 2000

/* When the next connection may start. */
static uint64_t
load_due(const struct load *load)
{
	uint64_t due = load->counts.begin_us;

	if (load->rate != 0)
		due += load->counts.started * 1000000 / load->rate;
	return due > load->rest_until_us ? due : load->rest_until_us;
}

/* True if no more connections are to start. */
static int
load_is_ending(const struct load *load)
{
	return load->ending || load->counts.started >= load->total ||
	    (load->duration_us != 0 &&
		load->now_us - load->counts.begin_us >= load->duration_us);
}

static void
load_move(struct load *load, struct client *client, enum client_state before)
{
	TAILQ_REMOVE(&load->lists[before], client, entry);
	if (client->state == CLIENT_IDLE) /* reused first: it is in the cache */
		TAILQ_INSERT_HEAD(&load->lists[CLIENT_IDLE], client, entry);
	else
		TAILQ_INSERT_TAIL(&load->lists[client->state], client, entry);
}

static void
load_count(struct load *load, const struct client *client)
{
	const struct load_result *result = &client->result;

	load_counts_end(&load->counts, result);
	if (load->journal.fd != -1)
		run_log_add_end(&load->journal, client->name,
		    outcome_names[result->outcome],
		    result->end_us - result->begin_us, result->begin_us);
	if (load->replies.fd != -1)
		run_log_add_reply(&load->replies, client->name, client->reply,
		    client->length);
	/* Without ports or descriptors the next one would fail, too. */
	if (result->outcome == OUTCOME_ERROR &&
	    outcome_errno_is_local(result->error))
		load->rest_until_us = result->end_us + LOAD_REST_US;
	load->now_us = result->end_us;
}

/* Moves a client that was in state before to the list of its state. */
static void
load_update(struct load *load, struct client *client, enum client_state before)
{
	if (client->state == CLIENT_ENDED) {
		load_count(load, client);
		TAILQ_REMOVE(&load->running, client, older);
		client->state = CLIENT_IDLE;
	}
	if (client->state != before)
		load_move(load, client, before);
}

static void
load_start(struct load *load, struct client *client)
{
	uint64_t number = load->counts.started;

	if (load->rate != 0 && load->now_us > load_due(load) + LOAD_LATE_US)
		load->counts.late++;
	load_counts_start(&load->counts, load->now_us);
	TAILQ_INSERT_TAIL(&load->running, client, older);
	client_start(client, &load->plan, number, load->now_us);
	/* Clients that wait for a full backlog come first. */
	if (client->state == CLIENT_WAITING &&
	    TAILQ_EMPTY(&load->lists[CLIENT_WAITING]))
		client_connect(client);
	load->counts.backlog_full += client->state == CLIENT_WAITING;
	load_update(load, client, CLIENT_IDLE);
}

/* Starts connections, but only so many that events are not starved if all
 * fail. */
static void
load_fill(struct load *load)
{
	struct client *client;

	for (size_t i = 0; i < load->concurrency; i++) {
		client = TAILQ_FIRST(&load->lists[CLIENT_IDLE]);
		if (client == NULL || load_is_ending(load) ||
		    load_due(load) > load->now_us)
			return;
		load_start(load, client);
	}
}

static void
load_retry(struct load *load)
{
	struct client *client;

	while ((client = TAILQ_FIRST(&load->lists[CLIENT_WAITING])) != NULL) {
		client_connect(client);
		if (client->state == CLIENT_WAITING) {
			load->counts.backlog_full++;
			return;
		}
		load_update(load, client, CLIENT_WAITING);
	}
}

/* Does what is due. */
static void
load_run_due(struct load *load)
{
	enum client_state before;
	struct client *client;

	load_retry(load);
	while ((client = TAILQ_FIRST(&load->lists[CLIENT_HOLDING])) != NULL &&
	    client->ask_us <= load->now_us) {
		client_ask(client);
		load_update(load, client, CLIENT_HOLDING);
	}
	while ((client = TAILQ_FIRST(&load->running)) != NULL &&
	    client->begin_us + load->plan.timeout_us <= load->now_us) {
		before = client->state;
		client_expire(client);
		load_update(load, client, before);
	}
}

/* Milliseconds until something is due, rounded up; -1: never. */
static int
load_wait_ms(const struct load *load)
{
	const struct client *client;
	uint64_t at = UINT64_MAX;

	if ((client = TAILQ_FIRST(&load->running)) != NULL)
		at = client->begin_us + load->plan.timeout_us;
	if ((client = TAILQ_FIRST(&load->lists[CLIENT_HOLDING])) != NULL &&
	    client->ask_us < at)
		at = client->ask_us;
	if (!TAILQ_EMPTY(&load->lists[CLIENT_WAITING]) &&
	    load->now_us + LOAD_RETRY_US < at)
		at = load->now_us + LOAD_RETRY_US;
	if (!TAILQ_EMPTY(&load->lists[CLIENT_IDLE]) && !load_is_ending(load)) {
		if (load_due(load) < at)
			at = load_due(load);
		if (load->duration_us != 0 &&
		    load->counts.begin_us + load->duration_us < at)
			at = load->counts.begin_us + load->duration_us;
	}
	if (at == UINT64_MAX)
		return -1;
	return at <= load->now_us ? 0 : (int)((at - load->now_us + 999) / 1000);
}

static void
load_event(struct load *load, const struct epoll_event *event)
{
	struct client *client = event->data.ptr;
	enum client_state before;

	if (client == NULL) { /* a signal */
		load->ending = 1;
		epoll_ctl(load->plan.loop, EPOLL_CTL_DEL, load->signals, NULL);
		return;
	}
	before = client->state;
	client_continue(client, event->events);
	load_update(load, client, before);
}

void
load_run(struct load *load)
{
	struct epoll_event events[LOAD_EVENTS];
	int n;

	load->counts.begin_us = load->now_us = tool_now_us();
	for (;;) {
		load_fill(load);
		if (TAILQ_EMPTY(&load->running) && load_is_ending(load))
			break;
		n = epoll_wait(
		    load->plan.loop, events, LOAD_EVENTS, load_wait_ms(load));
		if (n == -1 && errno != EINTR)
			err(71, "epoll_wait");
		load->now_us = tool_now_us();
		for (int i = 0; i < n; i++)
			load_event(load, &events[i]);
		load_run_due(load);
	}
	load->counts.end_us = tool_now_us();
}

static void
load_raise_nofile(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		err(71, "getrlimit");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		err(71, "setrlimit");
}

void
load_init(struct load *load)
{
	struct epoll_event event = {.events = EPOLLIN};
	uint64_t seed[2];
	sigset_t set;

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		err(71, "getrandom");
	load->plan.base = seed[0] << 32; /* the rest counts connections */
	load->plan.secret = seed[1];
	load_raise_nofile();
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	load->plan.loop = epoll_create1(EPOLL_CLOEXEC);
	if (load->plan.loop == -1 || sigprocmask(SIG_BLOCK, &set, NULL) == -1 ||
	    (load->signals = signalfd(-1, &set, SFD_CLOEXEC)) == -1 ||
	    epoll_ctl(load->plan.loop, EPOLL_CTL_ADD, load->signals, &event) ==
		-1)
		err(71, "start");
	for (int i = 0; i < CLIENT_STATES; i++)
		TAILQ_INIT(&load->lists[i]);
	TAILQ_INIT(&load->running);
	load->clients = calloc(load->concurrency, sizeof(*load->clients));
	if (load->clients == NULL)
		err(71, "memory for %zu connections", load->concurrency);
	for (size_t i = load->concurrency; i-- > 0;)
		TAILQ_INSERT_HEAD(
		    &load->lists[CLIENT_IDLE], &load->clients[i], entry);
}

void
load_done(struct load *load)
{
	close(load->plan.loop);
	close(load->signals);
	free(load->clients);
	load_counts_done(&load->counts);
}
