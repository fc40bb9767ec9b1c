/* SPDX-License-Identifier: ISC */
/*
 * Whether a connection was touched, as judged by each of the facts.
 */
#include "fixture/unit.h"

#include "engine/policy/touched.h"

#include <netinet/tcp.h>

static const struct {
	struct touched_facts
	    facts; /* state, shut, queued, again, received, sent */
	enum touched touched;
} judged[] = {
    {{TCP_ESTABLISHED, 0, 0, 0, 0, 0}, TOUCHED_NO},
    {{TCP_ESTABLISHED, 0, 7, 7, 7, 0}, TOUCHED_NO},
    {{TCP_ESTABLISHED, 0, 6, 6, 7, 0}, TOUCHED_PERHAPS}, /* one byte was read */
    {{TCP_ESTABLISHED, 0, 0, 0, 7, 0}, TOUCHED_PERHAPS},
    {{TCP_ESTABLISHED, 0, 7, 7, 8, 0}, TOUCHED_PERHAPS}, /* no FIN to count */
    {{TCP_ESTABLISHED, 0, 8, 8, 7, 0}, TOUCHED_PERHAPS}, /* impossible */
    {{TCP_ESTABLISHED, 0, 0, 0, 0, 1}, TOUCHED_PERHAPS},
    {{TCP_ESTABLISHED, 0, 7, 7, 7, UINT64_MAX}, TOUCHED_PERHAPS},
    {{TCP_ESTABLISHED, 1, 0, 0, 0, 0}, TOUCHED_PERHAPS}, /* SHUT_RD */
    {{TCP_ESTABLISHED, 1, 7, 7, 7, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE_WAIT, 1, 0, 0, 1, 0}, TOUCHED_NO},
    {{TCP_CLOSE_WAIT, 1, 7, 7, 8, 0}, TOUCHED_NO},
    {{TCP_CLOSE_WAIT, 0, 7, 7, 8, 0}, TOUCHED_NO}, /* a FIN has just come */
    {{TCP_CLOSE_WAIT, 1, 7, 7, 7, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE_WAIT, 1, 7, 7, 9, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE_WAIT, 1, 0, 0, 0, 0}, TOUCHED_PERHAPS},
    {{TCP_CLOSE_WAIT, 1, 7, 7, 8, 1}, TOUCHED_PERHAPS},
    /* Data came between the two calls, so neither number can be trusted. */
    {{TCP_ESTABLISHED, 0, 0, 7, 7, 0}, TOUCHED_ASK_AGAIN},
    {{TCP_ESTABLISHED, 0, 0, 7, 0, 0}, TOUCHED_ASK_AGAIN},
    {{TCP_ESTABLISHED, 0, 7, 0, 7, 0}, TOUCHED_ASK_AGAIN},
    {{TCP_CLOSE_WAIT, 1, 0, 7, 8, 0}, TOUCHED_ASK_AGAIN},
    /* But a number of bytes sent is certain. */
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
    {{13, 0, 0, 0, 0, 0}, TOUCHED_PERHAPS}, /* state of a later kernel */
};

START_TEST(every_fact_counts)
{
	ck_assert_int_eq(touched_judge(&judged[_i].facts), judged[_i].touched);
}
END_TEST

UNIT_SUITE(touched)
{
	TCase *tc = unit_case(suite, "touched");

	tcase_add_loop_test(tc, every_fact_counts, 0, (int)UNIT_COUNT(judged));
}
