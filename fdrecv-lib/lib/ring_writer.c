/* SPDX-License-Identifier: ISC */
/*
 * The board: receipts that the engine comes for itself, while it has so much to
 * do that it does so soon.  Runs in the worker.  A system call for each
 * connection, and the wake-up of the engine, are saved.
 */
#include "lib/ring_writer.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BOARD_LOOKS 32 /* an engine that offers one does so at once */

static void
board_map(struct ring_writer *board, int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *page;

	if (seals == -1 || (seals & F_SEAL_SHRINK) == 0 ||
	    fstat(fd, &st) == -1 || st.st_size < (off_t)sizeof(*board->page))
		return;
	page = mmap(NULL, sizeof(*board->page), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return;
	board->page = page;
	board->count = board->page->count;
}

static void
board_receive(struct ring_writer *board, int link)
{
	struct fdrecv_wire_offer offer;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {&offer, sizeof(offer)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = CMSG_LEN(sizeof(int))}; /* not one more */
	ssize_t n = recvmsg(link, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *cmsg = n == -1 ? NULL : CMSG_FIRSTHDR(&msg);
	int fd;

	if (cmsg == NULL || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(fd)))
		return;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	if (n == sizeof(offer) && offer.version == FDRECV_WIRE_VERSION &&
	    memcmp(offer.magic, FDRECV_WIRE_OFFER_MAGIC,
		FDRECV_WIRE_MAGIC_SIZE) == 0)
		board_map(board, fd);
	close(fd);
}

void
fdrecv_ring_writer_accept(struct ring_writer *board, int link)
{
	int saved = errno;

	if (board->page != NULL || board->looked == BOARD_LOOKS)
		return;
	board->looked++;
	board_receive(board, link);
	errno = saved;
}

int
fdrecv_ring_writer_write(struct ring_writer *board, uint64_t sequence)
{
	struct fdrecv_wire_ring *page = board->page;

	if (page == NULL ||
	    __atomic_load_n(&page->watched, __ATOMIC_RELAXED) == 0 ||
	    board->count - __atomic_load_n(&page->read, __ATOMIC_ACQUIRE) >=
		FDRECV_WIRE_RING_PLACES)
		return 0;
	page->sequences[board->count % FDRECV_WIRE_RING_PLACES] = sequence;
	__atomic_store_n(&page->count, ++board->count, __ATOMIC_RELEASE);
	/* An engine that stops looking says so first and then looks once more:
	 * either it sees this receipt, or this sees that. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&page->watched, __ATOMIC_RELAXED) != 0;
}

void
fdrecv_ring_writer_close(struct ring_writer *board)
{
	if (board->page != NULL)
		munmap(board->page, sizeof(*board->page));
	*board = (struct ring_writer){.page = NULL};
}
