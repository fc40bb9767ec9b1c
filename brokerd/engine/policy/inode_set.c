/* SPDX-License-Identifier: ISC */
/*
 * A set of inodes.  Pure.  The kernel numbers sockets one after another: where
 * their last bits are the same, long runs of these would overlap, so the
 * numbers are multiplied first.
 */
#include "engine/policy/inode_set.h"

#include <errno.h>
#include <stdlib.h>

#define INODE_SET_FIRST 64 /* slots; half of them may be used */
#define INODE_SET_FACTOR UINT64_C(0x9e3779b97f4a7c15) /* golden ratio */

/* Returns the slot that has it, or that it could have. */
static uint32_t *
inode_set_slot(uint32_t *slots, size_t count, uint32_t inode)
{
	size_t at = (size_t)(inode * INODE_SET_FACTOR >> 32) & (count - 1);

	while (slots[at] != 0 && slots[at] != inode)
		at = (at + 1) & (count - 1);
	return &slots[at];
}

static int
inode_set_grow(struct inode_set *set)
{
	size_t count =
	    set->slot_count == 0 ? INODE_SET_FIRST : 2 * set->slot_count;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return -1;
	for (size_t i = 0; i < set->slot_count; i++)
		if (set->slots[i] != 0)
			*inode_set_slot(slots, count, set->slots[i]) =
			    set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->slot_count = count;
	return 0;
}

int
inode_set_add(struct inode_set *set, uint32_t inode)
{
	uint32_t *slot;

	if (set->count >= INODE_SET_MOST) {
		errno = EOVERFLOW;
		return -1;
	}
	if (2 * set->count >= set->slot_count && inode_set_grow(set) == -1)
		return -1;
	slot = inode_set_slot(set->slots, set->slot_count, inode);
	set->count += *slot == 0;
	*slot = inode;
	return 0;
}

int
inode_set_has(const struct inode_set *set, uint32_t inode)
{
	return set->slot_count > 0 && inode != 0 &&
	    *inode_set_slot(set->slots, set->slot_count, inode) == inode;
}

void
inode_set_done(struct inode_set *set)
{
	free(set->slots);
	*set = (struct inode_set){.slots = NULL};
}
