/* SPDX-License-Identifier: ISC */
/*
 * The monitor: the only process with privileges.  Has the config reader read
 * the configuration, binds the sockets and keeps them, and keeps an engine
 * running; replaces both when it is told to.  Does not parse, resolve names or
 * accept connections.  Ends on SIGTERM or SIGINT, when the engine has drained,
 * and if its start fails.
 */
#include "monitor/monitor.h"

#include "base/clock.h"
#include "base/fd.h"
#include "config.h"
#include "monitor/leftovers.h"
#include "monitor/upgrade.h"

#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MONITOR_DRAINING 4     /* generations that may drain at a time */
#define MONITOR_YOUNG_MS 200   /* an engine that has served less died young */
#define MONITOR_MESSAGE_MS 250 /* between messages of an engine, on average */
#define MONITOR_BURST_MS 16000 /* so many of these may be ahead of time */

struct monitor {
	struct setup setup;
	struct generation current;
	struct generation draining[MONITOR_DRAINING];
	uint64_t start_ms; /* when to start another engine; 0: one is running */
	uint64_t gap_ms;   /* since when none serves; 0: one does */
	unsigned int young; /* so many have died in a row */
	uint64_t ping_ms;   /* when to ping the engine; 0: never */
	int pinged;         /* it has not sent anything since */
	int stopping;
	int wanted[2]; /* a reload, an upgrade: once engines have drained */
	int status;    /* to exit with; -1: go on */
};

/* An engine serves from now on. */
static void
monitor_set_ping(struct monitor *m)
{
	uint32_t every_s = m->current.table.settings->watchdog_s;

	if (m->gap_ms != 0)
		log_line(&m->setup.log, LOG_NOTICE,
		    "engine: another one serves, after %d ms",
		    (int)(clock_ms() - m->gap_ms));
	m->start_ms = m->gap_ms = 0;
	m->pinged = 0;
	m->ping_ms = every_s == 0 ? 0 : clock_ms() + UINT64_C(1000) * every_s;
}

/* Plans the start of another engine: at once, unless several have died young in
 * a row.  If one that drains was taken over, it can kill them, so it ends; its
 * keeper returns what it has.  Returns how long that is. */
static unsigned int
monitor_plan_start(struct monitor *m, int is_young)
{
	unsigned int delay_s =
	    is_young && m->young > 2 ? 1U << (m->young - 3) : 0;

	for (int i = 0; delay_s > 0 && i < MONITOR_DRAINING; i++)
		m->draining[i].kill_ms = m->draining[i].kill_ms != 0;
	m->young = is_young ? m->young + (delay_s < 8) : 0;
	m->gap_ms = m->gap_ms == 0 ? clock_ms() : m->gap_ms;
	m->start_ms = clock_ms() + UINT64_C(1000) * delay_s;
	return delay_s;
}

/* Starts another engine for the same table. */
static void
monitor_start_engine(struct monitor *m)
{
	struct engine_process *engine = &m->current.engine;

	if (engine_process_start(engine, &m->setup, &m->current.table) != -1 ||
	    engine_process_serve(engine, &m->setup) != -1)
		log_line(&m->setup.log, LOG_ERR,
		    "engine: none serves: starting another in %u s",
		    monitor_plan_start(m, 1));
	else
		monitor_set_ping(m);
}

static void
monitor_lose_engine(struct monitor *m, const char *how)
{
	int status = engine_process_end(&m->current.engine, 0);
	uint64_t served_ms = clock_ms() - m->current.engine.started_ms;

	m->ping_ms = 0;
	if (m->stopping)
		return; /* the loop ends the monitor */
	log_line(&m->setup.log, LOG_ERR,
	    "engine: %s (%s: %d): starting another in %u s, the sockets stay",
	    how, status < 0 ? strsignal(-status) : "status",
	    status < 0 ? -status : status,
	    monitor_plan_start(m, served_ms < MONITOR_YOUNG_MS));
}

static int
monitor_count_draining(const struct monitor *m)
{
	int count = 0;

	for (int i = 0; i < MONITOR_DRAINING; i++)
		count += m->draining[i].kill_ms != 0;
	return count;
}

static void
monitor_end_drained(struct monitor *m, struct generation *generation)
{
	int ended = generation->engine.pid != 0;

	generation_end(generation, ENDPOINT_REVOKE);
	if (ended)
		engine_process_sum(&m->current.engine, &m->setup.counters);
}

/* Makes a generation of the present configuration, which takes over from the
 * current one: at a start from that of another version, or from none.  Needs a
 * free place in draining.  Returns -1, or the status of the failure.  Sets text
 * to what has changed, and sends the engine before the answer. */
static int
monitor_replace(struct monitor *m, struct inherited *inherited, char *text,
    const char *answer)
{
	struct generation *before = m->draining, next;
	struct channel_drain drain;
	int status = generation_start(&next, &m->setup, inherited);

	if (status != -1)
		return status;
	table_take_over(
	    &next.table, &m->current.table, &drain, text, LOG_LINE_MAX);
	engine_process_tell(
	    &m->current.engine, EX_OK, answer, m->setup.log.copy);
	while (before->kill_ms != 0)
		before++;
	*before = m->current;
	m->current = next;
	m->young = 0;
	monitor_set_ping(m);
	generation_drain(before, &drain);
	return -1;
}

static int
monitor_reload(struct monitor *m, char *text)
{
	struct endpoint *e = m->current.table.endpoints;
	struct inherited inherited = {.items = NULL};

	for (uint32_t i = 0; i < m->current.table.endpoint_count; i++, e++)
		inherited_add(&inherited, fcntl(e->fd, F_DUPFD_CLOEXEC, 0), e);
	return monitor_replace(m, &inherited, text, text);
}

/* Reloads or upgrades, and sends the engine the result.  Waits while too many
 * engines drain: after an upgrade nothing would end them. */
static void
monitor_change(struct monitor *m, int upgrade)
{
	const char *what = upgrade ? "upgrade" : "reload";
	char text[LOG_LINE_MAX] = "nothing has changed";
	int status = EX_TEMPFAIL, draining = monitor_count_draining(m);
	struct log *log = &m->setup.log;

	if (!m->stopping && draining >= (upgrade ? 1 : MONITOR_DRAINING)) {
		if (!m->wanted[upgrade])
			log_line(log, LOG_NOTICE,
			    "%s: waits while %d engines drain", what, draining);
		m->wanted[upgrade] = 1;
		return;
	}
	m->wanted[upgrade] = 0;
	counters_end(&m->current.engine.sums); /* another one makes them */
	log->copy = memfd_create("brokerd-report", MFD_CLOEXEC);
	if (m->stopping)
		log_line(log, LOG_ERR, "brokerd is about to end");
	else
		status = upgrade ? upgrade_run(&m->setup, &m->current) :
				   monitor_reload(m, text);
	if (status != -1)
		engine_process_tell(&m->current.engine, status, "", log->copy);
	log->copy = fd_close(log->copy);
	log_line(
	    log, status == -1 ? LOG_NOTICE : LOG_ERR, "%s: %s", what, text);
}

/* Returns -1 if the engine has ended, or broke the rules (EPROTO), also by more
 * messages than any has a reason for, each of which could be a line in the log.
 * One that has begun to drain may have been asked for a reload before, while
 * another one was on, which read the configuration before a change of it. */
static int
monitor_receive(struct monitor *m, struct engine_process *engine)
{
	struct channel_message message;
	uint64_t now = clock_ms();
	int fd, got;

	errno = 0;
	got = channel_receive(engine->channel, 1, engine->phase, &message, &fd);
	if (got != 1)
		return got == -1 && errno == EAGAIN ? 0 : -1;
	engine->messages_ms = MONITOR_MESSAGE_MS +
	    (engine->messages_ms < now ? now : engine->messages_ms);
	errno = EPROTO;
	if (engine->messages_ms > now + MONITOR_BURST_MS)
		return -1;
	m->pinged &= engine != &m->current.engine;
	if (message.header.type == CHANNEL_SUMMED) {
		/* Engines that drain make no sums, see monitor_change(). */
		if (--engine->summing == 0 && engine->sums != NULL)
			counters_replace(&m->setup.counters, &engine->sums);
	} else if (message.header.type != CHANNEL_PONG) {
		engine->asked++;
		monitor_change(m, message.header.type == CHANNEL_UPGRADE);
	}
	return 0;
}

static void
monitor_stop(struct monitor *m)
{
	const struct channel_drain all = {.stop = 1,
	    .timeout_ms = m->current.table.settings->drain_timeout_s * 1000};

	if (m->stopping)
		m->status = EX_OK; /* at once */
	m->stopping = 1;
	m->start_ms = m->ping_ms = 0;
	generation_drain(&m->current, &all);
}

/* Children that have ended: engines, keepers, and any others if this is process
 * 1.  The channel of an engine tells of its end too, but only when its keeper
 * has closed it. */
static void
monitor_on_children(struct monitor *m)
{
	siginfo_t child = {.si_pid = 0};

	while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    child.si_pid != 0) {
		if (child.si_pid == m->current.engine.pid)
			monitor_lose_engine(m, "ended");
		for (int i = 0; i < MONITOR_DRAINING; i++)
			if (child.si_pid == m->draining[i].engine.pid)
				monitor_end_drained(m, &m->draining[i]);
		spawn_wait(child.si_pid, 0);
	}
}

static void
monitor_on_signal(struct monitor *m)
{
	struct signalfd_siginfo info;

	if (read(m->setup.signals, &info, sizeof(info)) != sizeof(info) ||
	    info.ssi_signo == SIGCHLD)
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

/* Does whatever is due. */
static void
monitor_on_time(struct monitor *m)
{
	uint64_t now = clock_ms();

	for (int i = 0; i < MONITOR_DRAINING; i++)
		if (m->draining[i].kill_ms != 0 &&
		    now >= m->draining[i].kill_ms)
			monitor_end_drained(m, &m->draining[i]);
	if (m->stopping &&
	    (now >= m->current.kill_ms ||
		(m->current.engine.pid == 0 && monitor_count_draining(m) == 0)))
		m->status = EX_OK;
	for (int upgrade = 0; upgrade < 2; upgrade++)
		if (m->wanted[upgrade])
			monitor_change(m, upgrade);
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
	channel_send(m->current.engine.channel, CHANNEL_PING, NULL, -1);
}

static int
monitor_left_ms(const struct monitor *m)
{
	const uint64_t due[] = {m->current.kill_ms, m->start_ms, m->ping_ms,
	    m->draining[0].kill_ms, m->draining[1].kill_ms,
	    m->draining[2].kill_ms, m->draining[3].kill_ms};
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++)
		if (due[i] != 0 && due[i] < next) /* 0 is never */
			next = due[i];
	return next == UINT64_MAX ? -1 : clock_left_ms(next);
}

static void
monitor_loop(struct monitor *m)
{
	struct pollfd fds[2 + MONITOR_DRAINING];

	while (m->status == -1) {
		fds[0] = (struct pollfd){m->setup.signals, POLLIN, 0};
		fds[1] = (struct pollfd){m->current.engine.channel, POLLIN, 0};
		for (int i = 0; i < MONITOR_DRAINING; i++)
			fds[2 + i] = (struct pollfd){
			    m->draining[i].engine.channel, POLLIN, 0};
		/* A failure is like EINTR: revents stay 0. */
		poll(fds, 2 + MONITOR_DRAINING, monitor_left_ms(m));
		for (int i = 0; i < MONITOR_DRAINING; i++)
			if (fds[2 + i].revents != 0 &&
			    monitor_receive(m, &m->draining[i].engine) == -1)
				m->draining[i].kill_ms = 1;
		if (fds[1].revents != 0 &&
		    monitor_receive(m, &m->current.engine) == -1)
			monitor_lose_engine(m,
			    errno == EPROTO ? "violated the protocol" :
					      "ended");
		if (fds[0].revents != 0)
			monitor_on_signal(m);
		monitor_on_children(m);
		monitor_on_time(m);
	}
}

int
monitor_main(int argc, char **argv)
{
	struct monitor m = {.current = {.engine = {.channel = -1}}};
	char text[LOG_LINE_MAX];

	for (int i = 0; i < MONITOR_DRAINING; i++)
		m.draining[i].engine.channel = -1;
	m.status = setup_init(&m.setup, argc, argv);
	if (m.status == -1) {
		if (m.setup.engine_pid != 0)
			m.current.engine =
			    (struct engine_process){.pid = m.setup.engine_pid,
				.channel = m.setup.engine_channel,
				.counters = m.setup.engine_counters,
				.phase = CHANNEL_SERVING,
				.asked = CHANNEL_ASKED_UPGRADE};
		m.status = monitor_replace(&m, &m.setup.inherited, text,
		    "this is " PACKAGE_STRING " now");
		adopt_done(&m.setup.adopt, m.status == -1);
	}
	if (m.status != -1) { /* an engine that serves goes on as an orphan */
		inherited_done(&m.setup.inherited);
		rundir_done(&m.setup.rundir);
		return m.status;
	}
	log_line(&m.setup.log, LOG_NOTICE, "serving, endpoints: %u",
	    m.current.table.bound);
	setup_ready(&m.setup);
	monitor_loop(&m);
	for (int i = 0; i < MONITOR_DRAINING; i++)
		generation_end(&m.draining[i], ENDPOINT_REVOKE);
	if (m.stopping)
		leftovers_remove(&m.setup.rundir, &m.current.table);
	/* A keeper need not wait for another engine. */
	channel_put(m.setup.returns, "", 1, -1);
	generation_end(&m.current, ENDPOINT_STOP);
	rundir_done(&m.setup.rundir);
	return m.status;
}
