/* SPDX-License-Identifier: ISC */
/*
 * Shares out connections among workers by weight: stride scheduling, where the
 * next one goes to the worker that has had the least in proportion to its
 * weight.  Finding it costs the same for one worker and for hundreds.  Pure.
 */
#include "engine/policy/share.h"

#define SHARE_STRIDE 1000000

/* Keeps its place in a heap. */
void
share_init(struct share *share, uint32_t weight, uint64_t base)
{
	share->weight = weight;
	share->pass = base;
}

void
share_take(struct share *share)
{
	share->pass += SHARE_STRIDE / share->weight;
}

uint64_t
share_rank(const struct share *share, size_t outstanding, int differ)
{
	return differ ? share->pass : outstanding;
}

/* The one that is next becomes the parent of the other. */
static struct share *
share_heap_meld(struct share *a, struct share *b)
{
	struct share *child;

	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	if (b->rank < a->rank || (b->rank == a->rank && b->turn < a->turn)) {
		child = a;
		a = b;
	} else {
		child = b;
	}
	child->before = a;
	child->next = a->child;
	if (a->child != NULL)
		a->child->before = child;
	a->child = child;
	a->next = a->before = NULL;
	return a;
}

/* Melds brothers, first in pairs, which is what makes the heap fast. */
static struct share *
share_heap_meld_all(struct share *first)
{
	struct share *pairs = NULL, *all = NULL, *second, *rest;

	for (; first != NULL; first = rest) {
		second = first->next;
		rest = second == NULL ? NULL : second->next;
		first->next = NULL;
		first = share_heap_meld(first, second);
		first->next = pairs;
		pairs = first;
	}
	for (; pairs != NULL; pairs = rest) {
		rest = pairs->next;
		pairs->next = NULL;
		all = share_heap_meld(all, pairs);
	}
	if (all != NULL)
		all->before = NULL;
	return all;
}

void
share_heap_add(struct share_heap *heap, struct share *share, uint64_t rank)
{
	share->rank = rank;
	share->is_queued = 1;
	share->child = share->next = share->before = NULL;
	heap->next = share_heap_meld(heap->next, share);
}

void
share_heap_remove(struct share_heap *heap, struct share *share)
{
	struct share *rest = share_heap_meld_all(share->child);

	share->is_queued = 0;
	if (share == heap->next) {
		heap->next = rest;
		return;
	}
	if (share->before->child == share)
		share->before->child = share->next;
	else
		share->before->next = share->next;
	if (share->next != NULL)
		share->next->before = share->before;
	heap->next = share_heap_meld(heap->next, rest);
}
