/* SPDX-License-Identifier: ISC */
/*
 * A kernel that has too little memory.
 */
#include "fake_shortage.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#define ARGUMENTS 6

struct fake_shortage fake_shortage;

static int
fake_shortage_fails(void)
{
	if (fake_shortage.times == 0)
		return 0;
	fake_shortage.times--;
	errno = fake_shortage.error;
	return 1;
}

long
syscall(long number, ...)
{
	long (*next)(long, ...), arguments[ARGUMENTS];
	va_list list;

	*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	va_start(list, number);
	for (int i = 0; i < ARGUMENTS; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_epoll_ctl && fake_shortage_fails())
		return -1;
	return next(number, arguments[0], arguments[1], arguments[2],
	    arguments[3], arguments[4], arguments[5]);
}

int
fstatat(
    int dirfd, const char *restrict path, struct stat *restrict st, int flags)
{
	int (*next)(int, const char *, struct stat *, int);

	*(void **)&next = dlsym(RTLD_NEXT, "fstatat");
	return fake_shortage_fails() ? -1 : next(dirfd, path, st, flags);
}
