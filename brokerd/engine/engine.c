/* SPDX-License-Identifier: ISC */
/*
 * The engine: an event loop with a uid of its own and no privilege.  It gets
 * its whole table from the monitor, says READY, accepts from START on, and ends
 * after DRAIN; without a monitor it serves on for a time.  No state is saved.
 */
#include "engine/engine.h"

#include "base/fd.h"
#include "engine/control/control.h"
#include "engine/life/inheritance.h"
#include "engine/life/keeper.h"
#include "engine/life/notify.h"
#include "engine/life/orphan.h"
#include "engine/loop.h"
#include "engine/sandbox.h"
#include "engine/socket_table.h"
#include "engine/upstream.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct engine {
	struct event_base *base;
	struct log log;
	struct stats stats;
	struct bounded_close bounded;
	struct ledger ledger;
	struct keeper keeper;
	struct rendezvous rendezvous;
	struct notify notify;
	struct control control;
	struct socket_table table;
	struct upstream upstream;
	struct drain drain;
	struct orphan orphan;
	struct inheritance inheritance;
	int has_successor;
	int status;     /* to exit with; -1: not yet */
	char *done;     /* what a reload has done; the drain adds to it */
	uint32_t asked; /* requests it is the result of; all, if that is lost */
};

static void
engine_end(struct engine *engine, int status)
{
	engine->status = status;
	upstream_stop(&engine->upstream);
}

static struct worker *
engine_find_worker(void *owner, const struct hello *hello, uid_t uid)
{
	struct engine *engine = owner;

	return socket_table_find_worker(&engine->table, hello, uid);
}

static int
engine_on_adopt(
    void *owner, const struct channel_adopt *adopt, uid_t uid, int fd)
{
	struct engine *engine = owner;

	return orphan_on_adopt(
	    &engine->orphan, adopt, uid, fd, &engine->ledger);
}

static int
engine_describe(void *owner, const char *name)
{
	struct engine *engine = owner;

	/* The next engine may have other listeners. */
	return engine->drain.until_ms != 0 ?
	    -1 :
	    socket_table_describe(&engine->table, name);
}

static const struct rendezvous_callbacks engine_rendezvous_callbacks = {
    .find = engine_find_worker,
    .on_adopt = engine_on_adopt,
    .describe = engine_describe,
};

static void
engine_on_drain(void *owner, const struct channel_drain *how)
{
	struct engine *engine = owner;

	engine->has_successor = !how->stop;
	socket_table_stop(&engine->table, how);
	control_stop(&engine->control);
	stats_finish(&engine->stats);
}

static int
engine_is_busy(void *owner)
{
	struct engine *engine = owner;

	return socket_table_is_busy(&engine->table) ||
	    control_is_busy(&engine->control);
}

static void
engine_on_timeout(void *owner)
{
	struct engine *engine = owner;

	/* What waits goes to the next engine. */
	if (engine->has_successor && engine->keeper.process != -1 &&
	    socket_table_holds(&engine->table)) {
		engine_end(engine, EX_OK);
		return;
	}
	socket_table_give_up(&engine->table);
	control_close(&engine->control);
}

static void
engine_on_drained(void *owner)
{
	engine_end(owner, EX_OK);
}

static const struct drain_callbacks engine_drain_callbacks = {
    .on_start = engine_on_drain,
    .is_busy = engine_is_busy,
    .on_timeout = engine_on_timeout,
    .on_end = engine_on_drained,
};

/* Takes fd. */
static int
engine_add(struct engine *engine, const struct channel_socket *sock,
    struct record *record, int fd)
{
	const struct record_rendezvous *rendezvous = &record->u.rendezvous;

	if (record->type == RECORD_ENDPOINT)
		return socket_table_add(
		    &engine->table, &record->u.endpoint, fd, (int)sock->error);
	if (fd != -1)
		socket_table_note_own(&engine->table, &record->u.socket, fd);
	if (record->type == RECORD_CONTROL && fd != -1 &&
	    engine->control.accepting == NULL)
		return control_open(&engine->control, &record->u.control, fd);
	if (record->type == RECORD_RENDEZVOUS && fd != -1 &&
	    engine->rendezvous.path[0] == '\0') {
		engine->orphan.timeout_s = rendezvous->orphan_timeout_s;
		ledger_note_rendezvous(
		    &engine->ledger, fd, rendezvous->orphan_timeout_s);
		return rendezvous_open(
		    &engine->rendezvous, record_path(&rendezvous->socket), fd);
	}
	fd_close(fd);
	errno = EPROTO;
	return -1;
}

/* fd is -1 for a socket that is not bound. */
static void
engine_on_socket(
    struct engine *engine, const struct channel_socket *sock, int fd)
{
	struct record *record =
	    records_find_socket(&engine->table.records, sock->index);
	int added = -1;

	if (record != NULL &&
	    (engine->table.count > 0 ||
		stats_reserve(&engine->stats, sock->count) == 0) &&
	    socket_table_note(&engine->table, sock->index, fd) == 0)
		added = engine_add(engine, sock, record, fd);
	else
		fd_close(fd);
	if (added == -1) {
		log_line(&engine->log, LOG_ERR,
		    "cannot take socket %u of its table: %s", sock->index,
		    strerror(errno));
		engine_end(engine, EX_OSERR);
	} else if (engine->table.count == sock->count &&
	    (inheritance_load(&engine->inheritance) == -1 ||
		upstream_ready(&engine->upstream) == -1)) {
		engine_end(engine, EX_OSERR);
	}
}

static void
engine_on_result(
    struct engine *engine, const struct channel_result *result, int fd)
{
	char *text = upstream_text(fd, result->text);
	const char *told =
	    text != NULL && text[0] != '\0' ? text : "see the log of brokerd";

	if (result->status == 0) { /* DRAIN follows */
		free(engine->done);
		engine->done = text;
		engine->asked = result->asked;
		return;
	}
	notify_reload_failed(&engine->notify, told);
	control_on_result(
	    &engine->control, result->asked, (int)result->status, told);
	free(text);
}

/* The lines that are logged here are also in the answer to the request for a
 * reload. */
static void
engine_start_drain(struct engine *engine, const struct channel_drain *how)
{
	int lines = upstream_lines();
	char *text;

	notify_draining(&engine->notify, &engine->table.listeners, how);
	engine->log.copy = lines;
	drain_start(&engine->drain, how);
	engine->log.copy = -1;
	text = upstream_text(lines, engine->done == NULL ? "" : engine->done);
	if (!how->stop)
		control_on_result(&engine->control, engine->asked, EX_OK,
		    text == NULL ? "see the log of brokerd" : text);
	free(text);
}

static void
engine_on_message(void *owner, const struct channel_message *message, int fd)
{
	struct engine *engine = owner;

	switch ((enum channel_type)message->header.type) {
	case CHANNEL_SOCKET:
	case CHANNEL_UNBOUND:
		engine_on_socket(engine, &message->u.socket, fd);
		return;
	case CHANNEL_COUNTERS_ENDED:
	case CHANNEL_COUNTERS_LIVE:
	case CHANNEL_COUNTERS_SUMS:
		if (inheritance_on_counters(&engine->inheritance,
			message->header.type, engine->upstream.phase, fd) == -1)
			engine_end(engine, EX_OSERR);
		return;
	case CHANNEL_START:
		ledger_serve(&engine->ledger);
		inheritance_start(&engine->inheritance);
		socket_table_start(&engine->table);
		notify_serving(&engine->notify, &engine->table.listeners);
		control_start(&engine->control);
		return;
	case CHANNEL_DRAIN:
		engine_start_drain(engine, &message->u.drain);
		return;
	case CHANNEL_PING:
		notify_watchdog(&engine->notify);
		return;
	case CHANNEL_RESULT:
	case CHANNEL_REPORT:
		engine_on_result(engine, &message->u.result, fd);
		return;
	case CHANNEL_READY: /* upward only: channel_receive() refuses them */
	case CHANNEL_PONG:
	case CHANNEL_RELOAD:
	case CHANNEL_UPGRADE:
	case CHANNEL_SUMMED:
		return;
	}
}

/* The monitor has died, or has given up an engine that it only tried. */
static void
engine_on_end(void *owner, int error)
{
	struct engine *engine = owner;

	if (error != 0) {
		log_line(&engine->log, LOG_ERR, "channel: %s", strerror(error));
		engine_end(engine, EX_PROTOCOL);
		return;
	}
	/* A drain closes the sockets that wait to be sent to the manager. */
	notify_forget(&engine->notify);
	control_on_end(&engine->control);
	if (engine->upstream.phase == CHANNEL_SERVING)
		control_set_orphan(&engine->control,
		    orphan_start(&engine->orphan, &engine->ledger));
	else if (engine->upstream.phase != CHANNEL_DRAINING)
		engine_end(engine, EX_OK);
}

static const struct upstream_callbacks engine_upstream_callbacks = {
    .on_message = engine_on_message,
    .on_end = engine_on_end,
};

static const struct inheritance_callbacks engine_inheritance_callbacks = {
    .on_said = socket_table_on_said,
};

static int
engine_open(struct engine *engine)
{
	struct event_base *base = engine->base;

	if (stats_open(&engine->stats, CHANNEL_MEMFD, &engine->log) == -1 ||
	    bounded_close_init(&engine->bounded, base, &engine->ledger) == -1 ||
	    keeper_watch(&engine->keeper, base, rebind_on_keeper_end,
		&engine->table.rebind) == -1 ||
	    socket_table_open(&engine->table, base, &engine->log,
		&engine->stats, &engine->stats.page->persistent,
		&engine->bounded, &engine->rendezvous) == -1)
		return -1;
	control_init(&engine->control,
	    &(struct control_context){.base = base,
		.log = &engine->log,
		.stats = &engine->stats,
		.listeners = &engine->table.listeners,
		.pools = &engine->table.pools,
		.rendezvous = &engine->rendezvous,
		.returns = &engine->table.returns,
		.quotas = &engine->table.quotas,
		.epoch = engine->table.worker_context.epoch,
		.keeper = engine->keeper.pid,
		.requests = &engine->table.requests});
	if (notify_start(&engine->notify, base) == -1 ||
	    drain_init(&engine->drain, base, &engine_drain_callbacks, engine) ==
		-1 ||
	    orphan_init(&engine->orphan, base, &engine->log, &engine->drain) ==
		-1 ||
	    inheritance_init(&engine->inheritance, base, &engine->stats,
		&engine->ledger, &engine->log, &engine_inheritance_callbacks,
		engine) == -1)
		return -1;
	return upstream_start(&engine->upstream, base, CHANNEL_FD,
	    &engine->bounded, &engine_upstream_callbacks, engine);
}

static void
engine_close(struct engine *engine)
{
	ledger_end(&engine->ledger);
	socket_table_done(&engine->table);
	control_close(&engine->control);
	rendezvous_close(&engine->rendezvous);
	notify_close(&engine->notify);
	upstream_stop(&engine->upstream);
	drain_done(&engine->drain);
	orphan_done(&engine->orphan);
	inheritance_done(&engine->inheritance);
	stats_close(&engine->stats);
	free(engine->done);
	bounded_close_done(&engine->bounded);
	keeper_done(&engine->keeper);
	loop_free(engine->base);
	ledger_close(&engine->ledger);
}

int
engine_main(const char *manager)
{
	struct engine engine = {.status = -1, .asked = UINT32_MAX - 1};
	const char *wrong;

	log_init(&engine.log, "engine", STDERR_FILENO);
	ledger_open(&engine.ledger);
	/* The memory of the keeper is what the engine has at this time. */
	keeper_start(
	    &engine.keeper, &engine.ledger, &engine.log, sandbox_enter_keeper);
	socket_table_init(&engine.table);
	rendezvous_init(&engine.rendezvous, &engine.table.worker_context,
	    &engine_rendezvous_callbacks, &engine);
	engine.base = loop_new(); /* all this before the sandbox is entered */
	wrong = engine.base == NULL ?
	    strerror(errno) :
	    records_map(&engine.table.records, CHANNEL_RECORDS);
	notify_open(&engine.notify, manager, &engine.log);
	socket_table_open_netlink(&engine.table);
	if (wrong == NULL &&
	    (sandbox_enter_engine(&engine.table.records, &engine.log) == -1 ||
		engine_open(&engine) == -1))
		wrong = strerror(errno);
	if (wrong == NULL)
		loop_run(engine.base, &engine.log, &engine.table.load,
		    &engine.table.worker_context.rings, &engine.status);
	else
		log_line(&engine.log, LOG_ERR, "cannot start: %s", wrong);
	if (engine.status == -1)
		engine.status = EX_OSERR;
	/* The keeper returns what it has, as if it had been killed. */
	if (engine.keeper.process != -1 &&
	    (engine.status != EX_OK || socket_table_holds(&engine.table) ||
		returns_is_busy(&engine.table.returns)))
		_exit(engine.status);
	engine_close(&engine);
	return engine.status;
}
