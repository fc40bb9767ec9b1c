/* SPDX-License-Identifier: ISC */
/*
 * The receipt ring.  Runs in the worker.  A receipt in shared memory saves a
 * system call for each connection, and a wake-up of the engine, which looks at
 * the ring by itself: soon while it is busy, and otherwise a little later.
 */
#include "lib/ring_writer.h"

#include "lib/descriptors.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

/* An engine that offers a ring does so right after HELLO. */
#define RING_WRITER_ATTEMPTS 32

static void
ring_writer_map(struct ring_writer *writer, int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *ring;

	if (seals == -1 || (seals & F_SEAL_SHRINK) == 0 ||
	    fstat(fd, &st) == -1 || st.st_size < (off_t)sizeof(*writer->ring))
		return;
	ring = mmap(NULL, sizeof(*writer->ring), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		return;
	writer->ring = ring;
	writer->count = writer->ring->count;
}

static uint64_t
ring_writer_receive(struct ring_writer *writer, int conn_fd)
{
	struct descriptors came = {.count = 0};
	struct fdrecv_wire_offer offer = {.epoch = 0};
	const size_t old = offsetof(struct fdrecv_wire_offer, epoch);
	int saved = errno;
	ssize_t n;

	n = fdrecv_descriptors_receive(
	    &came, conn_fd, &offer, sizeof(offer), MSG_DONTWAIT);
	/* An older engine sends no epoch. */
	if (n < (ssize_t)old || offer.version != FDRECV_WIRE_VERSION ||
	    memcmp(offer.magic, FDRECV_WIRE_OFFER_MAGIC,
		FDRECV_WIRE_MAGIC_SIZE) != 0)
		offer.epoch = 0;
	else if (came.count == 1)
		ring_writer_map(writer, came.fds[0]);
	fdrecv_descriptors_close(&came);
	errno = saved;
	return offer.epoch;
}

uint64_t
fdrecv_ring_writer_accept(struct ring_writer *writer, int conn_fd)
{
	if (writer->ring != NULL || writer->attempts == RING_WRITER_ATTEMPTS)
		return 0;
	writer->attempts++;
	return ring_writer_receive(writer, conn_fd);
}

static int
ring_writer_has_room(const struct ring_writer *writer)
{
	return writer->ring != NULL &&
	    writer->count -
		__atomic_load_n(&writer->ring->read, __ATOMIC_ACQUIRE) <
	    FDRECV_WIRE_RING_SLOTS;
}

static int
ring_writer_is_watched(const struct ring_writer *writer)
{
	return __atomic_load_n(&writer->ring->watched, __ATOMIC_RELAXED) != 0;
}

static int
ring_writer_is_looked_at(const struct ring_writer *writer, int can_wait)
{
	return ring_writer_is_watched(writer) ||
	    (can_wait &&
		__atomic_load_n(&writer->ring->lazy, __ATOMIC_RELAXED) != 0);
}

int
fdrecv_ring_writer_is_lazy(const struct ring_writer *writer)
{
	return ring_writer_has_room(writer) &&
	    !ring_writer_is_watched(writer) &&
	    ring_writer_is_looked_at(writer, 1);
}

int
fdrecv_ring_writer_write(
    struct ring_writer *writer, uint64_t sequence, int can_wait)
{
	struct fdrecv_wire_ring *ring = writer->ring;

	if (!ring_writer_has_room(writer) ||
	    !ring_writer_is_looked_at(writer, can_wait))
		return 0;
	ring->sequences[writer->count % FDRECV_WIRE_RING_SLOTS] = sequence;
	__atomic_store_n(&ring->count, ++writer->count, __ATOMIC_RELEASE);
	/* An engine that stops looking clears its words and then looks once
	 * more.  So either it sees this receipt, or the loads below see 0. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_writer_is_looked_at(writer, can_wait);
}

void
fdrecv_ring_writer_close(struct ring_writer *writer)
{
	if (writer->ring != NULL)
		munmap(writer->ring, sizeof(*writer->ring));
	*writer = (struct ring_writer){.ring = NULL};
}
