/* SPDX-License-Identifier: ISC */
/*
 * Sockets that programs and earlier engines had, and may have left in any
 * state.  Engine, unprivileged.  A program that shuts down its lent socket in
 * order to end is to find it shut down, so the socket listens again only a
 * moment later: by then, threads that waited in accept(2) have returned.
 */
#include "engine/listener/upkeep.h"

#include "base/log.h"
#include "engine/handoff/socket_option.h"
#include "engine/handoff/stats.h"
#include "engine/listener/rebind.h"
#include "engine/listener/socket_queue.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

#define UPKEEP_GRACE_US 1000000

static void
upkeep_on_shut_down(evutil_socket_t fd, short what, void *argument)
{
	struct upkeep *upkeep = argument;

	(void)fd;
	(void)what;
	timer_set(&upkeep->look, UPKEEP_GRACE_US);
}

static void
upkeep_on_time(void *owner)
{
	struct upkeep *upkeep = owner;

	if (upkeep_look(upkeep, NULL))
		timer_add_event(upkeep->shut_down, NULL);
}

/* True if no client can find the socket by its name any more.  A directory
 * that this user may not search is assumed to be in order. */
static int
upkeep_has_lost_file(struct upkeep *upkeep)
{
	const char *path = record_path(upkeep->sock);
	struct stat st;

	if (path == NULL)
		return 0;
	if (lstat(path, &st) == -1)
		return errno == ENOENT || errno == ENOTDIR;
	if (upkeep->inode == 0) {
		upkeep->device = st.st_dev;
		upkeep->inode = st.st_ino;
	}
	return upkeep->device != st.st_dev || upkeep->inode != st.st_ino;
}

/* An abstract name cannot be bound while the dead socket is still open. */
static void
upkeep_die(struct upkeep *upkeep, const char *how)
{
	int can_bind = upkeep->sock->kind == RECORD_UDP ||
	    record_path(upkeep->sock) != NULL;

	if (!upkeep->is_dead)
		log_line(upkeep->log, LOG_ERR,
		    "%s%s: %s cannot be used any more (%s): %s", upkeep->role,
		    upkeep->name, upkeep->sock->name, how,
		    can_bind ?
			"a reload binds it anew; programs that have the old "
			"one must be started again" :
			"end the programs that have it, remove it from the "
			"configuration, reload, and add it again");
	upkeep->is_dead = 1;
	if (can_bind)
		rebind_ask(upkeep->rebind, !upkeep->is_started);
}

/* Where the sysctl cannot be read, the first look has to tell. */
static uint32_t
upkeep_backlog(const struct upkeep *upkeep, uint32_t limit)
{
	uint32_t most = upkeep->diag->backlog_most;

	return most == 0                 ? limit :
	    upkeep->sock->backlog < most ? upkeep->sock->backlog :
					   most;
}

/* True if a program has set another backlog with listen(2).  That call also
 * made it the SO_PEERCRED of clients, so this engine may take its place. */
static int
upkeep_put_backlog(struct upkeep *upkeep)
{
	struct socket_queue queue;

	if (upkeep->sock->kind != RECORD_UNIX_STREAM &&
	    upkeep->sock->kind != RECORD_UNIX_SEQPACKET)
		return 0;
	socket_queue_ask(upkeep->diag, upkeep->sock, upkeep->fd, &queue);
	if (!queue.is_known)
		return 0;
	if (upkeep->backlog == 0)
		upkeep->backlog = upkeep_backlog(upkeep, queue.limit);
	return queue.limit != upkeep->backlog &&
	    listen(upkeep->fd, (int)upkeep->sock->backlog) == 0;
}

/* A hostile engine may have closed it to descriptors, which connections
 * inherit. */
static int
upkeep_put_rights(const struct upkeep *upkeep)
{
	static const int on = 1;

	return upkeep->takes_rights &&
	    socket_option(upkeep->fd, SO_PASSRIGHTS) == 0 &&
	    setsockopt(
		upkeep->fd, SOL_SOCKET, SO_PASSRIGHTS, &on, sizeof(on)) == 0;
}

static void
upkeep_note(char *text, const char *what, enum repair_result *result)
{
	repair_note(text, what);
	*result = *result == REPAIR_RIGHT ? REPAIR_DONE : *result;
}

int
upkeep_look_for_file(struct upkeep *upkeep)
{
	if (upkeep->fd == -1 || !upkeep_has_lost_file(upkeep))
		return 1;
	upkeep_die(upkeep, "its file is gone or replaced");
	return 0;
}

int
upkeep_look(struct upkeep *upkeep, const struct repair_models *models)
{
	char text[REPAIR_TEXT_SIZE];
	enum repair_result result;

	if (upkeep->fd == -1)
		return 1; /* stopped */
	if (!upkeep_look_for_file(upkeep))
		return 0;
	result =
	    repair_socket(upkeep->sock, upkeep->lent, upkeep->fd, models, text);
	if (result == REPAIR_DEAD) {
		upkeep_die(upkeep, text);
		return 0;
	}
	if (upkeep_put_backlog(upkeep))
		upkeep_note(text, "its backlog", &result);
	if (models != NULL && upkeep_put_rights(upkeep))
		upkeep_note(text, "SO_PASSRIGHTS", &result);
	if (result == REPAIR_RIGHT)
		return 1;
	if (upkeep->stats != NULL)
		upkeep->stats->repaired++;
	log_line(upkeep->log, LOG_NOTICE, "%s%s: %s was left changed (%s): %s",
	    upkeep->role, upkeep->name, upkeep->sock->name, text,
	    result == REPAIR_DONE ?
		"it is as configured again" :
		"not all of this can be changed back while it is open");
	return 1;
}

void
upkeep_start(struct upkeep *upkeep, struct event_base *base,
    const struct repair_models *models)
{
	int usable = upkeep_look(upkeep, upkeep->lent ? NULL : models);

	upkeep->is_started = 1;
	if (!usable || !upkeep->lent || !record_has_connections(upkeep->sock))
		return;
	/* Neither happens to a socket that listens.  libevent reports EPOLLHUP
	 * without EPOLLRDHUP, as TCP has it, as both readable and writable. */
	upkeep->shut_down = event_new(base, upkeep->fd, EV_WRITE | EV_CLOSED,
	    upkeep_on_shut_down, upkeep);
	if (upkeep->shut_down != NULL &&
	    timer_init(&upkeep->look, base, upkeep_on_time, upkeep) == 0)
		timer_add_event(upkeep->shut_down, NULL);
}

void
upkeep_stop(struct upkeep *upkeep)
{
	timer_free_event(&upkeep->shut_down);
	timer_done(&upkeep->look);
	upkeep->fd = -1;
}
