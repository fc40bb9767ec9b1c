/* SPDX-License-Identifier: ISC */
/*
 * The bind shim: functions that tell a program where its sockets are bound.  A
 * program that bound an IPv6 socket and got an IPv4 one, see mapped.c, sees the
 * addresses and options that it expects; so do the connections that it accepts.
 */
#include "bind/shim.h"

#include "bind/mapped.h"

#include <errno.h>

int address_calls_accept(
    int fd, struct sockaddr *address, socklen_t *length) __asm__("accept");
int address_calls_accept4(int fd, struct sockaddr *address, socklen_t *length,
    int flags) __asm__("accept4");
int address_calls_connect(int fd, const struct sockaddr *address,
    socklen_t length) __asm__("connect");
int address_calls_getpeername(
    int fd, struct sockaddr *address, socklen_t *length) __asm__("getpeername");
int address_calls_getsockname(
    int fd, struct sockaddr *address, socklen_t *length) __asm__("getsockname");
int address_calls_getsockopt(int fd, int level, int name, void *value,
    socklen_t *length) __asm__("getsockopt");
int address_calls_setsockopt(int fd, int level, int name, const void *value,
    socklen_t length) __asm__("setsockopt");

/* accept(2), getpeername(2) and getsockname(2) have the same type. */
static int
address_calls_ask(__typeof__(&address_calls_accept) next, int fd,
    struct sockaddr *address, socklen_t *length)
{
	struct sockaddr_storage found;
	socklen_t size = sizeof(found);
	int result;

	if (!fd_bits_has(&shim.mapped, fd) || address == NULL)
		return next(fd, address, length);
	result = next(fd, (struct sockaddr *)&found, &size);
	if (result != -1)
		mapped_write(&found, size, address, length);
	return result;
}

/* What accept(2) on fd has returned. */
static int
address_calls_after_accept(int fd, int result)
{
	if (result == -1)
		return -1;
	fd_bits_set(&shim.settled, result, 1);
	fd_bits_set(&shim.mapped, result, fd_bits_has(&shim.mapped, fd));
	return result;
}

int
address_calls_accept(int fd, struct sockaddr *address, socklen_t *length)
{
	return address_calls_after_accept(fd,
	    address_calls_ask(
		SHIM_NEXT(accept, address_calls_accept), fd, address, length));
}

int
address_calls_accept4(
    int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	__typeof__(&address_calls_accept4) next =
	    SHIM_NEXT(accept4, address_calls_accept4);
	struct sockaddr_storage found;
	socklen_t size = sizeof(found);
	int result;

	if (!fd_bits_has(&shim.mapped, fd) || address == NULL)
		return address_calls_after_accept(
		    fd, next(fd, address, length, flags));
	result = next(fd, (struct sockaddr *)&found, &size, flags);
	if (result != -1)
		mapped_write(&found, size, address, length);
	return address_calls_after_accept(fd, result);
}

/* The kernel has given it an address. */
int
address_calls_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	int result =
	    SHIM_NEXT(connect, address_calls_connect)(fd, address, length);

	if (result == 0 || errno == EINPROGRESS)
		fd_bits_set(&shim.settled, fd, 1);
	return result;
}

int
address_calls_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	return address_calls_ask(
	    SHIM_NEXT(getpeername, address_calls_getpeername), fd, address,
	    length);
}

int
address_calls_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	return address_calls_ask(
	    SHIM_NEXT(getsockname, address_calls_getsockname), fd, address,
	    length);
}

int
address_calls_getsockopt(
    int fd, int level, int name, void *value, socklen_t *length)
{
	__typeof__(&address_calls_getsockopt) next =
	    SHIM_NEXT(getsockopt, address_calls_getsockopt);
	int answer = level == SOL_SOCKET ? AF_INET6 : 0;
	int result;

	if (!fd_bits_has(&shim.mapped, fd))
		return next(fd, level, name, value, length);
	if ((level != SOL_SOCKET || name != SO_DOMAIN) &&
	    (level != IPPROTO_IPV6 || name != IPV6_V6ONLY)) {
		mapped_option(&level, &name);
		return next(fd, level, name, value, length);
	}
	/* Of the same size, and with the same errors. */
	result = next(fd, SOL_SOCKET, SO_DOMAIN, value, length);
	if (result == 0 && *length == sizeof(answer))
		*(int *)value = answer;
	return result;
}

/* What IPv4 does not have is accepted and does nothing. */
int
address_calls_setsockopt(
    int fd, int level, int name, const void *value, socklen_t length)
{
	if (fd_bits_has(&shim.mapped, fd) && level == IPPROTO_IPV6 &&
	    !mapped_option(&level, &name))
		return 0;
	return SHIM_NEXT(setsockopt, address_calls_setsockopt)(
	    fd, level, name, value, length);
}
