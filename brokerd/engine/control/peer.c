/* SPDX-License-Identifier: ISC */
/*
 * One connection to the control socket.  Engine, unprivileged.  The peer may
 * be slow, silent or many: each has so long for its request, each user so many
 * connections, and beyond that they wait in the kernel.
 */
#include "engine/control/peer.h"

#include "engine/control/writer.h"

#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>

#define CONTROL_PEERS 32
#define CONTROL_PEERS_OF_A_USER 8 /* root and the starter may have all */

static int
peer_has_group(int fd, gid_t group)
{
	socklen_t size = 0;
	gid_t *groups;
	int found = 0;

	getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size); /* how many */
	groups = size == 0 ? NULL : malloc(size);
	if (groups != NULL &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
		for (size_t i = 0; i < size / sizeof(*groups); i++)
			found |= groups[i] == group;
	free(groups);
	return found;
}

static void
peer_look_who(struct peer *peer, int fd)
{
	const struct control *control = peer->control;
	struct ucred who;
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == -1)
		return; /* who cannot be told may do nothing */
	peer->uid = who.uid;
	if (who.uid == 0 ||
	    (control->owner != RECORD_NO_ID && who.uid == control->owner))
		peer->right = CONTROL_CHANGE;
	else if (control->group != RECORD_NO_ID &&
	    (who.gid == control->group || peer_has_group(fd, control->group)))
		peer->right = CONTROL_READ;
}

static int
peer_is_one_too_many(const struct peer *peer)
{
	const struct peer *other;
	size_t count = 0;

	TAILQ_FOREACH (other, &peer->control->peers, entry)
		count += other->uid == peer->uid;
	return peer->right != CONTROL_CHANGE && count > CONTROL_PEERS_OF_A_USER;
}

static void
peer_free(struct peer *peer)
{
	struct control *control = peer->control;

	TAILQ_REMOVE(&control->peers, peer, entry);
	control->peer_count--;
	control_set_accepting(control, 1);
	writer_free(peer->writer);
	event_free(peer->late);
	free(peer);
}

static void
peer_on_close(struct evhttp_connection *connection, void *argument)
{
	(void)connection;
	peer_free(argument);
}

/* evhttp tells of a connection only with its first request.  But it is the
 * argument of the buffer's callbacks, and as long as there is a reference to
 * the buffer, it can be asked for them; they are gone when evhttp has let go
 * of it.  0, or -1 and the peer is gone. */
static int
peer_meet(struct peer *peer)
{
	struct bufferevent *buffer = peer->buffer;
	void *connection = NULL;
	int fd = bufferevent_getfd(buffer);

	bufferevent_getcb(buffer, NULL, NULL, NULL, &connection);
	bufferevent_decref(buffer);
	if (connection == NULL) {
		peer_free(peer);
		return -1;
	}
	peer->connection = connection;
	evhttp_connection_set_closecb(peer->connection, peer_on_close, peer);
	peer_look_who(peer, fd);
	peer_allow(peer, PEER_S);
	return 0;
}

static void
peer_on_late(evutil_socket_t fd, short what, void *argument)
{
	struct peer *peer = argument;

	(void)fd;
	(void)what;
	if (peer->connection != NULL)
		peer_drop(peer);
	else if (peer_meet(peer) == 0 && peer_is_one_too_many(peer))
		peer_drop(peer);
}

struct bufferevent *
peer_new(struct event_base *base, void *argument)
{
	struct control *control = argument;
	struct peer *peer = calloc(1, sizeof(*peer));
	struct event *late =
	    peer == NULL ? NULL : evtimer_new(base, peer_on_late, peer);
	struct bufferevent *buffer = late == NULL ?
	    NULL :
	    bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	if (buffer == NULL) {
		if (late != NULL)
			event_free(late);
		free(peer);
		return NULL;
	}
	bufferevent_incref(buffer);
	*peer = (struct peer){.control = control,
	    .buffer = buffer,
	    .late = late,
	    .uid = (uid_t)-1};
	TAILQ_INSERT_TAIL(&control->peers, peer, entry);
	peer_allow(peer, 0);
	if (++control->peer_count >= CONTROL_PEERS)
		control_set_accepting(control, 0);
	return buffer;
}

struct peer *
peer_find(struct control *control, struct evhttp_connection *connection)
{
	struct bufferevent *buffer =
	    evhttp_connection_get_bufferevent(connection);
	struct peer *peer;

	TAILQ_FOREACH (peer, &control->peers, entry)
		if (peer->buffer == buffer)
			break;
	if (peer != NULL && peer->connection == NULL)
		peer_meet(peer);
	return peer;
}

void
peer_allow(struct peer *peer, unsigned int seconds)
{
	struct timeval delay = {.tv_sec = (time_t)seconds};

	event_add(peer->late, &delay);
}

void
peer_wait(struct peer *peer)
{
	event_del(peer->late);
}

void
peer_drop(struct peer *peer)
{
	if (peer->connection == NULL && peer_meet(peer) == -1)
		return;
	evhttp_connection_free(peer->connection);
}
