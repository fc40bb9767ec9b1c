/* SPDX-License-Identifier: ISC */
/*
 * Beginning of an unprivileged process.  It checks itself that the monitor has
 * dropped its privileges.
 */
#include "base/role.h"

#include "base/filter.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

int
role_settle(const char *name)
{
	static const int ignored[] = {
	    SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_NAME, name, 0, 0, 0) == -1 ||
	    syscall(SYS_capget, &header, caps) == -1)
		return -1;
	errno = EPERM;
	/* Only root's monitor sets secure bits; then gid 0 is a privilege. */
	return -(geteuid() == 0 ||
	    (getegid() == 0 && prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != 0) ||
	    (caps[0].permitted | caps[1].permitted) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1);
}

int
role_restrict(const struct filter *filter)
{
	int has_monitor = filter_is_on(&filter_monitor);

	errno = ENOTRECOVERABLE;
	if (filter_enter(filter))
		return has_monitor ? 1 : -1;
	/* A container may refuse it, too. */
	return !has_monitor &&
		(errno == ENOSYS || errno == EINVAL || errno == EPERM) ?
	    0 :
	    -1;
}
