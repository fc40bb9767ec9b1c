/* SPDX-License-Identifier: ISC */
/*
 * The engine: an event loop with a uid of its own and no privilege.  Gets its
 * whole table from the monitor, says READY, accepts from START on, and ends
 * after DRAIN; without a monitor it serves on for a time.  Has no state worth
 * saving.
 */
#include "engine/engine.h"

#include "base/fd.h"
#include "base/role.h"
#include "channel/channel.h"
#include "engine/life/notifier.h"
#include "engine/life/orphan.h"
#include "engine/loop.h"
#include "engine/sandbox.h"
#include "engine/worker/rendezvous.h"

#include <sys/random.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct engine {
	struct core core;
	struct watch watch;
	struct rendezvous rendezvous;
	struct notifier notifier;
	struct control control;
	struct pool_list pools;
	struct listener_list listeners;
	struct event *channel;
	struct drain drain;
	struct orphan orphan;
	enum channel_phase phase;
	int status;
};

static void
engine_end(struct engine *engine, int status)
{
	engine->status = status;
	event_base_loopbreak(engine->core.base);
}

/* The worker that a HELLO speaks of, whichever pool it is in. */
static struct worker *
engine_find_worker(void *argument, const struct hello *hello, uid_t uid)
{
	struct engine *engine = argument;
	struct worker *worker = NULL;
	struct pool *pool;

	TAILQ_FOREACH (pool, &engine->pools, entry) {
		worker = pool_find_worker(pool, hello, uid);
		if (worker != NULL)
			break;
	}
	return worker;
}

static int
engine_on_adopt(
    void *argument, const struct channel_adopt *adopt, uid_t uid, int fd)
{
	struct engine *engine = argument;

	return orphan_on_adopt(&engine->orphan, adopt, uid, fd);
}

/* Takes fd. */
static int
engine_add_rendezvous(
    struct engine *engine, const struct record_endpoint *record, int fd)
{
	struct rendezvous_user user = {
	    engine_find_worker, engine_on_adopt, engine};

	if (engine->core.rendezvous != NULL) {
		fd_close(fd);
		errno = EPROTO;
		return -1;
	}
	engine->core.rendezvous = &engine->rendezvous;
	engine->orphan.timeout_s = record->give_up_s;
	return rendezvous_open(
	    &engine->rendezvous, &engine->core, record, fd, &user);
}

/* What the monitor is to do. */
static int
engine_ask(void *argument, enum control_ask what)
{
	(void)argument;
	return channel_send(CHANNEL_FD,
	    what == CONTROL_RELOAD ? CHANNEL_RELOAD : CHANNEL_UPGRADE, NULL,
	    -1);
}

/* Takes fd. */
static int
engine_add_control(
    struct engine *engine, const struct record_endpoint *record, int fd)
{
	if (engine->control.core != NULL) {
		fd_close(fd);
		errno = EPROTO;
		return -1;
	}
	engine->control.core = &engine->core;
	engine->control.pools = &engine->pools;
	engine->control.listeners = &engine->listeners;
	engine->control.user = (struct control_user){engine_ask, engine};
	return control_open(&engine->control, record, fd);
}

/* Takes fd. */
static int
engine_add(struct engine *engine, const struct record_endpoint *record, int fd)
{
	struct listener *listener =
	    listener_find(&engine->listeners, record->listener);
	struct pool *pool;

	if (record_check(record) != NULL) {
		errno = EPROTO;
	} else if (record->flags & RECORD_RENDEZVOUS) {
		return engine_add_rendezvous(engine, record, fd);
	} else if (record->flags & RECORD_CONTROL) {
		return engine_add_control(engine, record, fd);
	} else if (listener == NULL) {
		pool = pool_find(&engine->pools, &engine->core, &engine->watch,
		    record->mailbox, record->owner);
		if (pool != NULL)
			listener =
			    listener_new(&engine->core, pool, record->listener);
		if (listener != NULL)
			TAILQ_INSERT_TAIL(&engine->listeners, listener, entry);
	}
	if (listener != NULL &&
	    listener_add(listener, record, engine->orphan.count - 1, fd) == 0)
		return 0;
	fd_close(fd);
	return -1;
}

static void
engine_on_endpoint(
    struct engine *engine, struct channel_message *message, int fd)
{
	if (message->u.endpoint.index != engine->orphan.count ||
	    orphan_add(&engine->orphan, fd) == -1) {
		fd = fd_close(fd);
		errno = EPROTO;
	}
	if (fd == -1 ||
	    engine_add(engine, &message->u.endpoint.record, fd) == -1) {
		log_line(&engine->core.log, LOG_ERR, "cannot take %s: %s",
		    message->u.endpoint.record.name, strerror(errno));
		engine_end(engine, EX_OSERR);
		return;
	}
	if (engine->orphan.count < message->u.endpoint.count)
		return;
	engine->phase = CHANNEL_LOADED;
	if (channel_send(CHANNEL_FD, CHANNEL_READY, NULL, -1) == -1)
		engine_end(engine, EX_OSERR);
}

static void
engine_start(struct engine *engine)
{
	struct listener *listener;
	struct pool *pool;

	engine->phase = CHANNEL_SERVING;
	TAILQ_FOREACH (pool, &engine->pools, entry)
		finder_scan(&pool->finder);
	TAILQ_FOREACH (listener, &engine->listeners, entry)
		listener_start(listener);
	notifier_serving(&engine->notifier, &engine->listeners);
	control_start(&engine->control);
}

static void
engine_on_result(struct engine *engine, struct channel_result *result)
{
	result->text[CHANNEL_TEXT_SIZE - 1] = '\0';
	if (result->status != 0)
		notify_reload_failed(&engine->notifier.notify, result->text);
	control_on_result(&engine->control, (int)result->status, result->text);
}

static void
engine_on_message(
    struct engine *engine, struct channel_message *message, int fd)
{
	switch ((enum channel_type)message->header.type) {
	case CHANNEL_ENDPOINT:
		engine_on_endpoint(engine, message, fd);
		return;
	case CHANNEL_START:
		engine_start(engine);
		return;
	case CHANNEL_DRAIN:
		engine->phase = CHANNEL_DRAINING;
		notifier_leaving(
		    &engine->notifier, &engine->listeners, &message->u.drain);
		drain_start(&engine->drain, &message->u.drain);
		return;
	case CHANNEL_PING:
		channel_send(CHANNEL_FD, CHANNEL_PONG, NULL, -1);
		notify_watchdog(&engine->notifier.notify);
		return;
	case CHANNEL_RESULT:
		engine_on_result(engine, &message->u.result);
		return;
	case CHANNEL_READY: /* upward only: the channel's table saw to it */
	case CHANNEL_PONG:
	case CHANNEL_RELOAD:
	case CHANNEL_UPGRADE:
		return;
	}
}

/* The monitor has died, or was never meant to go on. */
static void
engine_on_end(struct engine *engine)
{
	event_del(engine->channel);
	/* An orphan's drain closes what waits to be stored. */
	notify_forget(&engine->notifier.notify);
	control_on_result(&engine->control, EX_TEMPFAIL,
	    "brokerd itself has ended: whether it was done is not known");
	if (engine->phase == CHANNEL_SERVING)
		orphan_start(&engine->orphan, &engine->drain);
	else if (engine->phase != CHANNEL_DRAINING)
		engine_end(engine, EX_OK); /* it was a trial */
}

static void
engine_on_channel(evutil_socket_t channel, short what, void *argument)
{
	struct engine *engine = argument;
	struct channel_message message;
	int fd = -1, got = 1;

	(void)what;
	while (engine->status == -1 && got == 1) {
		got = channel_receive(channel, 0, engine->phase, &message, &fd);
		if (got == 1)
			engine_on_message(engine, &message, fd);
	}
	bounded_close_stop(&engine->core.bounded); /* receiving lifted it */
	if (engine->status != -1 || (got == -1 && errno == EAGAIN))
		return;
	/* Reset: it died with something unread. */
	if (got == 0 || errno == ECONNRESET) {
		engine_on_end(engine);
		return;
	}
	log_line(&engine->core.log, LOG_ERR, "channel: %s", strerror(errno));
	engine_end(engine, EX_PROTOCOL);
}

static void
engine_on_directory(void *argument, int id, int gone, const char *name)
{
	struct engine *engine = argument;
	struct pool *pool;

	if (engine->phase == CHANNEL_LOADING || engine->phase == CHANNEL_LOADED)
		return; /* START looks at everything */
	TAILQ_FOREACH (pool, &engine->pools, entry) {
		if (id == WATCH_ALL)
			finder_scan(&pool->finder);
		else if (pool->finder.watch_id == id)
			finder_on_change(&pool->finder, gone, name);
	}
}

static int
engine_open(struct engine *engine)
{
	TAILQ_INIT(&engine->pools);
	TAILQ_INIT(&engine->listeners);
	if (getrandom(&engine->core.epoch, sizeof(engine->core.epoch), 0) !=
		sizeof(engine->core.epoch) ||
	    (engine->core.base = loop_new()) == NULL ||
	    stats_open(&engine->core.stats, CHANNEL_MEMFD) == -1 ||
	    watch_open(&engine->watch, engine->core.base, engine_on_directory,
		engine) == -1)
		return -1;
	fd_reserve_init(&engine->core.spare);
	if (bounded_close_init(&engine->core.bounded, engine->core.base) == -1)
		return -1;
	refusals_init(
	    &engine->core.refusals, engine->core.base, &engine->core.bounded);
	if (notifier_open(&engine->notifier, engine->core.base) == -1)
		return -1;
	engine->channel = event_new(engine->core.base, CHANNEL_FD,
	    EV_READ | EV_PERSIST, engine_on_channel, engine);
	if (engine->channel == NULL || event_add(engine->channel, NULL) == -1)
		return -1;
	return drain_init(&engine->drain, &engine->core, &engine->listeners,
	    &engine->pools, &engine->control, &engine->status);
}

static void
engine_close(struct engine *engine)
{
	struct listener *listener;
	struct pool *pool;

	while ((listener = TAILQ_FIRST(&engine->listeners)) != NULL) {
		TAILQ_REMOVE(&engine->listeners, listener, entry);
		listener_free(listener);
	}
	while ((pool = TAILQ_FIRST(&engine->pools)) != NULL) {
		TAILQ_REMOVE(&engine->pools, pool, entry);
		pool_free(pool);
	}
	if (engine->core.refusals.base != NULL)
		refusals_done(&engine->core.refusals);
	control_close(&engine->control);
	if (engine->core.rendezvous != NULL)
		rendezvous_close(&engine->rendezvous);
	watch_close(&engine->watch);
	notifier_close(&engine->notifier);
	if (engine->channel != NULL)
		event_free(engine->channel);
	drain_done(&engine->drain);
	orphan_done(&engine->orphan);
	stats_close(&engine->core.stats);
	bounded_close_done(&engine->core.bounded);
	if (engine->core.base != NULL)
		event_base_free(engine->core.base);
}

int
engine_main(void)
{
	struct engine engine = {
	    .phase = CHANNEL_LOADING, .watch = {.fd = -1}, .status = -1};

	log_init(&engine.core.log, "engine", STDERR_FILENO);
	notifier_connect(&engine.notifier, &engine.core.log);
	if (role_settle("brokerd-engine") == -1 || sandbox_enter() == -1 ||
	    engine_open(&engine) == -1) {
		log_line(&engine.core.log, LOG_ERR, "cannot start: %s",
		    strerror(errno));
		engine.status = EX_OSERR;
	} else {
		loop_run(&engine.core, &engine.status);
	}
	engine_close(&engine);
	return engine.status == -1 ? EX_SOFTWARE : engine.status;
}
