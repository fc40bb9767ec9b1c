/* SPDX-License-Identifier: ISC */
/*
 * Several threads, and signal handlers: a second fdrecv_next() is refused, and
 * the other functions wait for each other.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include "lib/handle.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 50

static struct test_mailbox mailbox;
static struct fake_engine engine;

static void
start(unsigned int flags)
{
	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, flags);
	fake_engine_hears_hello(&engine);
}

static void
stop(void)
{
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engine);
}

static void *
receive(void *argument)
{
	int *got = argument;

	*got = fdrecv_next(mailbox.fdrecv, &mailbox.handoff);
	return NULL;
}

/* Starts a thread that waits in fdrecv_next(). */
static void
receive_in(pthread_t *out_thread, int *got)
{
	struct usage *usage = mailbox.fdrecv->usage;

	ck_assert_int_eq(pthread_create(out_thread, NULL, receive, got), 0);
	while (
	    __atomic_load_n(&usage->state, __ATOMIC_ACQUIRE) != USAGE_RECEIVING)
		sched_yield();
}

static void
is_refused(void)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	errno = 0;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &handoff), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(handoff.fd, -1);
}

START_TEST(a_second_thread_is_refused)
{
	pthread_t thread;
	int end, got;

	start(0);
	for (uint64_t i = 0; i < 2; i++) {
		receive_in(&thread, &got);
		is_refused();
		is_refused();
		end = fake_engine_connection(&engine, &mailbox);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_int_eq(got, 1);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, i, 1, 0);
		close(end);
	}
	stop();
}
END_TEST

START_TEST(a_child_of_a_thread_that_forks_is_not_refused)
{
	pthread_t thread;
	int end, got;
	pid_t pid;

	start(0);
	receive_in(&thread, &got);
	pid = fork();
	if (pid == 0) {
		unit_must(fdrecv_next(mailbox.fdrecv, &mailbox.handoff) == 1);
		_exit(0);
	}
	/* Each of the two gets one. */
	end = fake_engine_connection(&engine, &mailbox);
	close(end);
	end = fake_engine_connection(&engine, &mailbox);
	ck_assert_int_eq(unit_reap(pid, 0), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(got, 1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	close(end);
	stop();
}
END_TEST

/* The connections that one thread received, for the others. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct fdrecv_handoff items[ROUNDS];
	size_t count, taken;
} queue = {
    .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *
serve(void *argument)
{
	struct fdrecv_handoff handoff;

	(void)argument;
	for (;;) {
		pthread_mutex_lock(&queue.mutex);
		while (queue.taken == queue.count && queue.taken < ROUNDS)
			pthread_cond_wait(&queue.changed, &queue.mutex);
		if (queue.taken == ROUNDS) {
			pthread_mutex_unlock(&queue.mutex);
			return NULL;
		}
		handoff = queue.items[queue.taken++];
		pthread_mutex_unlock(&queue.mutex);
		fdrecv_receipt(mailbox.fdrecv, &handoff);
		fdrecv_done(mailbox.fdrecv, &handoff);
	}
}

static void *
receive_all(void *argument)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	(void)argument;
	for (int i = 0; i < ROUNDS; i++) {
		if (fdrecv_next(mailbox.fdrecv, &handoff) != 1)
			return NULL;
		pthread_mutex_lock(&queue.mutex);
		queue.items[queue.count++] = handoff;
		pthread_cond_broadcast(&queue.changed);
		pthread_mutex_unlock(&queue.mutex);
	}
	return &queue;
}

/* Reads receipts until count have come, each once. */
static void
hears_all(unsigned int count)
{
	struct {
		struct fdrecv_wire_receipts header;
		struct fdrecv_wire_receipt receipt;
	} message;
	unsigned int heard[ROUNDS] = {0};

	while (count > 0) {
		ck_assert_int_eq(
		    recv(engine.conn, &message, sizeof(message), 0),
		    sizeof(message));
		if (message.receipt.count == 0)
			continue; /* a number of connections */
		ck_assert_uint_lt(message.receipt.sequence, ROUNDS);
		ck_assert_uint_eq(heard[message.receipt.sequence]++, 0);
		count--;
	}
}

static const unsigned int modes[] = {0, FDRECV_MANUAL_RECEIPT, FDRECV_COUNTED,
    FDRECV_COUNTED | FDRECV_MANUAL_RECEIPT};

START_TEST(other_threads_end_connections)
{
	pthread_t receiver, servers[THREADS];
	int ends[ROUNDS];
	void *result;

	queue.count = queue.taken = 0;
	start(modes[_i]);
	ck_assert_int_eq(pthread_create(&receiver, NULL, receive_all, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&servers[i], NULL, serve, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		while (!net_polls(mailbox.sender, POLLOUT))
			sched_yield(); /* the queue of a mailbox is short */
		ends[i] = fake_engine_connection(&engine, &mailbox);
	}
	ck_assert_int_eq(pthread_join(receiver, &result), 0);
	ck_assert_ptr_nonnull(result);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(servers[i], NULL), 0);
	hears_all(ROUNDS);
	ck_assert_uint_eq(mailbox.fdrecv->engines.connections, 0);
	for (int i = 0; i < ROUNDS; i++)
		close(ends[i]);
	stop();
}
END_TEST

static volatile sig_atomic_t handler_got, handler_errno;

static void
on_sigusr1(int number)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;
	int saved = errno;

	(void)number;
	handler_got = fdrecv_next(mailbox.fdrecv, &handoff);
	handler_errno = errno;
	fdrecv_drain(mailbox.fdrecv);
	errno = saved;
}

/* The handler may only drain. */
START_TEST(a_handler_that_interrupts_is_refused)
{
	pthread_t thread;
	int got;

	start(0);
	signal(SIGUSR1, on_sigusr1);
	receive_in(&thread, &got);
	ck_assert_int_eq(pthread_kill(thread, SIGUSR1), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(got, 0);
	ck_assert_int_eq(handler_got, -1);
	ck_assert_int_eq(handler_errno, EBUSY);
	signal(SIGUSR1, SIG_DFL);
	stop();
}
END_TEST

/* A cancelled thread never gives its lock back. */
START_TEST(a_lock_that_stays_is_an_error)
{
	struct usage *usage;
	int end;

	start(FDRECV_NONBLOCK);
	usage = mailbox.fdrecv->usage;
	end = fake_engine_connection(&engine, &mailbox);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 1);
	ck_assert_int_eq(fdrecv_usage_enter(usage, 0), 0);
	is_refused();
	errno = 0;
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(mailbox.handoff.fd, -1);
	fake_engine_hears_nothing(&engine);
	fdrecv_usage_leave(usage, 0);
	close(end);
	stop();
}
END_TEST

UNIT_SUITE(fdrecv_threads)
{
	TCase *tc = unit_case(suite, "fdrecv_threads");

	tcase_add_test(tc, a_second_thread_is_refused);
	tcase_add_test(tc, a_child_of_a_thread_that_forks_is_not_refused);
	tcase_add_loop_test(
	    tc, other_threads_end_connections, 0, (int)UNIT_COUNT(modes));
	tcase_add_test(tc, a_handler_that_interrupts_is_refused);
	tcase_add_test(tc, a_lock_that_stays_is_an_error);
}
