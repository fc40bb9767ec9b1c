/* SPDX-License-Identifier: ISC */
/*
 * A pool and its workers for tests.
 */
#include "crew.h"

#include "enginecore.h"
#include "net.h"
#include "sample.h"
#include "unit.h"

#include "base/fd.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CREW_WINDOW 32

static void
crew_on_change(struct pool_user *user)
{
	struct crew *crew =
	    (struct crew *)(void *)((char *)user - offsetof(struct crew, user));

	crew->changes++;
}

static void
crew_on_directory(void *argument, int id, int gone, const char *name)
{
	struct crew *crew = argument;

	if (id == crew->pool->finder.watch_id)
		finder_on_change(&crew->pool->finder, gone, name);
}

static struct worker *
crew_find(void *argument, const struct hello *hello, uid_t uid)
{
	struct crew *crew = argument;

	return pool_find_worker(crew->pool, hello, uid);
}

/* No monitor comes here. */
static int
crew_adopt(void *argument, const struct channel_adopt *adopt, uid_t uid, int fd)
{
	(void)argument;
	(void)adopt;
	(void)uid;
	(void)fd;
	return -1;
}

static void
crew_open_rendezvous(struct crew *crew)
{
	struct rendezvous_user user = {crew_find, crew_adopt, crew};
	struct record_endpoint record =
	    sample_unix(RECORD_UNIX_SEQPACKET, "/nowhere/socket");
	int fd = net_bind(unit_path("rendezvous"), SOCK_SEQPACKET);

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	snprintf(record.mailbox, sizeof(record.mailbox), "%s",
	    unit_path("rendezvous"));
	ck_assert_int_eq(
	    rendezvous_open(&crew->rendezvous, &crew->core, &record, fd, &user),
	    0);
	crew->core.rendezvous = &crew->rendezvous;
}

void
crew_init(struct crew *crew, unsigned int workers)
{
	*crew = (struct crew){.watch.fd = -1};
	for (int i = 0; i < CREW_MOST; i++)
		crew->mailboxes[i] = crew->links[i] = -1;
	TAILQ_INIT(&crew->pools);
	enginecore_init(&crew->core);
	enginecore_limit(&crew->core);
	unit_directory("pool", 0755);
	ck_assert_int_eq(
	    watch_open(&crew->watch, crew->core.base, crew_on_directory, crew),
	    0);
	crew_open_rendezvous(crew);
	crew->pool = pool_find(&crew->pools, &crew->core, &crew->watch,
	    unit_path("pool/"), geteuid());
	ck_assert_ptr_nonnull(crew->pool);
	crew->user.on_change = crew_on_change;
	pool_add_user(crew->pool, &crew->user);
	crew->endpoint = sample_inet(RECORD_TCP, "127.0.0.1", 80);
	crew->listener = net_listen(AF_INET);
	for (unsigned int i = 0; i < workers; i++)
		crew_open(crew, i);
	finder_scan(&crew->pool->finder);
	for (unsigned int i = 0; i < workers; i++)
		ck_assert_ptr_nonnull(crew_worker(crew, i));
}

void
crew_done(struct crew *crew)
{
	pool_free(crew->pool);
	rendezvous_close(&crew->rendezvous);
	watch_close(&crew->watch);
	enginecore_done(&crew->core);
	for (unsigned int i = 0; i < CREW_MOST; i++)
		crew_close(crew, i);
	for (size_t i = 0; i < crew->count; i++)
		close(crew->clients[i]);
	close(crew->listener);
}

const char *
crew_path(unsigned int which)
{
	char name[] = {'p', 'o', 'o', 'l', '/', (char)('a' + which), '\0'};

	return unit_path(name);
}

void
crew_open(struct crew *crew, unsigned int which)
{
	crew->mailboxes[which] = net_bind(crew_path(which), SOCK_DGRAM);
}

void
crew_close(struct crew *crew, unsigned int which)
{
	crew->mailboxes[which] = fd_close(crew->mailboxes[which]);
	crew->links[which] = fd_close(crew->links[which]);
}

struct worker *
crew_worker(const struct crew *crew, unsigned int which)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, &crew->pool->workers, entry)
		if (worker->name[0] == (char)('a' + which))
			return worker;
	return NULL;
}

int
crew_reach(void)
{
	int fd = net_reach(unit_path("rendezvous"), SOCK_SEQPACKET);

	ck_assert_int_ne(fd, -1);
	return fd;
}

void
crew_hello(struct crew *crew, unsigned int which, uint32_t weight)
{
	struct fdrecv_wire_hello hello =
	    letter_hello(crew_path(which), which + 1);
	struct worker *worker = crew_worker(crew, which);

	hello.weight = weight;
	crew->links[which] = crew_reach();
	letter_greet(crew->links[which], &hello, crew_path(which));
	while (worker->kind != WORKER_RECEIPTED)
		ck_assert_int_eq(
		    event_base_loop(crew->core.base, EVLOOP_ONCE), 0);
	worker->window.size = CREW_WINDOW;
}

void
crew_init_receipted(struct crew *crew, unsigned int workers)
{
	crew_init(crew, workers);
	for (unsigned int i = 0; i < workers; i++)
		crew_hello(crew, i, FDRECV_WIRE_WEIGHT);
	crew_settle(crew);
}

struct handoff *
crew_handoff(struct crew *crew)
{
	struct sockaddr_storage peer;
	struct handoff *handoff;
	socklen_t length = sizeof(peer);
	struct stat st;
	int server;

	ck_assert_uint_lt(crew->count, CREW_CONNECTIONS);
	crew->clients[crew->count] = net_connect(crew->listener);
	server = accept4(crew->listener, (struct sockaddr *)&peer, &length,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ne(server, -1);
	ck_assert_int_eq(fstat(server, &st), 0);
	crew->sockets[crew->count++] = st.st_ino;
	handoff =
	    handoff_new(&crew->endpoint, &crew->stats, server, &peer, length);
	ck_assert_ptr_nonnull(handoff);
	return handoff;
}

size_t
crew_put(struct crew *crew, size_t count)
{
	struct worker *worker;

	for (size_t i = 0; i < count; i++) {
		worker = route_pick(crew->pool, &crew->endpoint);
		if (worker == NULL)
			return i;
		route_put(crew->pool, worker, crew_handoff(crew));
	}
	return count;
}

/* Asserts that fd is the connection that digit names. */
static void
crew_is(const struct crew *crew, int fd, char digit)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_ge(digit, '0');
	ck_assert_uint_lt((size_t)(digit - '0'), crew->count);
	ck_assert_uint_eq(st.st_ino, crew->sockets[digit - '0']);
}

void
crew_expect(struct crew *crew, unsigned int which, const char *connections)
{
	static struct letter letter;

	letter_take(&letter, crew->mailboxes[which]);
	ck_assert_uint_eq(letter.count, strlen(connections));
	for (size_t i = 0; i < letter.count; i++)
		crew_is(crew, letter.fds[i], connections[i]);
	letter_close(&letter);
}

void
crew_holds(const struct crew *crew, const char *connections)
{
	const struct handoff *handoff;
	size_t count = 0;

	TAILQ_FOREACH (handoff, &crew->pool->held, entry)
		crew_is(crew, handoff->fd, connections[count++]);
	ck_assert_uint_eq(count, strlen(connections));
	ck_assert_uint_eq(crew->stats.held, count);
}

int
crew_is_closed(const struct crew *crew, size_t connection)
{
	return net_polls(crew->clients[connection], POLLRDHUP);
}

void
crew_await(struct crew *crew, int fd, short events)
{
	while (!net_polls(fd, events))
		ck_assert_int_eq(
		    event_base_loop(crew->core.base, EVLOOP_ONCE), 0);
}

void
crew_settle(struct crew *crew)
{
	/* Until nothing is active any more. */
	ck_assert_int_eq(event_base_loop(crew->core.base, EVLOOP_NONBLOCK), 0);
}
