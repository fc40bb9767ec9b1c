/* SPDX-License-Identifier: ISC */
/*
 * A worker of an engine for tests.  The connections are local sockets: only
 * their way is looked at.
 */
#include "desk.h"

#include "enginecore.h"
#include "net.h"
#include "sample.h"
#include "unit.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <poll.h>
#include <unistd.h>

static void
desk_on_room(struct worker *worker, void *argument)
{
	struct desk *desk = argument;

	ck_assert_ptr_eq(worker, desk->worker);
	desk->rooms++;
}

static void
desk_on_return(struct worker *worker, struct handoff *handoff, void *argument)
{
	struct desk *desk = argument;

	ck_assert_ptr_eq(worker, desk->worker);
	TAILQ_INSERT_TAIL(&desk->returned, handoff, entry);
	desk->returns++;
}

static void
desk_on_death(struct worker *worker, void *argument)
{
	struct desk *desk = argument;

	worker_free(worker);
	desk->worker = NULL;
	desk->deaths++;
}

static const struct worker_user desk_user = {
    desk_on_room, desk_on_return, desk_on_death};

void
desk_init(struct desk *desk, enum worker_kind kind)
{
	struct mailbox mailbox;

	*desk = (struct desk){.count = 0};
	TAILQ_INIT(&desk->returned);
	enginecore_init(&desk->core);
	enginecore_limit(&desk->core);
	desk->endpoint = sample_inet(RECORD_TCP, "127.0.0.1", 80);
	desk->mailbox = net_bind(unit_path("box"), SOCK_DGRAM);
	ck_assert_int_eq(
	    mailbox_look(unit_path("box"), geteuid(), &mailbox), 0);
	ck_assert_int_eq(mailbox_connect(&mailbox), 0);
	desk->worker =
	    worker_new(&desk->core, "box", &mailbox, &desk_user, desk);
	ck_assert_ptr_nonnull(desk->worker);
	ck_assert_int_eq(mailbox.fd, -1);
	desk->worker->kind = kind;
	share_init(&desk->worker->share, FDRECV_WIRE_WEIGHT, 0);
	desk->worker->window.size = desk->endpoint.window;
}

void
desk_done(struct desk *desk)
{
	struct handoff *handoff;

	if (desk->worker != NULL)
		worker_free(desk->worker);
	while ((handoff = TAILQ_FIRST(&desk->returned)) != NULL) {
		TAILQ_REMOVE(&desk->returned, handoff, entry);
		handoff_free(handoff);
	}
	letter_close(&desk->letter);
	if (desk->mailbox != -1)
		close(desk->mailbox);
	for (size_t i = 0; i < desk->count; i++)
		close(desk->clients[i]);
	enginecore_done(&desk->core);
}

void
desk_put(struct desk *desk, size_t count)
{
	struct handoff *handoff;
	struct stat st;
	int ends[2];

	for (; count > 0; count--) {
		ck_assert_uint_lt(desk->count, DESK_MOST);
		ck_assert_int_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
		    0);
		ck_assert_int_eq(fstat(ends[0], &st), 0);
		desk->sockets[desk->count] = st.st_ino;
		desk->clients[desk->count++] = ends[1];
		handoff = handoff_new(&desk->endpoint, &desk->stats, ends[0],
		    &desk->endpoint.address, desk->endpoint.address_length);
		ck_assert_ptr_nonnull(handoff);
		worker_put(desk->worker, handoff);
	}
}

void
desk_send(struct desk *desk, size_t count)
{
	desk_put(desk, count);
	ck_assert_int_eq(worker_send(desk->worker), 0);
}

size_t
desk_which(const struct desk *desk, int fd)
{
	struct stat st;
	size_t i = 0;

	ck_assert_int_eq(fstat(fd, &st), 0);
	while (i < desk->count && desk->sockets[i] != st.st_ino)
		i++;
	ck_assert_uint_lt(i, desk->count);
	return i;
}

void
desk_expect(struct desk *desk, size_t first, size_t count)
{
	letter_close(&desk->letter);
	letter_take(&desk->letter, desk->mailbox);
	ck_assert_int_ne(desk->letter.size, -1);
	ck_assert_uint_eq(desk->letter.count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(
		    desk_which(desk, desk->letter.fds[i]), first + i);
	letter_close(&desk->letter);
}

int
desk_is_closed(const struct desk *desk, size_t which)
{
	return net_polls(desk->clients[which], POLLHUP);
}

void
desk_has(const struct desk *desk, const char *pattern)
{
	unsigned int left = 0;

	for (size_t i = 0; i < desk->count; i++) {
		ck_assert_msg(desk_is_closed(desk, i) == (pattern[i] == '0'),
		    "connection %zu of %s", i, pattern);
		left += pattern[i] == '1';
	}
	ck_assert_uint_eq(desk->worker->unreceipted_count, left);
	ck_assert_uint_eq(desk->stats.unreceipted, left);
}

void
desk_init_received(struct desk *desk, size_t count)
{
	desk_init(desk, WORKER_RECEIPTED);
	desk_send(desk, count);
	desk_expect(desk, 0, count);
}

void
desk_await(struct desk *desk, const unsigned int *counter, unsigned int count)
{
	while (*counter < count)
		ck_assert_int_eq(
		    event_base_loop(desk->core.base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(*counter, count);
}

void
desk_settle(struct desk *desk)
{
	ck_assert_int_eq(event_base_loop(desk->core.base, EVLOOP_NONBLOCK), 0);
}
