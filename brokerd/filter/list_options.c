/* SPDX-License-Identifier: ISC */
/*
 * The socket options that the engine sets: of its own sockets, and those that
 * it puts right.  With others it could do to a listener what no later engine
 * can undo, such as lock a filter, or demand signatures (TCP_MD5SIG).
 */
#include "base/option_list.h"
#include "filter/lists.h"

#include <errno.h>
#include <stddef.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

#define OPTION(what, level, name)                                      \
	{                                                              \
		.names = "setsockopt", .kind = (what), .error = EPERM, \
		.arguments = {                                         \
			{2, UINT32_MAX, (level)},                      \
			{3, UINT32_MAX, (name)}                        \
		}                                                      \
	}
#define SOCKET(name) OPTION(CALL_RARE, SOL_SOCKET, name)
#define TCP(name) OPTION(CALL_RARE, IPPROTO_TCP, name)
#define UDP(name) OPTION(CALL_RARE, IPPROTO_UDP, name)
#define IP(name) OPTION(CALL_RARE, IPPROTO_IP, name)
#define IPV6(name) OPTION(CALL_RARE, IPPROTO_IPV6, name)
/* Another engine could not undo it, so this one must not do it. */
#define REFUSED(name) OPTION(CALL_REFUSED, SOL_SOCKET, name)

const struct call_group list_options[] = {SOCKET(SO_PASSRIGHTS),
    SOCKET(SO_DETACH_FILTER), SOCKET(SO_DETACH_REUSEPORT_BPF),
    OPTION_LIST(SOCKET, TCP, UDP, IP, IPV6, REFUSED), {.names = NULL}};
