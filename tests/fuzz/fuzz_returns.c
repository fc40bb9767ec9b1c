/* SPDX-License-Identifier: ISC */
/*
 * What an engine that was exploited leaves to its successor: returned
 * connections, and its file of counters.
 *
 * The input is a kind.  0: messages, each with which descriptors it brings and
 * its length.  Else: whether the engine lives, and changes of a good file: an
 * offset, a length, and the bytes.
 */
#include "fuzz/fuzz.h"

#include "fixture/engine_chain.h"
#include "fixture/net.h"
#include "fixture/test_returns.h"
#include "fuzz/fuzz_fixture.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RETURNS_FDS 4
#define RETURNS_ROUNDS 4

static struct test_returns test;
static void
init(void)
{
	test_returns_init(&test);
	returns_start(&test.returns);
}

static void
done(void)
{
	test_returns_done(&test);
}

static struct fuzz_fixture fixture = {.most = 200, .init = init, .done = done};

/* A connection of the listener, a local socket, a file, and one of a pair as
 * receipt connections are. */
static void
make_fds(int fds[RETURNS_FDS], int *out_client, int ends[2])
{
	fds[0] = test_returns_connection(&test, out_client);
	fds[1] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fds[2] = memfd_create("file", MFD_CLOEXEC);
	test_returns_pair(ends);
	fds[3] = ends[0];
}

static void
send_messages(
    int keeper, const int fds[RETURNS_FDS], const uint8_t *data, size_t size)
{
	int some[3];
	size_t length, count;

	while (size > 2) {
		count = data[0] & 3;
		for (size_t i = 0; i < count; i++)
			some[i] = fds[data[0] >> (2 + 2 * i) & 3];
		length = data[1] < size - 2 ? data[1] : size - 2;
		net_send(keeper, data + 2, length, some, count);
		data += 2 + length;
		size -= 2 + length;
	}
}

/* What is no socket stays open. */
static void
close_files(int file)
{
	for (int fd = 0; fd < FUZZ_FDS; fd++)
		if (fd != file && fcntl(fd, F_GETFD) != -1 &&
		    net_is_same(fd, file))
			close(fd);
	close(file);
	test.returns.is_wary = 0;
}

/* The worker takes everything. */
static void
take_all(void)
{
	char log[4096];

	while (test_returns_received(&test) > 0)
		wire_raw_send_receipt(test.web.pool.receipt_conns[0],
		    test.web.pool.core.workers.epoch, FDRECV_WIRE_TAKEN, 0,
		    UINT32_MAX);
	while (read(test.web.log, log, sizeof(log)) > 0)
		;
}

static void
take_messages(const uint8_t *data, size_t size)
{
	unsigned int before;
	int fds[RETURNS_FDS], keeper[2], ends[2], client;

	fuzz_fixture_begin(&fixture);
	before = fuzz_count_fds();
	make_fds(fds, &client, ends);
	test_returns_pair(keeper);
	send_messages(keeper[0], fds, data, size);
	fuzz_must(returns_add(&test.returns, keeper[1]) == 0);
	take_all();
	close(keeper[0]);
	close(fds[0]);
	close(fds[1]);
	close_files(fds[2]);
	close(fds[3]);
	close(ends[1]);
	close(client);
	for (int i = 0; i < RETURNS_ROUNDS; i++)
		take_all();
	fuzz_must(TAILQ_EMPTY(&test.web.pool.pool->held));
	if (returns_is_busy(&test.returns))
		fixture.inputs =
		    fixture.most; /* it watches what does not end */
	else
		fuzz_must(fuzz_count_fds() == before);
}

static void
change_file(int fd, const uint8_t *data, size_t size)
{
	size_t length;
	off_t at;

	while (size > 4) {
		at = data[0] | data[1] << 8 | data[2] << 16;
		length = data[3] < size - 4 ? data[3] : size - 4;
		fuzz_must(at > (1 << 20) ||
		    pwrite(fd, data + 4, length, at) == (ssize_t)length);
		data += 4 + length;
		size -= 4 + length;
	}
}

static void
take_counters(int lives, const uint8_t *data, size_t size)
{
	unsigned int before = fuzz_count_fds();
	int copy;

	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	engine_chain_row(0, "web")->counters.accepted = 5;
	copy = engine_chain_spoil(0, 0, 0, 0);
	change_file(copy, data, size);
	engine_chain_begin(1);
	engine_chain_give(1, copy, lives);
	engine_chain_load(1, ENGINE_CHAIN_NAMES);
	engine_chain_sum(1, "web");
	change_file(copy, data, size / 2);
	stats_follow(&engine_chain[1]);
	fuzz_must(
	    engine_chain[1].page->persistent.drain_count <= PERSISTENT_DRAINS);
	stats_sum_up(&engine_chain[1]);
	close(copy);
	engine_chain_done();
	fuzz_must(fuzz_count_fds() == before);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == 0)
		take_messages(data + 1, size - 1);
	else if (size > 1)
		take_counters(data[1] & 1, data + 2, size - 2);
	return 0;
}
