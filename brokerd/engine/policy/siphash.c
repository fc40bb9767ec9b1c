/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4, see J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast
 * short-input PRF".  Pure.
 */
#include "engine/policy/siphash.h"

#include <string.h>

static uint64_t
siphash_rotate(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static void
siphash_round(uint64_t v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = siphash_rotate(v[1], 13) ^ v[0];
		v[3] = siphash_rotate(v[3], 16) ^ v[2];
		v[0] = siphash_rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = siphash_rotate(v[1], 17) ^ v[2];
		v[3] = siphash_rotate(v[3], 21) ^ v[0];
		v[2] = siphash_rotate(v[2], 32);
	}
}

static uint64_t
siphash_word(const unsigned char *at, size_t size)
{
	uint64_t word = 0;

	for (size_t i = 0; i < size; i++)
		word |= (uint64_t)at[i] << 8 * i;
	return word;
}

static void
siphash_add(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	siphash_round(v, 2);
	v[0] ^= word;
}

uint64_t
siphash(const uint64_t key[2], const void *data, size_t size)
{
	uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575),
	    key[1] ^ UINT64_C(0x646f72616e646f6d),
	    key[0] ^ UINT64_C(0x6c7967656e657261),
	    key[1] ^ UINT64_C(0x7465646279746573)};
	const unsigned char *at = data;
	size_t left = size;

	for (; left >= 8; left -= 8, at += 8)
		siphash_add(v, siphash_word(at, 8));
	siphash_add(v, siphash_word(at, left) | (uint64_t)size << 56);
	v[2] ^= 0xff;
	siphash_round(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
