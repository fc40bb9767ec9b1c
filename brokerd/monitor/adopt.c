/* SPDX-License-Identifier: ISC */
/*
 * Takes over the sockets of engines whose monitor has died.  Runs as root,
 * against processes that may be hostile: each answer is at most one descriptor,
 * which inherited.c checks, and number and time are limited.
 */
#include "monitor/adopt.h"

#include "base/clock.h"
#include "base/fd.h"
#include "channel/adoption.h"

#include <fcntl.h>
#include <unistd.h>

#define ADOPT_MS 5000 /* a keeper may be busy with another one for 2 s */

static int
adopt_connect(const struct rundir *rundir, int number)
{
	struct sockaddr_un address;
	int fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fdrecv_names_rendezvous(rundir->path, number, &address) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		0)
		return fd;
	return fd_close(fd);
}

/* Asks for one descriptor.  True if there may be more. */
static int
adopt_next(int orphan, uint64_t deadline_ms, struct inherited *inherited,
    uint32_t number)
{
	struct sockaddr any;
	socklen_t size = sizeof(any);
	int fd, answered = adoption_ask(orphan, number, deadline_ms, &fd) == 0;

	/* Only a socket or a memfd: fstat(2) of another file could block for
	 * ever in its file system (FUSE). */
	if (answered &&
	    (getsockname(fd, &any, &size) == 0 || fcntl(fd, F_GET_SEALS) != -1))
		inherited_add(inherited, fd, NULL);
	else
		fd_close_limited(fd);
	return answered && fd != -1;
}

void
adopt_ask(struct adopt *adopt, const struct rundir *rundir,
    struct inherited *inherited, int none)
{
	uint64_t deadline_ms = clock_ms() + ADOPT_MS;
	int *orphan = adopt->orphans;

	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++, orphan++) {
		*orphan = none ? -1 : adopt_connect(rundir, i);
		/* Half of the descriptors are left for other uses. */
		for (uint32_t n = 0; *orphan != -1 && n < 2 * RECORD_MAX &&
		     (long)inherited->count < sysconf(_SC_OPEN_MAX) / 2 &&
		     adopt_next(*orphan, deadline_ms, inherited, n);
		     n++)
			;
	}
}

void
adopt_done(struct adopt *adopt, int serves)
{
	static const struct channel_adopt adopted = {
	    CHANNEL_ADOPT_MAGIC, CHANNEL_ADOPTED};

	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++) {
		if (serves)
			send(adopt->orphans[i], &adopted, sizeof(adopted),
			    MSG_NOSIGNAL);
		adopt->orphans[i] = fd_close(adopt->orphans[i]);
	}
}
