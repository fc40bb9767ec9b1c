/* SPDX-License-Identifier: ISC */
/*
 * Copies that end with their page, before one that nobody may touch.
 */
#include "brink.h"

#include "unit.h"

#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

void
brink_init(struct brink *brink, const void *bytes, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (size / page + 1) * page;

	brink->mapped = room + page;
	brink->map = mmap(NULL, brink->mapped, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(brink->map, MAP_FAILED);
	ck_assert_int_eq(mprotect(brink->map + room, page, PROT_NONE), 0);
	brink->bytes = (unsigned char *)brink->map + room - size;
	if (size != 0)
		memcpy(brink->bytes, bytes, size);
}

void
brink_done(struct brink *brink)
{
	munmap(brink->map, brink->mapped);
}
