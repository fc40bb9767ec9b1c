/* SPDX-License-Identifier: ISC */
/*
 * The monitor: the one process with privileges.  Reads the configuration
 * through a child, binds the sockets, keeps them, and keeps an engine running
 * on them; replaces both when it is told to.  No parser, no name service, no
 * accept(2) here.  Ends on SIGTERM or SIGINT, when the engine has drained; at
 * its start also on any failure.
 */
#include "monitor/monitor.h"

#include "base/clock.h"
#include "config.h"
#include "monitor/generation.h"
#include "monitor/upgrade.h"

#include <sys/signalfd.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* If an engine dies younger than that, the next one waits for as long. */
#define MONITOR_YOUNG_MS 1000
#define MONITOR_BEFORE 4 /* generations that may drain */

struct monitor {
	struct setup setup;
	struct generation now;
	struct generation before[MONITOR_BEFORE];
	uint64_t start_ms; /* when to start another engine; 0: there is one */
	uint64_t ping_ms;  /* when to look whether it answers; 0: never */
	int pinged;        /* it has not answered yet */
	int stopping;
	int upgrade; /* wanted, as soon as no engine drains */
	int status;  /* to exit with; -1: go on */
};

static void
monitor_set_ping(struct monitor *m)
{
	uint32_t every_s = m->now.table.settings->watchdog_s;

	m->pinged = 0;
	m->ping_ms = every_s == 0 ? 0 : clock_ms() + UINT64_C(1000) * every_s;
}

/* Another engine for the same table. */
static void
monitor_start_engine(struct monitor *m)
{
	struct generation *now = &m->now;

	m->start_ms = 0;
	if (engine_process_start(&now->engine, &m->setup, &now->table) != -1 ||
	    engine_process_serve(&now->engine, &m->setup) != -1)
		m->start_ms = clock_ms() + MONITOR_YOUNG_MS;
	else
		monitor_set_ping(m);
}

static void
monitor_lose_engine(struct monitor *m, const char *how)
{
	uint64_t age_ms = clock_ms() - m->now.engine.started_ms;
	int status = engine_process_end(&m->now.engine, 0);

	m->ping_ms = 0;
	if (m->stopping)
		return; /* the loop sees to the rest */
	log_line(&m->setup.log, LOG_ERR,
	    "engine: %s (%s: %d): starting another, the sockets stay", how,
	    status < 0 ? strsignal(-status) : "status", abs(status));
	if (age_ms < MONITOR_YOUNG_MS)
		m->start_ms = clock_ms() + MONITOR_YOUNG_MS;
	else
		monitor_start_engine(m);
}

static int
monitor_count_before(const struct monitor *m)
{
	int count = 0;

	for (int i = 0; i < MONITOR_BEFORE; i++)
		count += m->before[i].kill_ms != 0;
	return count;
}

/* The present configuration, in a generation beside the one that serves, takes
 * over from it; there is a place for that one.  Returns 0, or a status; text
 * says the rest. */
static int
monitor_reload(struct monitor *m, char *text)
{
	struct generation *before = m->before, next;
	struct table *table = &m->now.table;
	struct inherited inherited = {.items = NULL};
	struct channel_drain drain;
	int status;

	for (uint32_t i = 0; i < table->endpoint_count; i++)
		inherited_add(&inherited,
		    fcntl(table->endpoints[i].fd, F_DUPFD_CLOEXEC, 0),
		    &table->endpoints[i]);
	status = generation_make(&next, &m->setup, &inherited);
	if (status == -1)
		status = generation_serve(&next, &m->setup);
	if (status != -1)
		return status;
	table_take_over(&next.table, table, &drain, text, LOG_LINE_MAX);
	engine_process_tell(&m->now.engine, EX_OK, text);
	while (before->kill_ms != 0)
		before++;
	*before = m->now;
	m->now = next;
	m->start_ms = 0;
	monitor_set_ping(m);
	generation_drain(before, &drain);
	return EX_OK;
}

/* A reload or an upgrade, whoever asks for it. */
static void
monitor_change(struct monitor *m, int upgrade)
{
	const char *what = upgrade ? "upgrade" : "reload";
	char text[LOG_LINE_MAX] = "";
	int status = EX_TEMPFAIL;

	if (upgrade && monitor_count_before(m) > 0) {
		m->upgrade = 1; /* or nobody would see to their end */
		return;
	}
	m->setup.log.said = text;
	if (m->stopping)
		log_line(&m->setup.log, LOG_ERR, "brokerd is about to end");
	else if (monitor_count_before(m) == MONITOR_BEFORE)
		log_line(&m->setup.log, LOG_ERR,
		    "%d engines are still draining: try again later",
		    MONITOR_BEFORE);
	else
		status = upgrade ? upgrade_run(&m->setup, &m->now) :
				   monitor_reload(m, text);
	m->setup.log.said = NULL;
	log_line(&m->setup.log, status == EX_OK ? LOG_NOTICE : LOG_ERR,
	    "%s: %s", what, status == EX_OK ? text : "nothing has changed");
	if (status != EX_OK)
		engine_process_tell(&m->now.engine, status, text);
}

static void
monitor_on_channel(struct monitor *m)
{
	struct engine_process *engine = &m->now.engine;
	struct channel_message message;
	int fd, got;

	errno = 0; /* but EPROTO: it has ended */
	got = channel_receive(engine->channel, 1, engine->phase, &message, &fd);
	if (got == -1 && errno == EAGAIN)
		return;
	if (got == 1 && message.header.type == CHANNEL_PONG)
		m->pinged = 0;
	else if (got == 1)
		monitor_change(m, message.header.type == CHANNEL_UPGRADE);
	else
		monitor_lose_engine(
		    m, errno == EPROTO ? "violated the protocol" : "ended");
}

static void
monitor_stop(struct monitor *m)
{
	const struct channel_drain all = {.stop = 1,
	    .timeout_ms = m->now.table.settings->drain_timeout_s * 1000};

	if (m->stopping || m->now.engine.pid == 0)
		m->status = EX_OK; /* at once */
	m->stopping = 1;
	m->start_ms = m->ping_ms = 0;
	generation_drain(&m->now, &all);
}

static void
monitor_on_signal(struct monitor *m)
{
	struct signalfd_siginfo info;

	if (read(m->setup.signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR2 ||
	    (info.ssi_signo == SIGHUP && !m->setup.listens)) {
		monitor_change(m, info.ssi_signo == SIGUSR2);
		return;
	}
	log_line(&m->setup.log, LOG_NOTICE, "a signal (%s): stopping",
	    strsignal((int)info.ssi_signo));
	monitor_stop(m);
}

/* Time has come, for some. */
static void
monitor_on_time(struct monitor *m)
{
	uint64_t now = clock_ms();

	for (int i = 0; i < MONITOR_BEFORE; i++)
		if (m->before[i].kill_ms != 0 && now >= m->before[i].kill_ms)
			generation_end(&m->before[i], ENDPOINT_REVOKE);
	if (m->stopping &&
	    (now >= m->now.kill_ms ||
		(m->now.engine.pid == 0 && monitor_count_before(m) == 0)))
		m->status = EX_OK;
	if (m->upgrade && monitor_count_before(m) == 0) {
		m->upgrade = 0;
		monitor_change(m, 1);
	}
	if (m->start_ms != 0 && now >= m->start_ms)
		monitor_start_engine(m);
	if (m->ping_ms == 0 || now < m->ping_ms)
		return;
	if (m->pinged) {
		monitor_lose_engine(m, "does not answer");
		return;
	}
	monitor_set_ping(m);
	m->pinged = 1;
	channel_send(m->now.engine.channel, CHANNEL_PING, NULL, -1);
}

/* 0 is never. */
static uint64_t
monitor_earlier(uint64_t next, uint64_t when)
{
	return when != 0 && when < next ? when : next;
}

static int
monitor_left_ms(const struct monitor *m)
{
	uint64_t next = monitor_earlier(UINT64_MAX, m->now.kill_ms);

	for (int i = 0; i < MONITOR_BEFORE; i++)
		next = monitor_earlier(next, m->before[i].kill_ms);
	next = monitor_earlier(next, m->start_ms);
	next = monitor_earlier(next, m->ping_ms);
	return next == UINT64_MAX ? -1 : clock_left_ms(next);
}

static void
monitor_loop(struct monitor *m)
{
	struct pollfd fds[2 + MONITOR_BEFORE];

	while (m->status == -1) {
		fds[0] = (struct pollfd){m->setup.signals, POLLIN, 0};
		fds[1] = (struct pollfd){m->now.engine.channel, POLLIN, 0};
		for (int i = 0; i < MONITOR_BEFORE; i++)
			fds[2 + i] =
			    (struct pollfd){m->before[i].engine.channel, 0, 0};
		if (poll(fds, 2 + MONITOR_BEFORE, monitor_left_ms(m)) == -1) {
			if (errno != EINTR)
				m->status = EX_OSERR;
			continue;
		}
		for (int i = 0; i < MONITOR_BEFORE; i++)
			if (fds[2 + i].revents != 0) /* hung up */
				m->before[i].kill_ms = 1;
		if (fds[1].revents != 0)
			monitor_on_channel(m);
		monitor_on_time(m);
		if (fds[0].revents != 0)
			monitor_on_signal(m);
	}
}

static int
monitor_start(struct monitor *m)
{
	struct engine_process *engine = &m->before[0].engine;
	struct channel_drain drain;
	char text[LOG_LINE_MAX];
	int status = generation_make(&m->now, &m->setup, &m->setup.inherited);

	if (status == -1 && m->setup.trial)
		return EX_OK;
	if (status == -1)
		status = generation_serve(&m->now, &m->setup);
	adopt_done(&m->setup.adopt, status == -1);
	if (status != -1)
		return status;
	table_take_over(
	    &m->now.table, &m->before[0].table, &drain, text, sizeof(text));
	monitor_set_ping(m);
	if (m->setup.engine_pid == 0)
		return -1;
	*engine = (struct engine_process){.pid = m->setup.engine_pid,
	    .channel = m->setup.engine_channel,
	    .phase = CHANNEL_SERVING};
	engine_process_tell(engine, EX_OK, "this is " PACKAGE_STRING " now");
	generation_drain(&m->before[0], &drain);
	return -1;
}

int
monitor_main(int argc, char **argv)
{
	struct monitor m = {.now = {.engine = {.channel = -1}}};

	for (int i = 0; i < MONITOR_BEFORE; i++)
		m.before[i].engine.channel = -1;
	m.status = setup_init(&m.setup, argc, argv);
	if (m.status == -1)
		m.status = monitor_start(&m);
	if (m.status == -1) {
		log_line(&m.setup.log, LOG_NOTICE, "serving, endpoints: %u",
		    m.now.table.settings->endpoint_count);
		setup_ready(&m.setup);
	}
	monitor_loop(&m);
	for (int i = 0; i < MONITOR_BEFORE; i++)
		generation_end(&m.before[i], ENDPOINT_REVOKE);
	generation_end(&m.now, ENDPOINT_STOP);
	rundir_done(&m.setup.rundir);
	return m.status;
}
