/* SPDX-License-Identifier: ISC */
/*
 * A keeper that waits for another monitor, and what it answers.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "channel/channel.h"
#include "engine/life/adoption_server.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define STRANGER 60599
#define LONG_S 300
#define FILES 32

static struct ledger ledger;
static struct log keeper_log;
static int asked;   /* a socket of the table */
static int ends[2]; /* a connection of a monitor: its end, and the other */

static void
init(void)
{
	log_init(&keeper_log, "keeper", STDERR_FILENO);
	ck_assert_int_eq(ledger_open(&ledger), 0);
	asked = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ledger_pass(&ledger, asked);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void
done(void)
{
	ledger_close(&ledger);
	close(asked);
	close(ends[0]);
	close(ends[1]);
}

/* Or in all clients would wait twice as long as they were told to. */
START_TEST(keeper_waits_no_longer_than_its_engine)
{
	uint64_t before_ms = clock_ms();

	init();
	ledger_note_rendezvous(&ledger, ends[0], LONG_S);
	ledger_note_orphan(&ledger, before_ms);
	ck_assert_int_eq(adoption_server_run(&ledger, &keeper_log), -1);
	ck_assert_uint_lt(clock_ms(), before_ms + 1000 * LONG_S);
	done();
}
END_TEST

/* As at a stop.  Nobody can ask any more. */
START_TEST(keeper_ends_when_the_rendezvous_is_shut_down)
{
	uint64_t before_ms = clock_ms();
	int rendezvous = net_bind(unit_path("rendezvous"), SOCK_SEQPACKET);

	init();
	ck_assert_int_eq(fcntl(rendezvous, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(shutdown(rendezvous, SHUT_RDWR), 0);
	ledger_note_rendezvous(&ledger, rendezvous, LONG_S);
	ck_assert_int_eq(adoption_server_run(&ledger, &keeper_log), -1);
	ck_assert_uint_lt(clock_ms(), before_ms + 1000 * LONG_S);
	close(rendezvous);
	done();
}
END_TEST

/* Engines of other brokers have the same user, which may have as many
 * descriptors in flight as its limit says. */

static int flight[2];

static void
end_flight(int number)
{
	char byte;

	(void)number;
	while (recv(flight[1], &byte, 1, MSG_DONTWAIT) == 1)
		;
}

static void
answer_in_spite_of_others(void)
{
	const struct rlimit files = {FILES, FILES};
	const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	int returns = -1, in_flight = 0;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(STRANGER, STRANGER, STRANGER), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, flight), 0);
	while (channel_put(flight[0], "f", 1, 0) == 0)
		in_flight++;
	ck_assert_int_eq(errno, ETOOMANYREFS);
	ck_assert_int_gt(in_flight, 0);
	ck_assert(signal(SIGALRM, end_flight) != SIG_ERR);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ck_assert_int_eq(
	    adoption_server_answer(ends[1], 0, &ledger, &returns), 0);
}

START_TEST(others_that_use_up_what_is_in_flight_do_not_prevent_it)
{
	pid_t child;
	int status, fd;
	size_t count = 1;
	char byte;

	init();
	child = fork();
	if (child == 0) {
		answer_in_spite_of_others();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(
	    net_receive(ends[0], &byte, sizeof(byte), &fd, &count), 1);
	ck_assert(net_is_same(fd, asked));
	close(fd);
	done();
}
END_TEST

UNIT_SUITE(adoption_server)
{
	TCase *tc = unit_case(suite, "adoption_server");

	tcase_add_test(tc, keeper_waits_no_longer_than_its_engine);
	tcase_add_test(tc, keeper_ends_when_the_rendezvous_is_shut_down);
	tcase_add_test(
	    tc, others_that_use_up_what_is_in_flight_do_not_prevent_it);
}
