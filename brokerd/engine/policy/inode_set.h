/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define INODE_SET_MOST 262144

/* Numbers of inodes, which the kernel has chosen.  All zeros: none. */
struct inode_set {
	uint32_t *slots;   /* 0: free */
	size_t slot_count; /* a power of two */
	size_t count;
};

/* Adds an inode that is not 0.  0, or -1 with ENOMEM, or with EOVERFLOW if
 * INODE_SET_MOST are there. */
int inode_set_add(struct inode_set *set, uint32_t inode);

int inode_set_has(const struct inode_set *set, uint32_t inode);

/* Frees it: then there are none. */
void inode_set_done(struct inode_set *set);
