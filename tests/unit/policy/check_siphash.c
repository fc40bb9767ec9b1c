/* SPDX-License-Identifier: ISC */
/*
 * The test vectors of SipHash-2-4, from the paper and its reference code.
 */
#include "fixture/unit.h"

#include "engine/policy/siphash.h"

/* The key is 00 01 ... 0f, the input 00 01 ... of each length. */
static const uint64_t key[2] = {
    UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static const struct {
	size_t size;
	uint64_t hash;
} vectors[] = {
    {0, UINT64_C(0x726fdb47dd0e0e31)},
    {1, UINT64_C(0x74f839c593dc67fd)},
    {7, UINT64_C(0xab0200f58b01d137)},
    {8, UINT64_C(0x93f5f5799a932462)},
    {15, UINT64_C(0xa129ca6149be45e5)},
};

START_TEST(the_hash_is_that_of_the_paper)
{
	unsigned char input[16];

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (unsigned char)i;
	ck_assert_uint_eq(
	    siphash(key, input, vectors[_i].size), vectors[_i].hash);
}
END_TEST

START_TEST(another_key_has_another_hash)
{
	const uint64_t other[2] = {key[0], key[1] + 1};

	ck_assert_uint_ne(siphash(key, "a", 1), siphash(other, "a", 1));
}
END_TEST

UNIT_SUITE(siphash)
{
	TCase *tc = unit_case(suite, "siphash");

	tcase_add_loop_test(
	    tc, the_hash_is_that_of_the_paper, 0, UNIT_COUNT(vectors));
	tcase_add_test(tc, another_key_has_another_hash);
}
