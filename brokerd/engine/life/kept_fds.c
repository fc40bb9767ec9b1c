/* SPDX-License-Identifier: ISC */
/*
 * Which descriptors of a dead engine are worth keeping.  Keeper, unprivileged.
 * A hostile engine may have written anything to the ledger: numbers are
 * checked, and the next engine asks the kernel what each descriptor is.
 */
#include "engine/life/kept_fds.h"

#include "base/fd.h"
#include "engine/handoff/returned.h"
#include "engine/handoff/socket_option.h"

#include <sys/socket.h>

#include <dirent.h>
#include <stdlib.h>

#define KEPT_FDS_CLOSE_US 1000

/* What accept4(2) has returned, and nobody has noted.  Pairs have no name. */
static int
kept_fds_is_connection(int fd)
{
	struct sockaddr_storage local, peer;
	socklen_t length = sizeof(local), size = sizeof(peer);
	int type = socket_option(fd, SO_TYPE);

	return (type == SOCK_STREAM || type == SOCK_SEQPACKET) &&
	    socket_option(fd, SO_ACCEPTCONN) == 0 &&
	    getsockname(fd, (struct sockaddr *)&local, &length) == 0 &&
	    length > sizeof(sa_family_t) &&
	    getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

static int
kept_fds_is_seqpacket(int fd)
{
	return socket_option(fd, SO_DOMAIN) == AF_UNIX &&
	    socket_option(fd, SO_TYPE) == SOCK_SEQPACKET &&
	    socket_option(fd, SO_ACCEPTCONN) == 0;
}

static int
kept_fds_is_noted(const struct ledger *ledger, int fd)
{
	uint8_t state = ledger->page->entries[fd].state;

	return state != LEDGER_NONE && state != LEDGER_DEAD;
}

/* The receipt connection that came with a connection: its number is higher. */
static int
kept_fds_find_peer(const struct ledger *ledger, int fd)
{
	while ((uint32_t)++fd < ledger->count)
		if (!kept_fds_is_noted(ledger, fd) && kept_fds_is_seqpacket(fd))
			return fd;
	return -1;
}

/* The engine was killed before it noted the descriptor: at the end of
 * accept4(2) or, see page->incoming, while it took what an earlier engine had.
 */
static uint8_t
kept_fds_judge_unnoted(const struct ledger *ledger, struct kept_fd *kept)
{
	uint32_t incoming = ledger->page->incoming;

	if (incoming == RETURNED_READER)
		return kept_fds_is_seqpacket(kept->fd) ? RETURNED_READER : 0;
	if (!kept_fds_is_connection(kept->fd))
		return 0;
	if (incoming == RETURNED_SENT) {
		kept->peer = kept_fds_find_peer(ledger, kept->fd);
		return kept->peer == -1 ? 0 : RETURNED_SENT;
	}
	return incoming == RETURNED_DEAD ? RETURNED_DEAD : RETURNED_HELD;
}

/* If it is not known whether the worker lives, the connection is its own. */
static uint8_t
kept_fds_judge_sent(const struct ledger *ledger,
    const struct ledger_entry *entry, struct kept_fd *kept)
{
	const struct ledger_entry *peer;

	if (entry->peer >= ledger->count)
		return 0;
	peer = &ledger->page->entries[entry->peer];
	if (peer->peer_id != entry->peer_id)
		return 0;
	if (peer->state == LEDGER_DEAD)
		return RETURNED_DEAD;
	if (peer->state != LEDGER_PEER)
		return 0;
	kept->peer = (int)entry->peer;
	return RETURNED_SENT;
}

static uint8_t
kept_fds_judge(const struct ledger *ledger, struct kept_fd *kept, int is_bound)
{
	const struct ledger_page *page = ledger->page;
	const struct ledger_entry *entry = &page->entries[kept->fd];

	switch (entry->state) {
	case LEDGER_HELD:
		return RETURNED_HELD;
	case LEDGER_SENDING:
		if (page->send.msg_len == LEDGER_UNSENT)
			return RETURNED_HELD;
		/* FALLTHROUGH */
	case LEDGER_SENT:
		return kept_fds_judge_sent(ledger, entry, kept);
	case LEDGER_READER:
		return RETURNED_READER;
	case LEDGER_OTHER:
	case LEDGER_PEER:
		return 0;
	default:
		return is_bound ? 0 : kept_fds_judge_unnoted(ledger, kept);
	}
}

/* Marks the bound sockets, the counters, those below limit and other. */
static unsigned char *
kept_fds_mark(const struct ledger *ledger, int limit, int other)
{
	const struct ledger_page *page = ledger->page;
	unsigned char *marks = calloc(ledger->count, 1);

	if (marks == NULL)
		return NULL;
	for (uint32_t i = 0; i < page->passed_count && i < RECORD_MAX; i++)
		if ((uint32_t)page->passed[i] < ledger->count)
			marks[page->passed[i]] = 1;
	for (uint32_t i = 0; i < page->counters_count && i < LEDGER_COUNTERS;
	     i++)
		if ((uint32_t)page->counters[i] < ledger->count)
			marks[page->counters[i]] = 1;
	for (int fd = 0; fd < limit; fd++)
		marks[fd] = 1;
	if ((uint32_t)other < ledger->count)
		marks[other] = 1;
	return marks;
}

static void
kept_fds_add(struct kept_fds *kept, int fd, unsigned char *marks)
{
	struct kept_fd one = {.fd = fd, .peer = -1};

	one.kind = kept_fds_judge(kept->ledger, &one, marks[fd]);
	if (one.kind == 0)
		return;
	kept->fds[kept->count++] = one;
	marks[fd] = 1;
	if (one.peer != -1)
		marks[one.peer] = 1;
}

/* Looks at all that are open: adds them, or if close is set closes sockets
 * without a mark.  The close of another file may wait for ever. */
static int
kept_fds_walk(struct kept_fds *kept, unsigned char *marks, int close)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	long fd;

	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL) {
		fd = entry->d_name[0] == '.' ? -1 :
					       strtol(entry->d_name, NULL, 10);
		if (fd < 0 || fd == dirfd(directory))
			continue;
		if (!close && (uint32_t)fd < kept->ledger->count)
			kept_fds_add(kept, (int)fd, marks);
		else if (close &&
		    ((uint32_t)fd >= kept->ledger->count || !marks[fd]) &&
		    socket_option((int)fd, SO_TYPE) != -1)
			fd_close((int)fd);
	}
	closedir(directory);
	return 0;
}

int
kept_fds_find(
    struct kept_fds *kept, const struct ledger *ledger, int limit, int other)
{
	unsigned char *marks = kept_fds_mark(ledger, limit, other);
	int found = -1;

	/* Room for all at once: none may be left out for want of memory. */
	*kept = (struct kept_fds){
	    .ledger = ledger, .fds = calloc(ledger->count, sizeof(*kept->fds))};
	if (marks != NULL && kept->fds != NULL)
		found = kept_fds_walk(kept, marks, 0);
	fd_limit_close(KEPT_FDS_CLOSE_US); /* they may linger */
	if (found == 0)
		found = kept_fds_walk(kept, marks, 1);
	fd_limit_close(0);
	free(marks);
	if (found == 0)
		return 0;
	free(kept->fds);
	*kept = (struct kept_fds){.ledger = ledger};
	return -1;
}
