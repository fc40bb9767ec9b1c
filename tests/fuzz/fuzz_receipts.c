/* SPDX-License-Identifier: ISC */
/*
 * Receipt connections of a worker that owes receipts: HELLO, receipts, the
 * ring, and processes that take the mailbox over.
 *
 * The input is how many hand-offs there are, and steps: what is done, to which
 * connection, the length of the bytes, and these.
 */
#include "fuzz/fuzz.h"

#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_core.h"

#include "base/fd.h"
#include "engine/worker/receipts.h"
#include "engine/worker/rendezvous.h"

#include "wire/link.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#define RECEIPTS_PEERS 3
#define RECEIPTS_HANDOFFS 64

enum receipts_step {
	RECEIPTS_CONNECT,
	RECEIPTS_LINK, /* the engine makes a connection */
	RECEIPTS_SEND,
	RECEIPTS_SEND_FDS,
	RECEIPTS_WRITE_RING, /* at an offset */
	RECEIPTS_CLOSE,
	RECEIPTS_PUT, /* one more hand-off */
	RECEIPTS_LOOK,
	RECEIPTS_STEPS
};

static struct test_core core;
static struct rendezvous rendezvous;
static struct record_endpoint endpoint;
static struct stats_listener stats;
static struct worker *worker;
static int peers[RECEIPTS_PEERS], reader;
static uint64_t put, returned;

static void
on_room(void *owner, struct worker *which)
{
	(void)owner;
	fuzz_must(which == worker);
}

static void
on_return(void *owner, struct handoff *handoff)
{
	(void)owner;
	returned++;
	handoff_free(handoff);
}

static void
on_news(void *owner, const struct worker *which)
{
	(void)owner;
	fuzz_must(which == worker);
}

/* Others get what the dead worker had. */
static void
on_death(void *owner, struct worker *which)
{
	struct handoff *handoff;

	if (receipts_are_anothers(which))
		return;
	while ((handoff = unreceipted_take_oldest(&which->unreceipted)) != NULL)
		on_return(owner, handoff);
	worker_free(which);
	worker = NULL;
}

static const struct worker_callbacks callbacks = {.on_room = on_room,
    .on_return = on_return,
    .on_silence = on_news,
    .on_plain = on_news,
    .on_death = on_death};

static struct worker *
find(void *owner, const struct hello *hello, uid_t uid)
{
	(void)owner;
	fuzz_must(uid == geteuid());
	fuzz_must(fuzz_is_text(hello->name, sizeof(hello->name)));
	fuzz_must(hello->weight > 0 && hello->weight <= FDRECV_WIRE_WEIGHT_MAX);
	fuzz_must(hello->instance != 0);
	return (hello->device & 1) == 0 ? worker : NULL;
}

static int
on_adopt(void *owner, const struct channel_adopt *adopt, uid_t uid, int fd)
{
	(void)owner;
	(void)adopt;
	(void)uid;
	(void)fd;
	return -1;
}

static int
describe(void *owner, const char *name)
{
	(void)owner;
	return (int)strlen(name) % 4 - 1;
}

static void
begin(void)
{
	static const struct rendezvous_callbacks first = {
	    .find = find, .on_adopt = on_adopt, .describe = describe};
	int fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const sa_family_t any = AF_UNIX;

	test_core_init(&core);
	endpoint = record_sample_inet(RECORD_TCP, "127.0.0.1", 80).u.endpoint;
	fuzz_must(bind(fd, (const void *)&any, sizeof(any)) == 0);
	fuzz_must(listen(fd, 16) == 0);
	rendezvous_init(&rendezvous, &core.workers, &first, NULL);
	fuzz_must(rendezvous_open(&rendezvous, "@", fd) == 0);
}

static void
put_handoff(void)
{
	int ends[2];

	if (worker->unreceipted.count == RECEIPTS_HANDOFFS)
		return;
	fuzz_must(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	close(ends[1]);
	worker_put(worker,
	    handoff_new(&(struct handoff *){NULL}, &endpoint, &stats,
		&core.bounded, ends[0], &endpoint.socket.address,
		endpoint.socket.address_length));
	fuzz_must(worker_send(worker) == 0);
	recv(reader, NULL, 0, 0);
	put++;
}

static void
begin_worker(unsigned int handoffs)
{
	int ends[2];
	struct mailbox mailbox = {.node = -1,
	    .owner = geteuid(),
	    .device = 2,
	    .inode = 4,
	    .takes_link = 1};

	fuzz_must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      0, ends) == 0);
	mailbox.fd = ends[0];
	reader = ends[1];
	worker = worker_new(&core.workers, "box", &mailbox, &callbacks, NULL);
	fuzz_must(worker != NULL);
	worker->kind = WORKER_RECEIPTED;
	share_init(&worker->share, FDRECV_WIRE_WEIGHT, 0);
	put = returned = 0;
	memset(&stats, 0, sizeof(stats));
	while (handoffs-- > 0)
		put_handoff();
}

static int
connect_peer(void)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	fuzz_must(getsockname(rendezvous.fd, (struct sockaddr *)&address,
		      &length) == 0);
	fuzz_must(connect(fd, (struct sockaddr *)&address, length) == 0);
	rendezvous_catch_up(&rendezvous);
	return fd;
}

static int
offer_link(void)
{
	int fd;

	receipts_offer_link(worker, &endpoint);
	fd = worker->link;
	worker->link = -1;
	return fd;
}

/* The newest ring. */
static void
write_ring(const uint8_t *bytes, size_t size)
{
	struct receipt_ring *ring = NULL, *other;
	size_t at;

	TAILQ_FOREACH (other, &core.workers.rings.head, entry)
		ring = other;
	if (ring == NULL || size < 2)
		return;
	at = (size_t)(bytes[0] | bytes[1] << 8) % sizeof(*ring->page);
	size -= 2;
	if (size > sizeof(*ring->page) - at)
		size = sizeof(*ring->page) - at;
	memcpy((char *)ring->page + at, bytes + 2, size);
	receipts_look(worker, 0);
}

static void
do_step(enum receipts_step step, int *peer, const uint8_t *bytes, size_t size)
{
	switch (step) {
	case RECEIPTS_CONNECT:
		if (*peer == -1)
			*peer = connect_peer();
		break;
	case RECEIPTS_LINK:
		if (*peer == -1)
			*peer = offer_link();
		break;
	case RECEIPTS_SEND:
	case RECEIPTS_SEND_FDS:
		if (*peer != -1)
			fuzz_send(
			    *peer, bytes, size, step == RECEIPTS_SEND ? 0 : 2);
		break;
	case RECEIPTS_WRITE_RING:
		write_ring(bytes, size);
		break;
	case RECEIPTS_CLOSE:
		*peer = fd_close(*peer);
		break;
	case RECEIPTS_PUT:
		put_handoff();
		break;
	case RECEIPTS_LOOK:
		receipts_look(worker, 1);
		receipts_catch_up(worker);
		break;
	case RECEIPTS_STEPS:
		break;
	}
	event_base_loop(core.base, EVLOOP_NONBLOCK);
}

/* Each hand-off is with the worker, or has a receipt, or has come back. */
static void
expect_all(void)
{
	uint64_t has = 0;

	if (worker != NULL)
		has = worker->unreceipted.count +
		    (worker->unreceipted.doubtful != NULL);
	fuzz_must(stats.unreceipted == has);
	fuzz_must(
	    put == has + stats.taken + returned + stats.plain + stats.orphaned);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int before;
	size_t length;

	if (core.base == NULL)
		begin();
	if (size < 1)
		return 0;
	before = fuzz_count_fds();
	for (int i = 0; i < RECEIPTS_PEERS; i++)
		peers[i] = -1;
	begin_worker(data[0] % RECEIPTS_HANDOFFS);
	for (data++, size--; size > 2 && worker != NULL;) {
		length = data[2] < size - 3 ? data[2] : size - 3;
		do_step((enum receipts_step)(data[0] % RECEIPTS_STEPS),
		    &peers[data[1] % RECEIPTS_PEERS], data + 3, length);
		data += 3 + length;
		size -= 3 + length;
		expect_all();
	}
	for (int i = 0; i < RECEIPTS_PEERS; i++)
		fd_close(peers[i]);
	close(reader);
	event_base_loop(core.base, EVLOOP_NONBLOCK);
	if (worker != NULL)
		worker_free(worker);
	event_base_loop(core.base, EVLOOP_NONBLOCK);
	while (rendezvous.waiting.count > 0)
		receipt_conn_free(TAILQ_FIRST(&rendezvous.waiting.head));
	fuzz_must(fuzz_count_fds() == before);
	return 0;
}
