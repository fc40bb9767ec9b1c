/* SPDX-License-Identifier: ISC */
/*
 * Receipts in shared memory: while many connections come, they save a message
 * and a wake-up each.  Engine, unprivileged.  A worker may write anything here
 * at any time, so each word is read once and then checked.
 */
#include "engine/worker/receipt_ring.h"

#include "base/fd.h"
#include "channel/channel.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int
receipt_ring_answer(int fd, uint64_t epoch, int memory)
{
	struct fdrecv_wire_offer offer = {.version = FDRECV_WIRE_VERSION,
	    .size = sizeof(offer),
	    .epoch = epoch};

	memcpy(offer.magic, FDRECV_WIRE_OFFER_MAGIC, FDRECV_WIRE_MAGIC_SIZE);
	return channel_put(fd, &offer, sizeof(offer), memory);
}

static void
receipt_ring_set_watched(struct receipt_ring *ring, int watched)
{
	__atomic_store_n(
	    &ring->page->watched, watched ? 1 : 0, __ATOMIC_RELAXED);
	/* Pairs with the fence between the worker's write and its look at
	 * watched. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void
receipt_ring_offer(struct receipt_ring *ring, struct receipt_ring_list *list,
    int fd, uint64_t epoch)
{
	int memory = memfd_create("receipts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *page = MAP_FAILED;

	/* Sealed, as a worker that shrank it would crash the engine. */
	if (memory != -1 && ftruncate(memory, sizeof(*ring->page)) == 0 &&
	    fcntl(memory, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		page = mmap(NULL, sizeof(*ring->page), PROT_READ | PROT_WRITE,
		    MAP_SHARED, memory, 0);
	if (page != MAP_FAILED) {
		ring->page = page;
		ring->list = list;
		TAILQ_INSERT_TAIL(&list->head, ring, entry);
		list->count++;
		receipt_ring_set_watched(ring, list->watched);
	} else {
		memory = fd_close(memory);
	}
	if (receipt_ring_answer(fd, epoch, memory) == -1)
		receipt_ring_close(ring);
	fd_close(memory);
}

static int
receipt_ring_has_news(const struct receipt_ring *ring)
{
	return __atomic_load_n(&ring->page->count, __ATOMIC_ACQUIRE) !=
	    ring->read;
}

static uint64_t
receipt_ring_at(const struct receipt_ring *ring, uint32_t number)
{
	return __atomic_load_n(
	    &ring->page->sequences[number % FDRECV_WIRE_RING_SLOTS],
	    __ATOMIC_RELAXED);
}

uint32_t
receipt_ring_take(struct receipt_ring *ring, uint64_t *out_sequence)
{
	uint32_t left, count;

	if (ring->page == NULL)
		return 0;
	left =
	    __atomic_load_n(&ring->page->count, __ATOMIC_ACQUIRE) - ring->read;
	if (left > FDRECV_WIRE_RING_SLOTS) {
		ring->read += left; /* impossible: ignore all of it */
		left = 0;
	}
	if (left == 0)
		return 0;
	*out_sequence = receipt_ring_at(ring, ring->read);
	for (count = 1; count < left &&
	     receipt_ring_at(ring, ring->read + count) == *out_sequence + count;
	     count++)
		;
	ring->read += count;
	__atomic_store_n(&ring->page->read, ring->read, __ATOMIC_RELEASE);
	return count;
}

void
receipt_ring_close(struct receipt_ring *ring)
{
	if (ring->page == NULL)
		return;
	TAILQ_REMOVE(&ring->list->head, ring, entry);
	ring->list->count--;
	receipt_ring_set_watched(ring, 0);
	munmap(ring->page, sizeof(*ring->page));
	ring->page = NULL;
}

void
receipt_ring_list_init(struct receipt_ring_list *list)
{
	*list = (struct receipt_ring_list){.count = 0};
	TAILQ_INIT(&list->head);
}

void
receipt_ring_list_read(struct receipt_ring_list *list)
{
	struct receipt_ring *ring;

	/* As on_news may close any of them, start from the head each time. */
	for (size_t i = list->count; i > 0; i--) {
		ring = TAILQ_FIRST(&list->head);
		if (ring == NULL)
			return;
		TAILQ_REMOVE(&list->head, ring, entry);
		TAILQ_INSERT_TAIL(&list->head, ring, entry);
		if (receipt_ring_has_news(ring))
			ring->on_news(ring->owner);
	}
}

void
receipt_ring_list_watch(struct receipt_ring_list *list, int watched)
{
	struct receipt_ring *ring;

	if (list->watched == watched)
		return;
	list->watched = watched;
	TAILQ_FOREACH (ring, &list->head, entry)
		receipt_ring_set_watched(ring, watched);
	receipt_ring_list_read(list);
}
