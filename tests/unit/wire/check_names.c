/* SPDX-License-Identifier: ISC */
/*
 * Paths in the run directory.
 */
#include "fixture/unit.h"
#include "wire/names.h"

#include <errno.h>
#include <string.h>

START_TEST(a_rendezvous_has_a_number)
{
	struct sockaddr_un address;

	ck_assert_int_eq(fdrecv_names_rendezvous("/run/b", 7, &address), 0);
	ck_assert_int_eq(address.sun_family, AF_UNIX);
	ck_assert_str_eq(address.sun_path, "/run/b/rendezvous.7");
}
END_TEST

START_TEST(a_path_has_room_for_its_nul_or_is_refused)
{
	char run_dir[sizeof(((struct sockaddr_un *)0)->sun_path)] = "";
	size_t most = sizeof(run_dir) - sizeof("/rendezvous.0");
	struct sockaddr_un address = {.sun_family = AF_UNSPEC};

	memset(run_dir, 'x', most + 1);
	ck_assert_int_eq(fdrecv_names_rendezvous(run_dir, 0, &address), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_int_eq(address.sun_family, AF_UNSPEC);
	run_dir[most] = '\0';
	ck_assert_int_eq(fdrecv_names_rendezvous(run_dir, 0, &address), 0);
	ck_assert_uint_eq(
	    strlen(address.sun_path), sizeof(address.sun_path) - 1);
}
END_TEST

UNIT_SUITE(names)
{
	TCase *tc = unit_case(suite, "names");

	tcase_add_test(tc, a_rendezvous_has_a_number);
	tcase_add_test(tc, a_path_has_room_for_its_nul_or_is_refused);
}
