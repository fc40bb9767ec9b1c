/* SPDX-License-Identifier: ISC */
/*
 * The ledger.  Engine, unprivileged.  A kill may come between any two stores,
 * and what was stored before it is seen by the keeper, so the order of stores
 * is what counts: entries are volatile.  sendmmsg(2) tells in this memory,
 * before it returns, whether the message was sent.
 */
#include "engine/handoff/ledger.h"

#include "channel/message.h"
#include "engine/handoff/handoff.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <fcntl.h>

#define LEDGER_MAX (1U << 20)

static size_t
ledger_size(uint32_t count)
{
	return sizeof(struct ledger_page) + count * sizeof(struct ledger_entry);
}

/* Pages that are never written need no memory. */
int
ledger_open(struct ledger *ledger)
{
	struct rlimit limit;
	void *page;

	/* Only root's monitor sets secure bits. */
	*ledger = (struct ledger){.count = LEDGER_MAX,
	    .is_roots = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) > 0};
	ledger->returned =
	    fcntl(CHANNEL_RETURNED, F_GETFD) == -1 ? -1 : CHANNEL_RETURNED;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < LEDGER_MAX)
		ledger->count = (uint32_t)limit.rlim_cur;
	page = mmap(NULL, ledger_size(ledger->count), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (page == MAP_FAILED)
		return -1;
	ledger->page = page;
	ledger->page->rendezvous = -1;
	ledger->page->send.msg_len = LEDGER_UNSENT;
	ledger_set(ledger, ledger->returned, LEDGER_READER);
	return 0;
}

void
ledger_close(struct ledger *ledger)
{
	if (ledger->page != NULL)
		munmap(ledger->page, ledger_size(ledger->count));
	*ledger = (struct ledger){.page = NULL};
}

void
ledger_serve(struct ledger *ledger)
{
	if (ledger != NULL && ledger->page != NULL)
		ledger->page->serving = 1;
}

void
ledger_end(struct ledger *ledger)
{
	if (ledger != NULL && ledger->page != NULL)
		ledger->page->ended = 1;
}

void
ledger_note_rendezvous(struct ledger *ledger, int fd, uint32_t orphan_timeout_s)
{
	if (ledger == NULL || ledger->page == NULL)
		return;
	ledger->page->rendezvous = fd;
	ledger->page->orphan_timeout_s = orphan_timeout_s;
}

void
ledger_note_orphan(struct ledger *ledger, uint64_t until_ms)
{
	if (ledger != NULL && ledger->page != NULL)
		ledger->page->orphan_until_ms = until_ms;
}

static volatile struct ledger_entry *
ledger_entry(struct ledger *ledger, int fd)
{
	return ledger == NULL || ledger->page == NULL || fd < 0 ||
		(uint32_t)fd >= ledger->count ?
	    NULL :
	    &ledger->page->entries[fd];
}

static void
ledger_clear(volatile struct ledger_entry *entry)
{
	entry->deaths = 0;
	entry->redeliveries = entry->returns = 0;
	entry->accept_time_ns = 0;
}

void
ledger_accept(struct ledger *ledger, int fd)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, fd);

	if (entry == NULL)
		return;
	ledger_clear(entry);
	entry->state = LEDGER_HELD;
}

static void
ledger_describe(
    volatile struct ledger_entry *entry, const struct handoff *handoff)
{
	entry->deaths = (uint8_t)handoff->deaths;
	entry->redeliveries = (uint16_t)handoff->redeliveries;
	entry->returns = (uint16_t)handoff->returns;
	entry->accept_time_ns = handoff->accept_time_ns;
}

void
ledger_hold(struct ledger *ledger, const struct handoff *handoff)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, handoff->fd);

	if (entry == NULL)
		return;
	ledger_describe(entry, handoff);
	entry->state = LEDGER_HELD;
}

void
ledger_set(struct ledger *ledger, int fd, enum ledger_state state)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, fd);

	if (entry != NULL)
		entry->state = (uint8_t)state;
}

uint32_t
ledger_add_peer(struct ledger *ledger, int fd)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, fd);

	if (entry == NULL)
		return 0;
	entry->peer_id = ++ledger->last_id;
	entry->state = LEDGER_PEER;
	return entry->peer_id;
}

uint32_t
ledger_peer_id(struct ledger *ledger, int fd)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, fd);

	return entry == NULL ? 0 : entry->peer_id;
}

void
ledger_add_sent(struct ledger *ledger, int fd, int peer, uint64_t sequence)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, fd);

	if (entry == NULL)
		return;
	ledger_clear(entry);
	entry->sequence = sequence;
	entry->peer = (uint32_t)peer;
	entry->peer_id = ledger_add_peer(ledger, peer);
	entry->state = LEDGER_SENT;
}

void
ledger_keep_sent(struct ledger *ledger, const struct handoff *handoff, int peer,
    uint32_t peer_id)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, handoff->fd);

	if (entry == NULL)
		return;
	ledger_describe(entry, handoff);
	entry->peer = (uint32_t)peer;
	entry->peer_id = peer_id;
}

struct mmsghdr *
ledger_send(struct ledger *ledger, struct handoff *const *handoffs,
    size_t count, int peer, uint32_t peer_id)
{
	volatile struct ledger_entry *entry;

	if (ledger == NULL || ledger->page == NULL)
		return NULL;
	*(volatile unsigned int *)&ledger->page->send.msg_len = LEDGER_UNSENT;
	for (size_t i = 0; i < count; i++) {
		entry = ledger_entry(ledger, handoffs[i]->fd);
		if (entry == NULL ||
		    handoffs[i]->endpoint->handoff != RECORD_CONNECTION)
			continue;
		entry->peer = (uint32_t)peer;
		entry->peer_id = peer_id;
		entry->sequence = handoffs[i]->sequence;
		entry->state = LEDGER_SENDING;
	}
	return &ledger->page->send;
}

void
ledger_on_sent(struct ledger *ledger, struct handoff *const *handoffs,
    size_t count, int sent)
{
	for (size_t i = 0; i < count; i++)
		if (handoffs[i]->endpoint->handoff == RECORD_CONNECTION)
			ledger_set(ledger, handoffs[i]->fd,
			    sent ? LEDGER_SENT : LEDGER_HELD);
}

void
ledger_before_close(struct ledger *ledger, int fd)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, fd);

	if (entry != NULL && entry->state != LEDGER_DEAD)
		entry->state = LEDGER_OTHER;
}

/* That of a dead worker stays until its number is used again: it tells for
 * whom no receipt will come. */
void
ledger_after_close(struct ledger *ledger, int fd)
{
	volatile struct ledger_entry *entry = ledger_entry(ledger, fd);

	if (entry != NULL && entry->state != LEDGER_DEAD)
		entry->state = LEDGER_NONE;
}

void
ledger_expect(struct ledger *ledger, int incoming)
{
	if (ledger != NULL && ledger->page != NULL)
		*(volatile uint32_t *)&ledger->page->incoming =
		    (uint32_t)incoming;
}

void
ledger_pass_counters(struct ledger *ledger, uint32_t number, int fd)
{
	if (ledger == NULL || ledger->page == NULL || number >= LEDGER_COUNTERS)
		return;
	ledger->page->counters[number] = fd;
	ledger->page->counters_count = number + (fd != -1);
}

void
ledger_pass(struct ledger *ledger, int fd)
{
	if (ledger != NULL && ledger->page != NULL &&
	    ledger->page->passed_count < RECORD_MAX)
		ledger->page->passed[ledger->page->passed_count++] = fd;
}
