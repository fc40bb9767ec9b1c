/* SPDX-License-Identifier: ISC */
/*
 * The socket options that the engine sets: of its own sockets, and those that
 * it puts right, see brokerd/engine/handoff/repair.c.  With others it could do
 * to a listener what no later engine can undo, such as lock a filter, or demand
 * signatures (TCP_MD5SIG).
 */
#include "filter/lists.h"

#include <sys/socket.h>

#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <errno.h>
#include <stddef.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72 /* Linux 5.14 */
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5 */
#endif
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

const struct call_group list_options[] = {SOCKET(SO_LINGER),
    SOCKET(SO_PASSCRED), SOCKET(SO_PASSPIDFD), SOCKET(SO_PASSRIGHTS),
    SOCKET(SO_DETACH_FILTER), SOCKET(SO_DETACH_REUSEPORT_BPF),
    SOCKET(SO_REUSEADDR), SOCKET(SO_REUSEPORT), SOCKET(SO_KEEPALIVE),
    SOCKET(SO_RCVTIMEO), SOCKET(SO_SNDTIMEO), SOCKET(SO_RCVLOWAT),
    SOCKET(SO_PRIORITY), SOCKET(SO_MARK), SOCKET(SO_BROADCAST),
    SOCKET(SO_DONTROUTE), SOCKET(SO_OOBINLINE), SOCKET(SO_PASSSEC),
    SOCKET(SO_PEEK_OFF), SOCKET(SO_TIMESTAMP), SOCKET(SO_TIMESTAMPNS),
    SOCKET(SO_RXQ_OVFL), SOCKET(SO_BUSY_POLL), SOCKET(SO_MAX_PACING_RATE),
    SOCKET(SO_NO_CHECK), SOCKET(SO_TIMESTAMPING), SOCKET(SO_ZEROCOPY),
    SOCKET(SO_RCVBUF), SOCKET(SO_SNDBUF), SOCKET(SO_BUF_LOCK), TCP(TCP_NODELAY),
    TCP(TCP_CORK), TCP(TCP_QUICKACK), TCP(TCP_DEFER_ACCEPT), TCP(TCP_FASTOPEN),
    TCP(TCP_KEEPIDLE), TCP(TCP_KEEPINTVL), TCP(TCP_KEEPCNT), TCP(TCP_SYNCNT),
    TCP(TCP_LINGER2), TCP(TCP_USER_TIMEOUT), TCP(TCP_NOTSENT_LOWAT),
    TCP(TCP_WINDOW_CLAMP), TCP(TCP_CONGESTION), TCP(TCP_MAXSEG), UDP(UDP_CORK),
    UDP(UDP_ENCAP), UDP(UDP_SEGMENT), UDP(UDP_GRO), IP(IP_TOS), IP(IP_OPTIONS),
    IP(IP_TTL), IP(IP_MINTTL), IP(IP_PKTINFO), IP(IP_RECVERR),
    IP(IP_MULTICAST_IF), IP(IP_MULTICAST_LOOP), IP(IP_MULTICAST_TTL),
    IP(IP_RECVTOS), IP(IP_RECVTTL), IP(IP_RECVORIGDSTADDR), IP(IP_MTU_DISCOVER),
    IP(IP_FREEBIND), IPV6(IPV6_TCLASS), IPV6(IPV6_UNICAST_HOPS),
    IPV6(IPV6_MINHOPCOUNT), IPV6(IPV6_RECVPKTINFO), IPV6(IPV6_RECVERR),
    IPV6(IPV6_MULTICAST_HOPS), IPV6(IPV6_MULTICAST_IF),
    IPV6(IPV6_MULTICAST_LOOP), IPV6(IPV6_RECVTCLASS), IPV6(IPV6_RECVHOPLIMIT),
    IPV6(IPV6_MTU_DISCOVER),
    /* To undo it takes a capability, so another engine must not do it either.
     */
    OPTION(CALL_REFUSED, SOL_SOCKET, SO_BINDTODEVICE), {.names = NULL}};
