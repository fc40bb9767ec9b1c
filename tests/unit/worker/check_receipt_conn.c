/* SPDX-License-Identifier: ISC */
/*
 * Receipt connections: what is said on them, what is not understood, and
 * their end, which is their worker's.
 */
#include "fixture/crew.h"
#include "fixture/unit.h"

#include "fixture/net.h"

#include "base/fd.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* A worker that has received count connections and confirmed none. */
static struct worker *
init_sent(struct crew *crew, size_t count)
{
	static struct letter letter;

	crew_init_receipted(crew, 1);
	ck_assert_uint_eq(crew_put(crew, count), count);
	route_send(crew->pool);
	letter_take(&letter, crew->mailboxes[0]);
	ck_assert_uint_eq(letter.count, count);
	letter_close(&letter);
	return crew_worker(crew, 0);
}

static void
say(struct crew *crew, uint64_t epoch, enum fdrecv_wire_receipt_kind kind,
    uint64_t sequence, uint32_t count)
{
	letter_receipt(crew->links[0], epoch, kind, sequence, count);
	crew_settle(crew);
}

START_TEST(each_kind_of_receipt_is_heeded)
{
	struct crew crew;
	struct worker *worker = init_sent(&crew, 4);
	uint64_t epoch = crew.core.epoch;

	say(&crew, epoch, FDRECV_WIRE_TAKEN, 0, 2);
	ck_assert_uint_eq(crew.stats.taken, 2);
	ck_assert_uint_eq(crew.stats.unreceipted, 2);
	say(&crew, epoch, FDRECV_WIRE_PAUSE, 0, 0);
	ck_assert(worker->paused);
	say(&crew, epoch, FDRECV_WIRE_RESUME, 0, 0);
	ck_assert(!worker->paused);
	say(&crew, epoch, FDRECV_WIRE_LIMIT, 2, 1);
	ck_assert_uint_eq(crew.stats.returned_limit, 1);
	say(&crew, epoch, FDRECV_WIRE_DENIED, 3, 1);
	ck_assert_uint_eq(crew.stats.returned_denied, 1);
	crew_holds(&crew, "32");
	crew_done(&crew);
}
END_TEST

START_TEST(receipts_of_another_epoch_are_ignored)
{
	struct crew crew;
	struct worker *worker = init_sent(&crew, 2);

	say(&crew, crew.core.epoch + 1, FDRECV_WIRE_TAKEN, 0, 1);
	say(&crew, crew.core.epoch + 1, FDRECV_WIRE_LIMIT, 0, 1);
	ck_assert_uint_eq(crew.stats.unreceipted, 2);
	/* That is no number: it counts before an epoch is known, too. */
	say(&crew, crew.core.epoch + 1, FDRECV_WIRE_PAUSE, 0, 0);
	ck_assert(worker->paused);
	ck_assert_ptr_eq(crew_worker(&crew, 0), worker);
	crew_done(&crew);
}
END_TEST

struct said {
	struct fdrecv_wire_receipts head;
	struct fdrecv_wire_receipt items[FDRECV_WIRE_RECEIPTS_MAX];
};

/* A message that confirms as many as it can, one by one. */
static void
say_many(struct said *out, uint64_t epoch)
{
	*out = (struct said){{.version = FDRECV_WIRE_VERSION,
				 .size = sizeof(out->head),
				 .count = FDRECV_WIRE_RECEIPTS_MAX,
				 .receipt_size = sizeof(out->items[0]),
				 .connections = 7,
				 .epoch = epoch},
	    {{0}}};
	memcpy(out->head.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
	    FDRECV_WIRE_MAGIC_SIZE);
	for (uint64_t i = 0; i < FDRECV_WIRE_RECEIPTS_MAX; i++)
		out->items[i] = (struct fdrecv_wire_receipt){
		    .sequence = i, .count = 1, .kind = FDRECV_WIRE_TAKEN};
}

START_TEST(a_message_of_many_is_heeded)
{
	struct crew crew;
	struct worker *worker = init_sent(&crew, 9);
	struct said said;

	say_many(&said, crew.core.epoch);
	ck_assert_int_eq(
	    send(crew.links[0], &said, sizeof(said), 0), (ssize_t)sizeof(said));
	crew_settle(&crew);
	ck_assert_uint_eq(crew.stats.taken, 9);
	ck_assert_uint_eq(worker->connections, 7);
	crew_done(&crew);
}
END_TEST

START_TEST(receipts_that_are_none_are_ignored)
{
	struct crew crew;
	struct worker *worker = init_sent(&crew, 2);
	struct said said;
	size_t size = sizeof(said);

	say_many(&said, crew.core.epoch);
	if (_i == 0)
		said.head.magic[0] = 'h';
	else if (_i == 1)
		said.head.version++;
	else if (_i == 2)
		said.head.size--;
	else if (_i == 3)
		said.head.size = UINT16_MAX;
	else if (_i == 4)
		said.head.receipt_size--;
	else if (_i == 5)
		said.head.count++;
	else
		size = _i == 6 ? sizeof(said) - 1 : sizeof(said.head) - 1;
	ck_assert_int_eq(send(crew.links[0], &said, size, 0), (ssize_t)size);
	crew_settle(&crew);
	ck_assert_uint_eq(crew.stats.unreceipted, 2);
	ck_assert_uint_eq(worker->connections, 0);
	ck_assert_ptr_eq(crew_worker(&crew, 0), worker);
	say(&crew, crew.core.epoch, FDRECV_WIRE_TAKEN, 0, 1);
	ck_assert_uint_eq(crew.stats.taken, 1);
	crew_done(&crew);
}
END_TEST

START_TEST(a_first_message_that_is_no_hello_ends_the_link)
{
	struct fdrecv_wire_hello hello;
	struct crew crew;
	int fd;

	crew_init(&crew, 1);
	hello = letter_hello(crew_path(0), 1);
	fd = crew_reach();
	if (_i == 0)
		hello.magic[0] = 'r';
	else if (_i == 1)
		hello.weight = 0;
	else if (_i == 2)
		hello.instance = 0;
	else if (_i == 3)
		hello.name_length = 200;
	if (_i < 4)
		letter_greet(fd, &hello, crew_path(0));
	else
		ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	crew_settle(&crew);
	ck_assert(net_polls(fd, POLLHUP));
	ck_assert_uint_eq(crew.rendezvous.link_count, 0);
	ck_assert_int_eq(crew_worker(&crew, 0)->kind, WORKER_NEW);
	crew_done(&crew);
	close(fd);
}
END_TEST

START_TEST(a_worker_that_hangs_up_has_died)
{
	struct crew crew;
	struct worker *worker = init_sent(&crew, 2);

	if (_i == 0)
		crew.links[0] = fd_close(crew.links[0]);
	else
		crew_close(&crew, 0); /* its mailbox as well */
	crew_settle(&crew);
	ck_assert_uint_eq(crew.stats.returned_death, 2);
	crew_holds(&crew, "01");
	ck_assert(!pool_has_worker(crew.pool));
	if (_i == 0)
		ck_assert_ptr_eq(crew_worker(&crew, 0), worker);
	else
		ck_assert_ptr_null(crew_worker(&crew, 0));
	crew_done(&crew);
}
END_TEST

START_TEST(what_was_said_before_the_end_is_heard)
{
	struct crew crew;

	init_sent(&crew, 3);
	for (uint64_t i = 0; i < 2; i++)
		letter_receipt(
		    crew.links[0], crew.core.epoch, FDRECV_WIRE_TAKEN, i, 1);
	crew_close(&crew, 0);
	crew_settle(&crew);
	ck_assert_uint_eq(crew.stats.taken, 2);
	crew_holds(&crew, "2");
	crew_done(&crew);
}
END_TEST

UNIT_SUITE(receipt_conn)
{
	TCase *tc = unit_case(suite, "link");

	tcase_add_test(tc, each_kind_of_receipt_is_heeded);
	tcase_add_test(tc, receipts_of_another_epoch_are_ignored);
	tcase_add_test(tc, a_message_of_many_is_heeded);
	tcase_add_loop_test(tc, receipts_that_are_none_are_ignored, 0, 8);
	tcase_add_loop_test(
	    tc, a_first_message_that_is_no_hello_ends_the_link, 0, 5);
	tcase_add_loop_test(tc, a_worker_that_hangs_up_has_died, 0, 2);
	tcase_add_test(tc, what_was_said_before_the_end_is_heard);
}
