/* SPDX-License-Identifier: ISC */
/*
 * Gives the sockets to another monitor, when monitor and engine are both dead.
 * Keeper, unprivileged.  Like an engine without a monitor it answers only the
 * user who started brokerd, and root.
 */
#include "engine/life/adoption_server.h"

#include "base/clock.h"
#include "base/fd.h"
#include "channel/channel.h"
#include "channel/message.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ADOPTION_SERVER_FIRST_MS 2000 /* for the first request */
#define ADOPTION_SERVER_NEXT_MS 30000 /* until the new engine serves */
#define ADOPTION_SERVER_RETRY_US 1000
#define ADOPTION_SERVER_RETRIES 200

/* Sends a descriptor, or -1.  The limit of those in flight may be reached for a
 * moment: engines of other brokers have the same user and measure it.  -1 with
 * errno. */
static int
adoption_server_send(int to, int fd)
{
	int sent, left = ADOPTION_SERVER_RETRIES;

	while ((sent = channel_put(to, "f", 1, fd)) == -1 && left-- > 0 &&
	    (errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM))
		usleep(ADOPTION_SERVER_RETRY_US);
	return sent;
}

int
adoption_server_answer(
    int fd, uint32_t number, const struct ledger *ledger, int *returns)
{
	const struct ledger_page *page = ledger->page;
	int ends[2], sent;

	if (number < page->passed_count && number < RECORD_MAX)
		return adoption_server_send(fd, page->passed[number]);
	number -= page->passed_count;
	if (number < page->counters_count && number < LEDGER_COUNTERS)
		return adoption_server_send(fd, page->counters[number]);
	if (number != page->counters_count)
		return adoption_server_send(fd, -1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0, ends) == -1)
		return -1;
	sent = adoption_server_send(fd, ends[0]);
	fd_close(ends[0]);
	fd_close(*returns);
	*returns = ends[1];
	return sent;
}

int
adoption_server_allows(const struct ledger *ledger, uid_t uid)
{
	return uid == 0 || (uid == geteuid() && !ledger->is_roots);
}

static int
adoption_server_may_ask(int fd, const struct ledger *ledger)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	    size == sizeof(peer) && adoption_server_allows(ledger, peer.uid);
}

/* True if another engine serves. */
static int
adoption_server_serve(int fd, const struct ledger *ledger, int *returns)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int wait_ms = ADOPTION_SERVER_FIRST_MS;
	struct channel_adopt ask;

	if (!adoption_server_may_ask(fd, ledger))
		return 0;
	for (;;) {
		if (poll(&ready, 1, wait_ms) != 1 ||
		    recv(fd, &ask, sizeof(ask), MSG_DONTWAIT) != sizeof(ask) ||
		    memcmp(ask.magic, CHANNEL_ADOPT_MAGIC, sizeof(ask.magic)) !=
			0)
			return 0;
		if (ask.number == CHANNEL_ADOPTED)
			return 1;
		if (adoption_server_answer(fd, ask.number, ledger, returns) ==
		    -1)
			return 0;
		wait_ms = ADOPTION_SERVER_NEXT_MS;
	}
}

/* Until when another monitor is waited for: the engine may have begun that. */
static uint64_t
adoption_server_until_ms(const struct ledger_page *page)
{
	uint64_t until_ms =
	    clock_ms() + UINT64_C(1000) * page->orphan_timeout_s;

	return page->orphan_until_ms != 0 && page->orphan_until_ms < until_ms ?
	    page->orphan_until_ms :
	    until_ms;
}

int
adoption_server_run(const struct ledger *ledger, struct log *log)
{
	const struct ledger_page *page = ledger->page;
	uint64_t since = clock_ms(), until_ms = adoption_server_until_ms(page);
	struct pollfd asked = {.fd = page->rendezvous, .events = POLLIN};
	int fd, served = 0, returns = -1;

	log_line(log, LOG_ERR,
	    "brokerd and its engine are gone, and nobody serves: clients wait "
	    "until brokerd is started again, for at most %d s",
	    (clock_left_ms(until_ms) + 999) / 1000);
	/* Nobody writes these counters any more. */
	fcntl(CHANNEL_MEMFD, F_ADD_SEALS, F_SEAL_SEAL);
	while (!served && clock_ms() < until_ms) {
		if (poll(&asked, 1, clock_left_ms(until_ms)) != 1)
			continue;
		fd = accept4(asked.fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd == -1 && (asked.revents & POLLHUP) != 0)
			break; /* it was shut down: none can come */
		if (fd == -1)
			usleep(ADOPTION_SERVER_RETRY_US);
		served = adoption_server_serve(fd, ledger, &returns);
		fd_close(fd);
	}
	if (served) {
		log_line(log, LOG_NOTICE,
		    "another engine serves, after %llu ms",
		    (unsigned long long)(clock_ms() - since));
		return returns;
	}
	log_line(log, LOG_ERR,
	    "no other brokerd after %llu ms: closing the sockets",
	    (unsigned long long)(clock_ms() - since));
	return fd_close(returns);
}
