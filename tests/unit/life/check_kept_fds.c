/* SPDX-License-Identifier: ISC */
/*
 * What a keeper keeps of an engine that was killed, by what the ledger said at
 * that moment.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/handoff/returned.h"
#include "engine/life/kept_fds.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEER_ID 7

static const struct {
	enum ledger_state state, peer; /* of the connection, of its peer */
	uint32_t peer_id, length, incoming;
	int kind; /* -1: closed */
} moments[] = {
    /* accept4(2) has returned */
    {.state = LEDGER_NONE, .kind = RETURNED_HELD},
    /* recvmsg(2) has returned what comes from another keeper */
    {.incoming = RETURNED_HELD, .kind = RETURNED_HELD},
    {.incoming = RETURNED_SENT, .kind = RETURNED_SENT},
    {.incoming = RETURNED_DEAD, .kind = RETURNED_DEAD},
    {.incoming = 77, .kind = RETURNED_HELD}, /* as a hostile engine wrote it */
    {LEDGER_SENT, LEDGER_PEER, PEER_ID, 0, RETURNED_SENT, RETURNED_SENT},
    {.state = LEDGER_HELD, .kind = RETURNED_HELD},
    {.state = LEDGER_HELD, .incoming = 1, .kind = RETURNED_HELD},
    /* before, and after sendmmsg(2) */
    {.state = LEDGER_SENDING, .length = LEDGER_UNSENT, .kind = RETURNED_HELD},
    {LEDGER_SENDING, LEDGER_PEER, PEER_ID, 100, 0, RETURNED_SENT},
    {LEDGER_SENDING, LEDGER_PEER, PEER_ID, 0, 0, RETURNED_SENT},
    {LEDGER_SENT, LEDGER_PEER, PEER_ID, 100, 0, RETURNED_SENT},
    {LEDGER_SENT, LEDGER_PEER, PEER_ID, LEDGER_UNSENT, 0, RETURNED_SENT},
    {LEDGER_SENT, LEDGER_DEAD, PEER_ID, 100, 0, RETURNED_DEAD},
    /* another connection has its number by now, or there was none */
    {LEDGER_SENT, LEDGER_PEER, PEER_ID + 1, 100, 0, -1},
    {LEDGER_SENT, LEDGER_NONE, PEER_ID, 100, 0, -1},
    {LEDGER_SENT, LEDGER_OTHER, PEER_ID, 100, 0, -1},
    {.state = LEDGER_OTHER, .kind = -1},
    {.state = LEDGER_PEER, .kind = -1},
    {.state = LEDGER_READER, .kind = RETURNED_READER},
    {.state = LEDGER_DEAD, .kind = RETURNED_HELD},
    {.state = (enum ledger_state)200, .kind = RETURNED_HELD},
};

static void
moment_body(void *argument)
{
	int i = *(int *)argument, bound, other, peer[2];
	struct ledger_entry *entries;
	struct kept_fds kept;
	struct ledger ledger;
	struct net_pair pair;

	net_pair(&pair, AF_INET);
	bound = fcntl(pair.listener, F_DUPFD_CLOEXEC, 0);
	other = fcntl(0, F_DUPFD_CLOEXEC, 0);
	unit_must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, peer) == 0);
	unit_must(ledger_open(&ledger) == 0);
	ledger_pass(&ledger, bound);
	ledger_pass(&ledger, -1); /* by a hostile engine */
	ledger_pass(&ledger, 1 << 30);
	entries = ledger.page->entries;
	/* Its client's end is here too, and has an address. */
	entries[pair.client].state = LEDGER_OTHER;
	entries[peer[0]].state = (uint8_t)moments[i].peer;
	entries[peer[0]].peer_id = PEER_ID;
	entries[pair.server].state = (uint8_t)moments[i].state;
	entries[pair.server].peer = (uint32_t)peer[0];
	entries[pair.server].peer_id = moments[i].peer_id;
	ledger.page->send.msg_len = moments[i].length;
	ledger.page->incoming = moments[i].incoming;
	unit_must(kept_fds_find(&kept, &ledger, 3, other) == 0);
	unit_must(kept.count == (moments[i].kind == -1 ? 0 : 1));
	unit_must(fcntl(bound, F_GETFD) != -1);
	unit_must(fcntl(other, F_GETFD) != -1);
	unit_must(fcntl(pair.client, F_GETFD) == -1);
	unit_must(
	    (fcntl(pair.server, F_GETFD) == -1) == (moments[i].kind == -1));
	if (kept.count == 0)
		return;
	unit_must(kept.fds[0].fd == pair.server);
	unit_must(kept.fds[0].kind == moments[i].kind);
	unit_must(kept.fds[0].peer ==
	    (moments[i].kind == RETURNED_SENT ? peer[0] : -1));
	unit_must((fcntl(peer[0], F_GETFD) == -1) ==
	    (moments[i].kind != RETURNED_SENT));
	free(kept.fds);
	ledger_close(&ledger);
}

START_TEST(what_is_kept_depends_on_the_moment)
{
	unit_in_child(moment_body, &_i);
}
END_TEST

/* A hostile engine can name any number. */
static void
wrong_body(void *argument)
{
	struct kept_fds kept;
	struct ledger ledger;
	struct net_pair pair;
	int ends[2];

	(void)argument;
	net_pair(&pair, AF_INET);
	unit_must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	unit_must(ledger_open(&ledger) == 0);
	ledger.page->passed_count = UINT32_MAX;
	for (int i = 0; i < RECORD_MAX; i++)
		ledger.page->passed[i] = -i;
	ledger.page->entries[pair.client].state = LEDGER_SENT;
	ledger.page->entries[pair.client].peer = UINT32_MAX;
	ledger.page->entries[pair.server].state = LEDGER_SENT;
	ledger.page->entries[pair.server].peer = ledger.count;
	unit_must(kept_fds_find(&kept, &ledger, 3, 1 << 30) == 0);
	/* Pairs have no name; a listening socket is no connection. */
	unit_must(kept.count == 0);
	unit_must(fcntl(ends[0], F_GETFD) == -1);
	unit_must(fcntl(pair.listener, F_GETFD) == -1);
	ledger_close(&ledger);
}

START_TEST(what_a_hostile_engine_wrote_is_checked)
{
	unit_in_child(wrong_body, NULL);
}
END_TEST

/* A socket that lingers was sent to one that is closed; and a file system
 * decides how long the close of a file takes. */
static void
slow_body(void *argument)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), link[2];
	struct kept_fds kept;
	struct ledger ledger;

	(void)argument;
	unit_must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, link) == 0);
	net_strand(link[1]);
	unit_must(ledger_open(&ledger) == 0);
	ledger_set(&ledger, link[0], LEDGER_PEER);
	unit_must(kept_fds_find(&kept, &ledger, 3, -1) == 0);
	unit_must(fcntl(link[0], F_GETFD) == -1);
	unit_must(fcntl(file, F_GETFD) != -1);
	free(kept.fds);
	ledger_close(&ledger);
	close(file);
}

START_TEST(nothing_is_waited_for_at_a_close)
{
	unit_in_child(slow_body, NULL);
}
END_TEST

UNIT_SUITE(kept_fds)
{
	TCase *tc = unit_case(suite, "kept fds");

	tcase_add_loop_test(tc, what_is_kept_depends_on_the_moment, 0,
	    (int)UNIT_COUNT(moments));
	tcase_add_test(tc, what_a_hostile_engine_wrote_is_checked);
	tcase_add_test(tc, nothing_is_waited_for_at_a_close);
}
