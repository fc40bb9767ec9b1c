/* SPDX-License-Identifier: ISC */
/*
 * The proof that nobody was at a connection: every fact by itself, and where
 * there are none.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "engine/handoff/tcp_probe.h"

#include <sys/socket.h>

#include <netinet/tcp.h>

#include <unistd.h>

static const struct {
	struct touched_facts
	    facts; /* state, shut, queued, again, received, sent */
	enum touched touched;
} judged[] = {
    {{TCP_ESTABLISHED, 0, 0, 0, 0, 0}, TOUCHED_NO},
    {{TCP_ESTABLISHED, 0, 7, 7, 7, 0}, TOUCHED_NO},
    {{TCP_ESTABLISHED, 0, 6, 6, 7, 0}, TOUCHED_PERHAPS}, /* one was read */
    {{TCP_ESTABLISHED, 0, 0, 0, 7, 0}, TOUCHED_PERHAPS},
    {{TCP_ESTABLISHED, 0, 7, 7, 8, 0}, TOUCHED_PERHAPS}, /* no FIN to count */
    {{TCP_ESTABLISHED, 0, 8, 8, 7, 0}, TOUCHED_PERHAPS}, /* makes no sense */
    {{TCP_ESTABLISHED, 0, 0, 0, 0, 1}, TOUCHED_PERHAPS},
    {{TCP_ESTABLISHED, 0, 7, 7, 7, UINT64_MAX}, TOUCHED_PERHAPS},
    {{TCP_ESTABLISHED, 1, 0, 0, 0, 0}, TOUCHED_PERHAPS}, /* SHUT_RD */
    {{TCP_ESTABLISHED, 1, 7, 7, 7, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE_WAIT, 1, 0, 0, 1, 0}, TOUCHED_NO},
    {{TCP_CLOSE_WAIT, 1, 7, 7, 8, 0}, TOUCHED_NO},
    {{TCP_CLOSE_WAIT, 0, 7, 7, 8, 0}, TOUCHED_NO}, /* FIN just now */
    {{TCP_CLOSE_WAIT, 1, 7, 7, 7, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE_WAIT, 1, 7, 7, 9, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE_WAIT, 1, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE_WAIT, 1, 7, 7, 8, 1}, TOUCHED_PERHAPS},
    /* Data came in between the looks: neither number can be trusted. */
    {{TCP_ESTABLISHED, 0, 0, 7, 7, 0}, TOUCHED_ASK_AGAIN},
    {{TCP_ESTABLISHED, 0, 0, 7, 0, 0}, TOUCHED_ASK_AGAIN},
    {{TCP_ESTABLISHED, 0, 7, 0, 7, 0}, TOUCHED_ASK_AGAIN},
    {{TCP_CLOSE_WAIT, 1, 0, 7, 8, 0}, TOUCHED_ASK_AGAIN},
    /* But what was sent was sent. */
    {{TCP_ESTABLISHED, 0, 0, 7, 7, 1}, TOUCHED_PERHAPS},
    {{TCP_ESTABLISHED, 1, 0, 7, 7, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE, 1, 0, 0, 0, 0}, TOUCHED_CLOSED},
    {{TCP_CLOSE, 0, 7, 7, 7, 0}, TOUCHED_CLOSED},
    {{TCP_CLOSE, 1, 0, 7, 7, 7}, TOUCHED_CLOSED},
    {{TCP_FIN_WAIT1, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{TCP_FIN_WAIT2, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{TCP_TIME_WAIT, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{TCP_LAST_ACK, 1, 0, 0, 1, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSING, 1, 0, 0, 1, 0}, TOUCHED_PERHAPS},
    {{TCP_LISTEN, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{TCP_SYN_RECV, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{TCP_SYN_SENT, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{0, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{13, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS}, /* of a later kernel */
};

START_TEST(every_fact_counts)
{
	ck_assert_int_eq(touched_judge(&judged[_i].facts), judged[_i].touched);
}
END_TEST

static enum touched
look(uint32_t kind, int fd)
{
	const struct record_endpoint record = {.socket.kind = kind};
	const struct handoff handoff = {.endpoint = &record, .fd = fd};

	return tcp_probe_touched(&handoff);
}

START_TEST(of_local_sockets_the_receipt_tells_it)
{
	static const uint32_t kinds[] = {
	    RECORD_UNIX_STREAM, RECORD_UNIX_SEQPACKET};
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(write(ends[0], "x", 1), 1);
	for (size_t i = 0; i < UNIT_COUNT(kinds); i++)
		ck_assert_int_eq(look(kinds[i], ends[0]), TOUCHED_NO);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* Even after one that was. */
START_TEST(what_cannot_be_asked_is_not_proved)
{
	struct net_pair pair;
	int ends[2];

	net_pair(&pair, AF_INET);
	ck_assert_int_eq(look(RECORD_TCP, pair.server), TOUCHED_NO);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(look(RECORD_TCP, ends[0]), TOUCHED_PERHAPS);
	ck_assert_int_eq(look(RECORD_TCP, pair.server), TOUCHED_NO);
	ck_assert_int_eq(look(RECORD_TCP, -1), TOUCHED_PERHAPS);
	net_pair_close(&pair);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

UNIT_SUITE(touched)
{
	TCase *tc = unit_case(suite, "untouched");

	tcase_add_loop_test(tc, every_fact_counts, 0, (int)UNIT_COUNT(judged));
	tcase_add_test(tc, of_local_sockets_the_receipt_tells_it);
	tcase_add_test(tc, what_cannot_be_asked_is_not_proved);
}
