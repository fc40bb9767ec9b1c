/* SPDX-License-Identifier: ISC */
/*
 * The bind shim: its state, which is made when the program is loaded.  Runs
 * with the rights of that program, in its threads and in its children.
 */
#include "bind/shim.h"

#include "wire/names.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct shim shim;

#define SHIM_NAME(name) #name
static const char *const shim_names[] = {SHIM_FUNCTIONS(SHIM_NAME)};

/* Children of vfork(2), which share the memory, do not get here. */
static void
shim_on_fork(void)
{
	shim.watch.pid = getpid();
}

/* secure_getenv(3): a program with more rights than its caller must not obey
 * the caller's environment. */
__attribute__((constructor)) static void
shim_load(void)
{
	const char *numbers = secure_getenv(FDRECV_WIRE_ENV_BIND_FDS);
	int saved = errno;

	for (int i = 0; i < SHIM_COUNT; i++)
		shim.next[i] = dlsym(RTLD_NEXT, shim_names[i]);
	shim.debug = secure_getenv("FDRECV_BIND_DEBUG") != NULL;
	if (numbers != NULL) {
		shim_on_fork();
		pthread_atfork(NULL, NULL, shim_on_fork);
		lent_sockets_load(&shim.lent, numbers);
	}
	errno = saved;
}

/* Constructors of other libraries may call before this one's has run. */
void *
shim_next(enum shim_function which)
{
	return shim.next[which] != NULL ? shim.next[which] :
					  dlsym(RTLD_NEXT, shim_names[which]);
}

void
shim_debug(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length;

	if (!shim.debug)
		return;
	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length >= (int)sizeof(line))
		length = (int)sizeof(line) - 1;
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) == -1)
		return; /* there is no way to report it */
}
