/* SPDX-License-Identifier: ISC */
/*
 * The monitor's side of an engine.  Runs as root and does not trust the engine:
 * the channel's table has all messages that it may send, each wait has a
 * deadline, and an engine that breaks the rules or is late is killed.
 *
 * READY	only lets the monitor send START: an engine that is not ready
 *		harms only itself.
 * PONG		only keeps the monitor from killing the sender.
 * RELOAD, UPGRADE
 *		carry no data: the command line and the administrator's files
 *		decide what is read and executed.  An engine that sends one
 *		without need is replaced by another one, or drains and is killed
 *		in time.
 */
#include "monitor/engine_process.h"

#include "base/clock.h"
#include "base/fd.h"
#include "monitor/spawn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define ENGINE_PROCESS_LOAD_MS 10000 /* from its start to READY */

static int
engine_process_await(const struct engine_process *engine, short events)
{
	struct pollfd channel = {.fd = engine->channel, .events = events};
	uint64_t deadline_ms = engine->started_ms + ENGINE_PROCESS_LOAD_MS;

	if (poll(&channel, 1, clock_left_ms(deadline_ms)) == 1)
		return 0;
	errno = ETIMEDOUT;
	return -1;
}

static int
engine_process_put(struct engine_process *engine, enum channel_type type,
    struct channel_message *message, int fd)
{
	while (channel_send(engine->channel, type, message, fd) == -1)
		if (errno != EAGAIN ||
		    engine_process_await(engine, POLLOUT) == -1)
			return -1;
	return 0;
}

/* The sums come last. */
static int
engine_process_put_counters(
    struct engine_process *engine, struct counters *counters)
{
	struct counters_file *file = counters->files;
	uint64_t now = clock_ms();

	for (; file < &counters->files[COUNTERS_MAX]; file++) {
		if (file->ends_ms <= now)
			file->ends_ms = 0;
		if (file->fd != -1 && file->ends_ms != COUNTERS_NEW &&
		    engine_process_put(engine,
			file->ends_ms == 0 ? CHANNEL_COUNTERS_ENDED :
					     CHANNEL_COUNTERS_LIVE,
			NULL, file->fd) == -1)
			return -1;
	}
	return engine_process_put(
	    engine, CHANNEL_COUNTERS_SUMS, NULL, engine->sums->fd);
}

static int
engine_process_load(struct engine_process *engine, const struct table *table)
{
	struct channel_message message = {
	    .u.socket.count = table->endpoint_count};
	int fd = -1;

	for (uint32_t i = 0; i < table->endpoint_count; i++) {
		message.u.socket.index = i;
		message.u.socket.error = table->endpoints[i].error;
		fd = table->endpoints[i].fd;
		if (engine_process_put(engine,
			fd == -1 ? CHANNEL_UNBOUND : CHANNEL_SOCKET, &message,
			fd) == -1)
			return -1;
	}
	if (engine_process_await(engine, POLLIN) == -1)
		return -1;
	errno = EPIPE; /* for the end of the channel */
	if (channel_receive(engine->channel, 1, engine->phase, &message, &fd) !=
	    1)
		return -1;
	engine->phase = CHANNEL_LOADED; /* only READY was allowed */
	return 0;
}

static int
engine_process_fail(struct engine_process *engine, struct setup *setup)
{
	int status;

	log_line(&setup->log, LOG_ERR, "engine: did not get ready: %s",
	    strerror(errno));
	/* An engine that hung up (EPIPE, ECONNRESET) may be about to exit with
	 * a status; one that broke the rules is killed. */
	status = engine_process_end(engine,
	    errno == EPROTO ? 0 : engine->started_ms + ENGINE_PROCESS_LOAD_MS);
	return status == EX_NOPERM ? EX_NOPERM : EX_OSERR;
}

int
engine_process_start(struct engine_process *engine, struct setup *setup,
    const struct table *table)
{
	const char *argv[] = {"brokerd-engine", NULL};
	int ends[2] = {-1, -1}, returns[2] = {-1, -1};
	struct spawn spawn = {.program = setup->engine_program,
	    .argv = argv,
	    .fds = {[CHANNEL_RECORDS] = table->memory,
		-1,
		fd_reopen_writer(setup->log.fd), /* with flags of its own */
		[CHANNEL_FD] = -1,
		[CHANNEL_RETURNED] = setup->returns},
	    .uid = table->settings->engine_uid,
	    .gid = table->settings->engine_gid};

	*engine = (struct engine_process){
	    .channel = -1, .phase = CHANNEL_LOADING, .started_ms = clock_ms()};
	engine->counters = counters_new(&setup->counters);
	engine->sums = counters_new(&setup->counters);
	if (engine->counters != NULL && engine->sums != NULL &&
	    channel_pair(ends) == 0 && channel_pair(returns) == 0) {
		spawn.fds[CHANNEL_FD] = ends[1];
		spawn.fds[CHANNEL_MEMFD] = engine->counters->fd;
		spawn.fds[CHANNEL_RETURNS] = returns[0];
		engine->pid = spawn_start(&spawn, &setup->log);
	}
	engine->channel = ends[0];
	engine->returns = returns[1];
	fd_close(ends[1]);
	fd_close(returns[0]);
	fd_close(spawn.fds[2]);
	if (engine->pid <= 0 ||
	    engine_process_put_counters(engine, &setup->counters) == -1 ||
	    engine_process_load(engine, table) == -1)
		return engine_process_fail(engine, setup);
	return -1;
}

int
engine_process_serve(struct engine_process *engine, struct setup *setup)
{
	engine->phase = CHANNEL_SERVING;
	engine->started_ms = clock_ms();
	if (channel_send(engine->channel, CHANNEL_START, NULL, -1) == -1)
		return engine_process_fail(engine, setup);
	fd_close_limited(setup->returns); /* it has what the engine got */
	setup->returns = fd_steal(&engine->returns);
	engine->counters->ends_ms = COUNTERS_LIVES;
	counters_replace(&setup->counters, &engine->sums);
	return -1;
}

void
engine_process_tell(
    struct engine_process *engine, int status, const char *text, int report)
{
	struct channel_message message = {
	    .u.result = {.status = (uint32_t)status, .asked = engine->asked}};

	snprintf(message.u.result.text, CHANNEL_TEXT_SIZE, "%s", text);
	channel_send(engine->channel,
	    report == -1 ? CHANNEL_RESULT : CHANNEL_REPORT, &message, report);
}

void
engine_process_sum(struct engine_process *engine, struct counters *counters)
{
	counters_end(&engine->sums); /* it makes others instead */
	if (engine->pid != 0)
		engine->sums = counters_new(counters);
	if (engine->sums != NULL &&
	    engine_process_put_counters(engine, counters) == 0)
		engine->summing++;
}

int
engine_process_end(struct engine_process *engine, uint64_t deadline_ms)
{
	int status = 0;

	engine->channel = fd_close_limited(engine->channel);
	engine->returns = fd_close(engine->returns > 0 ? engine->returns : -1);
	if (engine->pid > 0)
		status = spawn_wait(engine->pid, deadline_ms);
	engine->pid = 0;
	counters_end(&engine->counters);
	counters_end(&engine->sums);
	return status;
}
