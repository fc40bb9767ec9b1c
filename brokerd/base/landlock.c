/* SPDX-License-Identifier: ISC */
/*
 * Landlock, for the unprivileged roles: a process gives up access to files,
 * TCP, abstract sockets and signals for itself.  A kernel may have none of it
 * (before 5.13), or only some: this file does not use <linux/landlock.h>, which
 * may be older than the kernel.
 */
#include "base/landlock.h"

#include "base/fd.h"

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define LANDLOCK_VERSION 1u /* flag: return the ABI */
#define LANDLOCK_BENEATH 1  /* type of a rule: below a directory */
#define LANDLOCK_SCOPE_ALL UINT64_C(3)

struct landlock_attributes {
	uint64_t files, tcp, scope;
};

struct landlock_beneath {
	uint64_t rights;
	int32_t directory;
} __attribute__((packed));

/* How many rights to files each ABI has; later ones have others. */
static uint64_t
landlock_all_rights(int abi)
{
	static const int counts[] = {0, 13, 14, 15, 15, 16};

	return (UINT64_C(1) << counts[abi < 5 ? abi : 5]) - 1;
}

int
landlock_begin(struct landlock *landlock, uint64_t tcp)
{
	struct landlock_attributes attributes = {.files = 0};
	int abi = (int)syscall(
	    SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);

	*landlock = (struct landlock){.rules = -1, .abi = abi};
	if (abi < 1)
		return -1;
	attributes.files = landlock_all_rights(abi);
	attributes.tcp = abi < LANDLOCK_TCP ? 0 : tcp;
	attributes.scope = abi < LANDLOCK_SCOPES ? 0 : LANDLOCK_SCOPE_ALL;
	landlock->rules = (int)syscall(
	    SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	return landlock->rules == -1 ? -1 : 0;
}

int
landlock_allow(const struct landlock *landlock, int directory, uint64_t rights)
{
	const struct landlock_beneath beneath = {rights, directory};

	return (int)syscall(SYS_landlock_add_rule, landlock->rules,
	    LANDLOCK_BENEATH, &beneath, 0);
}

/* Every user may write to /dev/null, and no role that calls this needs to. */
static int
landlock_check(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd == -1 && errno == EACCES)
		return 0;
	fd_close(fd);
	errno = EPERM;
	return -1;
}

int
landlock_enter(struct landlock *landlock)
{
	int result =
	    (int)syscall(SYS_landlock_restrict_self, landlock->rules, 0);

	landlock->rules = fd_close(landlock->rules);
	return result == -1 ? -1 : landlock_check();
}
