/* SPDX-License-Identifier: ISC */
/*
 * Receipts in shared memory save a message and a wake-up each.  Engine,
 * unprivileged.  While many connections come, the loop looks at the rings in
 * each round.  Otherwise a receipt may be found later if no client waits for
 * it: at the next wake-up, or by a timer.  A worker may write anything here at
 * any time, so each word is read once and then checked.
 */
#include "engine/worker/receipt_ring.h"

#include "base/clock.h"
#include "base/fd.h"
#include "channel/channel.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RECEIPT_RING_LOOK_US 4000 /* libevent rounds up to milliseconds */
#define RECEIPT_RING_LOOKS 2      /* in vain: then the worker is asked */

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
	ring->looks = 0;
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
	receipt_ring_expect_none(ring);
	receipt_ring_ask(ring);
	receipt_ring_set_watched(ring, 0);
	munmap(ring->page, sizeof(*ring->page));
	ring->page = NULL;
}

static int
receipt_ring_is_looked_at(const struct receipt_ring *ring)
{
	return ring->is_lazy && !ring->list->watched;
}

static void
receipt_ring_start_timer(struct receipt_ring *ring)
{
	struct timer *timer = &ring->list->timer;

	if (receipt_ring_is_looked_at(ring) && !timer_is_set(timer))
		timer_set(timer, RECEIPT_RING_LOOK_US);
}

static void
receipt_ring_enter(struct receipt_ring *ring)
{
	if (!ring->is_expecting || ring->rests)
		return;
	ring->looks = 0;
	ring->list->count++;
	TAILQ_INSERT_TAIL(&ring->list->expecting, ring, expecting_entry);
	receipt_ring_start_timer(ring);
}

static void
receipt_ring_leave(struct receipt_ring *ring)
{
	if (!ring->is_expecting || ring->rests)
		return;
	ring->list->count--;
	TAILQ_REMOVE(&ring->list->expecting, ring, expecting_entry);
}

void
receipt_ring_expect(struct receipt_ring *ring)
{
	if (ring->page == NULL || ring->is_expecting)
		return;
	ring->is_expecting = 1;
	receipt_ring_enter(ring);
}

void
receipt_ring_expect_none(struct receipt_ring *ring)
{
	receipt_ring_leave(ring);
	ring->is_expecting = 0;
}

void
receipt_ring_rest(struct receipt_ring *ring)
{
	receipt_ring_leave(ring);
	ring->rests = 1;
}

void
receipt_ring_end_rest(struct receipt_ring *ring)
{
	if (!ring->rests)
		return;
	ring->rests = 0;
	receipt_ring_enter(ring);
}

/* The worker may see this late: until then it sends messages. */
void
receipt_ring_be_lazy(struct receipt_ring *ring)
{
	if (ring->page == NULL || ring->is_lazy)
		return;
	ring->is_lazy = 1;
	__atomic_store_n(&ring->page->lazy, 1, __ATOMIC_RELAXED);
	if (ring->is_expecting)
		receipt_ring_start_timer(ring);
}

/* The fence is as in receipt_ring_set_watched(). */
void
receipt_ring_ask(struct receipt_ring *ring)
{
	if (!ring->is_lazy)
		return;
	ring->is_lazy = 0;
	__atomic_store_n(&ring->page->lazy, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void
receipt_ring_list_on_time(void *owner)
{
	struct receipt_ring_list *list = owner;
	struct receipt_ring *ring;
	int asked = 0;

	receipt_ring_list_look(list, clock_us());
	TAILQ_FOREACH (ring, &list->expecting, expecting_entry) {
		if (!receipt_ring_is_looked_at(ring))
			continue;
		if (++ring->looks < RECEIPT_RING_LOOKS) {
			receipt_ring_start_timer(ring);
		} else {
			receipt_ring_ask(ring);
			asked = 1;
		}
	}
	if (asked)
		receipt_ring_list_look(list, clock_us());
}

int
receipt_ring_list_init(struct receipt_ring_list *list, struct event_base *base)
{
	*list = (struct receipt_ring_list){.count = 0};
	TAILQ_INIT(&list->head);
	TAILQ_INIT(&list->expecting);
	return timer_init(&list->timer, base, receipt_ring_list_on_time, list);
}

void
receipt_ring_list_done(struct receipt_ring_list *list)
{
	timer_done(&list->timer);
}

/* As on_news may close any of them, this starts from the head each time. */
void
receipt_ring_list_look(struct receipt_ring_list *list, uint64_t now_us)
{
	struct receipt_ring *ring;

	for (size_t i = list->count; i > 0; i--) {
		ring = TAILQ_FIRST(&list->expecting);
		if (ring == NULL)
			break;
		TAILQ_REMOVE(&list->expecting, ring, expecting_entry);
		TAILQ_INSERT_TAIL(&list->expecting, ring, expecting_entry);
		if (receipt_ring_has_news(ring))
			ring->on_news(ring->owner);
	}
	list->looked_us = now_us;
}

void
receipt_ring_list_watch(
    struct receipt_ring_list *list, int watched, uint64_t now_us)
{
	struct receipt_ring *ring;

	if (list->watched == watched)
		return;
	list->watched = watched;
	TAILQ_FOREACH (ring, &list->head, entry)
		receipt_ring_set_watched(ring, watched);
	receipt_ring_list_look(list, now_us);
	TAILQ_FOREACH (ring, &list->expecting, expecting_entry)
		receipt_ring_start_timer(ring);
}
