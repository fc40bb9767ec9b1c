/* SPDX-License-Identifier: ISC */
/*
 * Gives up privileges.  Runs as root in the monitor, and in its children
 * between fork and exec, which check themselves that they have none left.
 * doc/ARCHITECTURE.md says what each capability is for.
 */
#include "monitor/privilege.h"

#include "config.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <unistd.h>

/* Kept by a monitor that is root, whatever its endpoints are, since a reload
 * may need any of them.  None overrides file permissions, see
 * privilege_set_fsuid(). */
static const unsigned int privilege_kept[] = {CAP_NET_BIND_SERVICE, CAP_SETUID,
    CAP_SETGID, CAP_SETPCAP, CAP_KILL, CAP_CHOWN};

#define PRIVILEGE_KEPT (sizeof(privilege_kept) / sizeof(privilege_kept[0]))

/* libcap-ng 0.8 reports no error if it cannot drop a capability from the
 * bounding set, so this asks the kernel whether only count are left. */
static int
privilege_check_bounds(size_t count)
{
	int bit;

	for (unsigned int c = 0;
	     (bit = prctl(PR_CAPBSET_READ, c, 0, 0, 0)) != -1; c++)
		count -= (size_t)bit;
	if (errno == EINVAL && count == 0)
		return 0;
	errno = EPERM;
	return -1;
}

void
privilege_missing(struct log *log)
{
	capng_get_caps_process();
	for (size_t i = 0; i < PRIVILEGE_KEPT; i++)
		if (!capng_have_capability(CAPNG_PERMITTED, privilege_kept[i]))
			log_line(log, LOG_ERR, "root lacks cap_%s",
			    capng_capability_to_name(privilege_kept[i]));
}

/* Another user keeps the first, if he has it. */
int
privilege_reduce(void)
{
	int root = geteuid() == 0, binds;

	errno = EPERM; /* libcap-ng does not always set it */
	binds = capng_get_caps_process() == 0 &&
	    capng_have_capability(CAPNG_PERMITTED, privilege_kept[0]);
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < (root ? PRIVILEGE_KEPT : (size_t)binds); i++)
		capng_update(CAPNG_ADD,
		    CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
		    privilege_kept[i]);
	if (!root)
		return -(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ==
			-1 ||
		    capng_apply(CAPNG_SELECT_CAPS) != 0);
	/* capng_lock() comes first, as it needs CAP_SETPCAP. */
	if (setgroups(0, NULL) == -1 || capng_lock() != 0 ||
	    capng_apply(CAPNG_SELECT_BOTH) != 0)
		return -1;
	return privilege_check_bounds(PRIVILEGE_KEPT);
}

/* Ambient capabilities have to be inheritable, see capabilities(7). */
int
privilege_keep_over_exec(int on)
{
	errno = EPERM;
	for (size_t i = 0; i < PRIVILEGE_KEPT; i++)
		if (capng_have_capability(CAPNG_PERMITTED, privilege_kept[i]))
			capng_update(on ? CAPNG_ADD : CAPNG_DROP,
			    CAPNG_INHERITABLE | CAPNG_AMBIENT,
			    privilege_kept[i]);
	return -(capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) != 0);
}

int
privilege_drop(uint32_t uid, uint32_t gid)
{
	errno = EPERM;
	capng_clear(CAPNG_SELECT_BOTH);
	if (geteuid() != 0)
		return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -1;
	/* setresuid(2) takes -1 for "unchanged". */
	if (uid == 0 || uid == UINT32_MAX || gid == 0 || gid == UINT32_MAX)
		return -1;
	if (capng_change_id((int)uid, (int)gid,
		CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING |
		    CAPNG_CLEAR_AMBIENT) != 0)
		return -1;
	return privilege_check_bounds(0);
}

void
privilege_set_fsuid(uint32_t uid)
{
	if (geteuid() == 0) {
		setfsuid(uid);
		setfsgid(uid == 0 ? 0 : CONF_UID); /* owns no files */
	}
}
