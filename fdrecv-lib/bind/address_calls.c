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
	__typeof__(&address_calls_accept) next =
	    SHIM_NEXT(SHIM_ACCEPT, address_calls_accept);
	struct sockaddr_storage found;
	socklen_t size = sizeof(found);
	int result;

	if (!fd_bits_has(&shim.mapped, fd) || address == NULL)
		return address_calls_after_accept(
		    fd, next(fd, address, length));
	result = next(fd, (struct sockaddr *)&found, &size);
	if (result != -1)
		mapped_write(&found, size, address, length);
	return address_calls_after_accept(fd, result);
}

int
address_calls_accept4(
    int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	__typeof__(&address_calls_accept4) next =
	    SHIM_NEXT(SHIM_ACCEPT4, address_calls_accept4);
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
	    SHIM_NEXT(SHIM_CONNECT, address_calls_connect)(fd, address, length);

	if (result == 0 || errno == EINPROGRESS)
		fd_bits_set(&shim.settled, fd, 1);
	return result;
}

int
address_calls_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	__typeof__(&address_calls_getpeername) next =
	    SHIM_NEXT(SHIM_GETPEERNAME, address_calls_getpeername);
	struct sockaddr_storage found;
	socklen_t size = sizeof(found);

	if (!fd_bits_has(&shim.mapped, fd))
		return next(fd, address, length);
	if (next(fd, (struct sockaddr *)&found, &size) == -1)
		return -1;
	mapped_write(&found, size, address, length);
	return 0;
}

int
address_calls_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	__typeof__(&address_calls_getsockname) next =
	    SHIM_NEXT(SHIM_GETSOCKNAME, address_calls_getsockname);
	struct sockaddr_storage found;
	socklen_t size = sizeof(found);

	if (!fd_bits_has(&shim.mapped, fd))
		return next(fd, address, length);
	if (next(fd, (struct sockaddr *)&found, &size) == -1)
		return -1;
	mapped_write(&found, size, address, length);
	return 0;
}

int
address_calls_getsockopt(
    int fd, int level, int name, void *value, socklen_t *length)
{
	__typeof__(&address_calls_getsockopt) next =
	    SHIM_NEXT(SHIM_GETSOCKOPT, address_calls_getsockopt);
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
	return SHIM_NEXT(SHIM_SETSOCKOPT, address_calls_setsockopt)(
	    fd, level, name, value, length);
}
