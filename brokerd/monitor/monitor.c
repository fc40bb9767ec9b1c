/* SPDX-License-Identifier: ISC */
/*
 * The monitor: the one process with privileges.  Reads the configuration
 * through a child, binds the sockets, keeps them, and keeps an engine running
 * on them.  No parser, no name service, no accept(2) here.  Ends on SIGTERM
 * or SIGINT, when the engine has drained; at its start also on any failure.
 */
#include "monitor/monitor.h"

#include "base/clock.h"
#include "monitor/engine_process.h"

#include <sys/signalfd.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define MONITOR_DRAIN_MS 10000 /* from DRAIN to the end */
/* If an engine dies younger than that, the next one waits for as long. */
#define MONITOR_YOUNG_MS 1000

struct monitor {
	struct setup setup;
	struct table table;
	struct engine_process engine;
	int timeout_ms; /* of the loop, -1: none */
	int status;     /* to exit with; -1: go on */
};

/* Something came from the engine after READY, or it is gone: nothing may. */
static void
monitor_on_channel(struct monitor *m)
{
	uint64_t age_ms = clock_ms() - m->engine.started_ms;
	int draining = m->engine.phase == CHANNEL_DRAINING;
	int status = engine_process_end(
	    &m->engine, draining ? clock_ms() + MONITOR_DRAIN_MS : 0);

	if (draining) {
		m->status = EX_OK;
		return;
	}
	log_line(&m->setup.log, LOG_ERR,
	    "engine: ended (%s %d): starting another, the sockets stay",
	    status < 0 ? "signal" : "status", abs(status));
	m->timeout_ms = age_ms < MONITOR_YOUNG_MS ? MONITOR_YOUNG_MS : 0;
}

static void
monitor_on_signal(struct monitor *m)
{
	struct signalfd_siginfo info;

	if (read(m->setup.signals, &info, sizeof(info)) !=
	    (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP && !m->setup.listens) {
		log_line(&m->setup.log, LOG_WARNING,
		    "SIGHUP: the configuration is read at the start only");
		return;
	}
	log_line(
	    &m->setup.log, LOG_NOTICE, "signal %u: stopping", info.ssi_signo);
	if (m->engine.phase == CHANNEL_DRAINING || m->engine.pid == 0 ||
	    engine_process_say(&m->engine, CHANNEL_DRAIN) == -1) /* at once */
		m->status = EX_OK;
	m->timeout_ms = MONITOR_DRAIN_MS;
}

static void
monitor_on_time(struct monitor *m)
{
	m->timeout_ms = -1;
	if (m->engine.phase == CHANNEL_DRAINING)
		m->status = EX_OK; /* it did not drain in time */
	else if (engine_process_start(&m->engine, &m->setup, &m->table) != -1)
		m->timeout_ms = MONITOR_YOUNG_MS;
}

static void
monitor_loop(struct monitor *m)
{
	while (m->status == -1) {
		struct pollfd fds[2] = {
		    {.fd = m->setup.signals, .events = POLLIN},
		    {.fd = m->engine.channel, .events = POLLIN}};
		int n = poll(fds, 2, m->timeout_ms);

		if (n == 0)
			monitor_on_time(m);
		if (n == -1 && errno != EINTR)
			m->status = EX_OSERR;
		if (n > 0 && fds[0].revents != 0)
			monitor_on_signal(m);
		else if (n > 0)
			monitor_on_channel(m);
	}
}

int
monitor_main(int argc, char **argv)
{
	struct monitor m = {.engine = {.channel = -1}, .timeout_ms = -1};

	m.status = setup_init(&m.setup, argc, argv);
	if (m.status == -1)
		m.status = table_read(&m.table, &m.setup);
	if (m.status == -1)
		m.status = table_bind(&m.table, &m.setup);
	if (m.status == -1)
		m.status = engine_process_start(&m.engine, &m.setup, &m.table);
	if (m.status == -1)
		log_line(&m.setup.log, LOG_NOTICE, "serving, endpoints: %u",
		    m.table.settings->endpoint_count);
	monitor_loop(&m);
	engine_process_end(&m.engine, 0);
	table_done(&m.table, 1);
	rundir_done(&m.setup.rundir);
	return m.status;
}
