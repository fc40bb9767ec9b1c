/* SPDX-License-Identifier: ISC */
/*
 * One connection to the control socket.  Engine, unprivileged.  A peer may be
 * slow or silent, so the time for its request and for reading the answer is
 * limited, and so is the number of connections of one user.
 */
#include "engine/control/peer.h"

#include "engine/control/report.h"

#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdlib.h>

#define PEER_LIMIT_US 5000000
/* But root and the administrator may have all: */
#define PEER_OF_A_USER 8
#define PEER_OF_USERS 24

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

/* A peer whose credentials cannot be read may do nothing. */
static void
peer_set_right(struct peer *peer, int fd)
{
	const struct peer_list *list = peer->list;
	struct ucred who;
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == -1)
		return;
	peer->uid = who.uid;
	if (who.uid == 0 ||
	    (list->administrator != RECORD_NO_ID &&
		who.uid == list->administrator))
		peer->right = PEER_CHANGE;
	else if (list->group != RECORD_NO_ID &&
	    (who.gid == list->group || peer_has_group(fd, list->group)))
		peer->right = PEER_READ;
}

static int
peer_is_one_too_many(const struct peer *peer)
{
	const struct peer *other;
	size_t own = 0, all = 0;

	TAILQ_FOREACH (other, &peer->list->peers, entry) {
		own += other->uid == peer->uid;
		all += other->connection != NULL && other->right != PEER_CHANGE;
	}
	return peer->right != PEER_CHANGE &&
	    (own > PEER_OF_A_USER || all > PEER_OF_USERS);
}

static void
peer_free(struct peer *peer)
{
	struct peer_list *list = peer->list;

	TAILQ_REMOVE(&list->peers, peer, entry);
	list->count--;
	list->on_removed(list->owner);
	report_free(peer->report);
	timer_done(&peer->limit);
	free(peer);
}

static void
peer_on_close(struct evhttp_connection *connection, void *peer)
{
	(void)connection;
	peer_free(peer);
}

/* evhttp shows a connection with its first request, but a peer that sends none
 * must be dropped too.  The connection is the argument of the callbacks of the
 * buffer, which can be read as long as the buffer is referenced; they are NULL
 * when evhttp has freed the connection.  0, or -1 and the peer was freed. */
static int
peer_find_connection(struct peer *peer)
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
	peer_set_right(peer, fd);
	timer_set(&peer->limit, PEER_LIMIT_US);
	return 0;
}

/* Comes at once for a new peer, and later if it was too slow. */
static void
peer_on_limit(void *owner)
{
	struct peer *peer = owner;

	if (peer->connection != NULL)
		peer_drop(peer);
	else if (peer_find_connection(peer) == 0 && peer_is_one_too_many(peer))
		peer_drop(peer);
}

struct bufferevent *
peer_new(struct peer_list *list, struct event_base *base)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL ||
	    timer_init(&peer->limit, base, peer_on_limit, peer) == -1 ||
	    (peer->buffer = bufferevent_socket_new(
		 base, -1, BEV_OPT_CLOSE_ON_FREE)) == NULL) {
		if (peer != NULL)
			timer_done(&peer->limit);
		free(peer);
		return NULL;
	}
	bufferevent_incref(peer->buffer);
	peer->list = list;
	peer->uid = (uid_t)-1;
	TAILQ_INSERT_TAIL(&list->peers, peer, entry);
	list->count++;
	timer_set(&peer->limit, 0);
	return peer->buffer;
}

struct peer *
peer_find(struct peer_list *list, struct evhttp_connection *connection)
{
	struct bufferevent *buffer =
	    evhttp_connection_get_bufferevent(connection);
	struct peer *peer;

	TAILQ_FOREACH (peer, &list->peers, entry)
		if (peer->buffer == buffer)
			break;
	if (peer != NULL && peer->connection == NULL &&
	    peer_find_connection(peer) == -1)
		return NULL;
	return peer;
}

struct peer *
peer_find_state(struct peer_list *list, enum peer_state state)
{
	struct peer *peer;

	TAILQ_FOREACH (peer, &list->peers, entry)
		if (peer->state == state)
			break;
	return peer;
}

void
peer_set_state(struct peer *peer, enum peer_state state)
{
	peer->state = state;
	if (state == PEER_WAITING || state == PEER_JOINING ||
	    state == PEER_WRITING)
		timer_stop(&peer->limit);
	else
		timer_set(&peer->limit, PEER_LIMIT_US);
}

void
peer_drop(struct peer *peer)
{
	if (peer->connection != NULL || peer_find_connection(peer) == 0)
		evhttp_connection_free(peer->connection);
}
