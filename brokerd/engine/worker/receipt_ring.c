/* SPDX-License-Identifier: ISC */
/*
 * The board: receipts that are looked for while many connections come, instead
 * of a message and a wake-up for each.  Engine, unprivileged.  A worker may
 * write anything there at any time: each word is read once, and then judged.
 */
#include "engine/worker/receipt_ring.h"

#include "base/fd.h"
#include "channel/channel.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int
receipt_ring_send(int link, int fd)
{
	struct fdrecv_wire_offer offer = {
	    .version = FDRECV_WIRE_VERSION, .size = sizeof(offer)};

	memcpy(offer.magic, FDRECV_WIRE_OFFER_MAGIC, FDRECV_WIRE_MAGIC_SIZE);
	return channel_put(link, &offer, sizeof(offer), fd);
}

void
receipt_ring_offer(struct receipt_ring *board, int link)
{
	int fd = memfd_create("receipts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *page = MAP_FAILED;

	/* Who shrinks it would end whoever reads it. */
	if (fd != -1 && ftruncate(fd, sizeof(*board->page)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
		0)
		page = mmap(NULL, sizeof(*board->page), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (page != MAP_FAILED) {
		board->page = page;
		if (receipt_ring_send(link, fd) == -1)
			receipt_ring_close(board);
	}
	fd_close(fd);
}

void
receipt_ring_watch(struct receipt_ring *board, int watched)
{
	if (board->page == NULL)
		return;
	__atomic_store_n(
	    &board->page->watched, watched ? 1 : 0, __ATOMIC_RELAXED);
	/* The other half is in fdrecv_board_write(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

int
receipt_ring_has_news(const struct receipt_ring *board)
{
	return board->page != NULL &&
	    __atomic_load_n(&board->page->count, __ATOMIC_ACQUIRE) !=
	    board->read;
}

static uint64_t
receipt_ring_at(const struct receipt_ring *board, uint32_t number)
{
	return __atomic_load_n(
	    &board->page->sequences[number % FDRECV_WIRE_RING_PLACES],
	    __ATOMIC_RELAXED);
}

uint32_t
receipt_ring_take(struct receipt_ring *board, uint64_t *out_sequence)
{
	uint32_t left, count;

	if (board->page == NULL)
		return 0;
	left = __atomic_load_n(&board->page->count, __ATOMIC_ACQUIRE) -
	    board->read;
	if (left > FDRECV_WIRE_RING_PLACES) {
		board->read += left; /* nonsense */
		left = 0;
	}
	if (left == 0)
		return 0;
	*out_sequence = receipt_ring_at(board, board->read);
	for (count = 1; count < left &&
	     receipt_ring_at(board, board->read + count) ==
		 *out_sequence + count;
	     count++)
		;
	board->read += count;
	__atomic_store_n(&board->page->read, board->read, __ATOMIC_RELEASE);
	return count;
}

void
receipt_ring_close(struct receipt_ring *board)
{
	if (board->page == NULL)
		return;
	receipt_ring_watch(board, 0);
	munmap(board->page, sizeof(*board->page));
	board->page = NULL;
}
