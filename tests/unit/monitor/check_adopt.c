/* SPDX-License-Identifier: ISC */
/*
 * A new monitor asks the engines that it finds in its run directory for their
 * sockets.  They answer correctly, or with anything, or not at all.
 */
#include "fixture/fake_clock.h"
#include "fixture/net.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "channel/adoption.h"
#include "monitor/adopt.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 5000
#define SKIP_S 4
#define ADOPTED \
	3 /* exit status of an orphan that another engine has replaced */

/* The answers of an orphan, one for each question; then it answers no more. */
enum answer {
	NOTHING, /* a byte without a descriptor */
	SOCKET,  /* a listening socket */
	MEMORY,  /* memory without seals */
	PIPE, /* not a socket: it is not taken, but the next one is asked for */
	DEVICE,   /* likewise */
	FILE_AT,  /* likewise, opened with O_PATH */
	TWO,      /* at once */
	LONG,     /* two bytes */
	STRANDED, /* the same, with a socket whose last close blocks */
	EMPTY,    /* no byte */
	DEAF,
	FLOOD,        /* sockets without end */
	FLOOD_OTHERS, /* devices */
};

struct fake_orphan {
	int listener;
	int stays; /* open while the process lives */
	enum answer answers[4];
	pid_t pid;
};

/* Gives it. */
static int
answer_fd(struct fake_orphan *orphan, enum answer answer)
{
	int ends[2];

	switch (answer) {
	case NOTHING:
	case DEAF:
		return -1;
	case MEMORY:
		return memfd_create("unit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	case PIPE:
		unit_must(pipe2(ends, O_CLOEXEC) == 0);
		fd_close(ends[1]);
		return ends[0];
	case DEVICE:
	case FLOOD_OTHERS:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case FILE_AT:
		return open("/proc/self/exe", O_PATH | O_CLOEXEC);
	case STRANDED:
		unit_must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
		orphan->stays = net_strand(ends[0]);
		return net_take(ends[1]);
	case SOCKET:
	case TWO:
	case LONG:
	case EMPTY:
		break;
	case FLOOD:
		return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	return net_listen(AF_INET);
}

static void
orphan_answer(struct fake_orphan *orphan, int conn, enum answer answer)
{
	const int fd = answer_fd(orphan, answer), fds[] = {fd, fd};
	size_t count = answer == TWO ? 2 : fd != -1;
	size_t size = answer == LONG || answer == STRANDED ? 2 :
	    answer == EMPTY                                ? 0 :
							     1;

	if (answer != DEAF)
		unit_must(net_send(conn, "fg", size, fds, count) != -1);
	fd_limit_close(2000);
	fd_close(fd);
	fd_limit_close(0);
}

/* Exits with ADOPTED, or with 0 if the connection is only closed. */
static void
orphan_body(void *argument)
{
	struct fake_orphan *orphan = argument;
	int conn = accept4(orphan->listener, NULL, NULL, SOCK_CLOEXEC);
	struct channel_adopt ask;
	enum answer answer;
	uint32_t n = 0;

	fd_close(orphan->listener);
	while (recv(conn, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask)) {
		unit_must(memcmp(ask.magic, "adop", 4) == 0);
		if (ask.number == CHANNEL_ADOPTED)
			_exit(recv(conn, &ask, sizeof(ask), 0) == 0 ? ADOPTED :
								      1);
		unit_must(ask.number == n++);
		unit_must(ask.number < 2 * RECORD_MAX);
		answer = orphan->answers[n > 4 ? 3 : n - 1];
		if (orphan->answers[0] >= FLOOD)
			answer = orphan->answers[0];
		orphan_answer(orphan, conn, answer);
	}
}

static void
orphan_start(struct fake_orphan *orphan, int number)
{
	char name[32];

	snprintf(name, sizeof(name), "rendezvous.%d", number);
	orphan->listener = net_bind(unit_path(name), SOCK_SEQPACKET);
	orphan->pid = unit_fork(orphan_body, orphan);
	orphan->listener = fd_close(orphan->listener);
}

struct adopt_test {
	struct rundir rundir;
	struct adopt adopt;
	struct inherited inherited;
};

static void
ask(struct adopt_test *test, int none)
{
	*test = (struct adopt_test){.inherited = {.items = NULL}};
	snprintf(
	    test->rundir.path, sizeof(test->rundir.path), "%s", unit_path(""));
	adopt_ask(&test->adopt, &test->rundir, &test->inherited, none);
}

static void
done(struct adopt_test *test, int serves)
{
	adopt_done(&test->adopt, serves);
	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++)
		ck_assert_int_eq(test->adopt.orphans[i], -1);
	inherited_done(&test->inherited);
}

static const struct {
	enum answer answers[4];
	size_t taken;
} scripts[] = {
    {{SOCKET, SOCKET, MEMORY, NOTHING}, 3},
    {{NOTHING, SOCKET, SOCKET, NOTHING}, 0},
    {{PIPE, SOCKET, NOTHING, NOTHING}, 1},
    {{DEVICE, SOCKET, NOTHING, NOTHING}, 1},
    {{FILE_AT, MEMORY, NOTHING, NOTHING}, 1},
    {{SOCKET, TWO, SOCKET, NOTHING}, 1},
    {{SOCKET, LONG, SOCKET, NOTHING}, 1},
    {{SOCKET, EMPTY, SOCKET, NOTHING}, 1},
    {{STRANDED, SOCKET, SOCKET, NOTHING}, 0},
};

/* It is not told to stop unless another engine serves. */
START_TEST(what_an_orphan_gives_is_taken_until_it_breaks_the_rules)
{
	const int serves = _i % 2;
	struct fake_orphan orphan = {.listener = -1};
	struct adopt_test test;

	memcpy(orphan.answers, scripts[_i / 2].answers, sizeof(orphan.answers));
	orphan_start(&orphan, _i % FDRECV_WIRE_RENDEZVOUS_COUNT);
	ask(&test, 0);
	ck_assert_uint_eq(test.inherited.count, scripts[_i / 2].taken);
	for (size_t i = 0; i < test.inherited.count; i++)
		ck_assert_int_eq(
		    fcntl(test.inherited.items[i].fd, F_GETFD), FD_CLOEXEC);
	done(&test, serves);
	ck_assert_int_eq(unit_reap(orphan.pid, 0), serves ? ADOPTED : 0);
}
END_TEST

START_TEST(each_of_several_orphans_is_asked)
{
	struct fake_orphan first = {.answers = {SOCKET, NOTHING}};
	struct fake_orphan last = {.answers = {SOCKET, SOCKET, NOTHING}};
	struct adopt_test test;

	orphan_start(&first, 0);
	orphan_start(&last, FDRECV_WIRE_RENDEZVOUS_COUNT - 1);
	ask(&test, 0);
	ck_assert_uint_eq(test.inherited.count, 3);
	done(&test, 1);
	ck_assert_int_eq(unit_reap(first.pid, 0), ADOPTED);
	ck_assert_int_eq(unit_reap(last.pid, 0), ADOPTED);
}
END_TEST

START_TEST(where_no_orphan_is_nothing_is_taken)
{
	struct adopt_test test;
	int listener = net_bind(unit_path("rendezvous.2"), SOCK_SEQPACKET);

	ask(&test, 1); /* no orphan is to be asked */
	ck_assert(!net_polls(listener, POLLIN));
	fd_close(listener);
	done(&test, 1);
	fd_close(net_bind(unit_path("rendezvous.0"), SOCK_SEQPACKET));
	close(open(unit_path("rendezvous.1"), O_CREAT | O_CLOEXEC, 0600));
	ask(&test, 0);
	ck_assert_uint_eq(test.inherited.count, 0);
	done(&test, 1);
}
END_TEST

START_TEST(orphans_that_do_not_answer_share_five_seconds)
{
	struct fake_orphan orphans[2] = {
	    {.answers = {SOCKET, DEAF}}, {.answers = {DEAF}}};
	uint64_t start_ms = fake_clock_real_ms(), took_ms;
	struct adopt_test test;

	for (int i = 0; i < 2; i++)
		orphan_start(&orphans[i], i);
	fake_clock.skip_s = SKIP_S;
	fake_clock.looks = 1;
	ask(&test, 0);
	took_ms = fake_clock_real_ms() - start_ms;
	ck_assert_uint_eq(test.inherited.count, 1);
	ck_assert_uint_ge(took_ms, LIMIT_MS - SKIP_S * 1000 - 1);
	/* With five seconds each it would be longer by as much. */
	ck_assert_uint_lt(took_ms, LIMIT_MS);
	done(&test, 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(unit_reap(orphans[i].pid, 0), 0);
}
END_TEST

static void
flood_body(void *argument)
{
	const enum answer answer = *(enum answer *)argument;
	struct fake_orphan orphan = {.answers = {answer}};
	struct rlimit limit = {64, 64};
	struct adopt_test test;

	fake_clock.stopped = 1;
	orphan_start(&orphan, 0);
	unit_must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	ask(&test, 0);
	if (answer == FLOOD)
		unit_must(test.inherited.count == 64 / 2);
	adopt_done(&test.adopt, 0);
	unit_must(unit_reap(orphan.pid, 0) == 0);
}

/* A limit of this process's descriptors, or of questions. */
START_TEST(an_orphan_that_gives_for_ever_meets_a_limit)
{
	static enum answer answers[] = {FLOOD, FLOOD_OTHERS};

	unit_in_child(flood_body, &answers[_i]);
}
END_TEST

UNIT_SUITE(adopt)
{
	TCase *tc = unit_case(suite, "orphans");

	tcase_add_loop_test(tc,
	    what_an_orphan_gives_is_taken_until_it_breaks_the_rules, 0,
	    2 * (int)UNIT_COUNT(scripts));
	tcase_add_test(tc, each_of_several_orphans_is_asked);
	tcase_add_test(tc, where_no_orphan_is_nothing_is_taken);
	tcase_add_test(tc, orphans_that_do_not_answer_share_five_seconds);
	tc = unit_case(suite, "limits");
	tcase_add_loop_test(
	    tc, an_orphan_that_gives_for_ever_meets_a_limit, 0, 2);
}
