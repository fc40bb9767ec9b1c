/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>

#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72 /* Linux 5.14 */
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5 */
#endif

/* Options that whoever has a socket can change, and that change what the next
 * one gets, by level: SOCKET(name) and so on for each.  The engine puts them
 * right, so its filter lets it.  To undo PRIVILEGED(name), at SOL_SOCKET, takes
 * a capability. */
#define OPTION_LIST(SOCKET, TCP, UDP, IP, IPV6, PRIVILEGED)                    \
	SOCKET(SO_REUSEADDR), SOCKET(SO_REUSEPORT), SOCKET(SO_KEEPALIVE),      \
	    SOCKET(SO_LINGER), SOCKET(SO_RCVTIMEO), SOCKET(SO_SNDTIMEO),       \
	    SOCKET(SO_RCVLOWAT), SOCKET(SO_PRIORITY), SOCKET(SO_MARK),         \
	    PRIVILEGED(SO_BINDTODEVICE), SOCKET(SO_BROADCAST),                 \
	    SOCKET(SO_DONTROUTE), SOCKET(SO_OOBINLINE), SOCKET(SO_PASSCRED),   \
	    SOCKET(SO_PASSPIDFD), SOCKET(SO_PASSSEC), SOCKET(SO_PEEK_OFF),     \
	    SOCKET(SO_TIMESTAMP), SOCKET(SO_TIMESTAMPNS), SOCKET(SO_RXQ_OVFL), \
	    SOCKET(SO_BUSY_POLL), SOCKET(SO_MAX_PACING_RATE),                  \
	    SOCKET(SO_NO_CHECK), SOCKET(SO_TIMESTAMPING), SOCKET(SO_ZEROCOPY), \
	    SOCKET(SO_RCVBUF), SOCKET(SO_SNDBUF), SOCKET(SO_BUF_LOCK),         \
	    TCP(TCP_NODELAY), TCP(TCP_CORK), TCP(TCP_QUICKACK),                \
	    TCP(TCP_DEFER_ACCEPT), TCP(TCP_FASTOPEN), TCP(TCP_KEEPIDLE),       \
	    TCP(TCP_KEEPINTVL), TCP(TCP_KEEPCNT), TCP(TCP_SYNCNT),             \
	    TCP(TCP_LINGER2), TCP(TCP_USER_TIMEOUT), TCP(TCP_NOTSENT_LOWAT),   \
	    TCP(TCP_WINDOW_CLAMP), TCP(TCP_CONGESTION), TCP(TCP_MAXSEG),       \
	    UDP(UDP_CORK), UDP(UDP_ENCAP), UDP(UDP_SEGMENT), UDP(UDP_GRO),     \
	    IP(IP_TOS), IP(IP_OPTIONS), IP(IP_TTL), IP(IP_MINTTL),             \
	    IP(IP_PKTINFO), IP(IP_RECVERR), IP(IP_MULTICAST_IF),               \
	    IP(IP_MULTICAST_LOOP), IP(IP_MULTICAST_TTL), IP(IP_RECVTOS),       \
	    IP(IP_RECVTTL), IP(IP_RECVORIGDSTADDR), IP(IP_MTU_DISCOVER),       \
	    IP(IP_FREEBIND), IPV6(IPV6_TCLASS), IPV6(IPV6_UNICAST_HOPS),       \
	    IPV6(IPV6_MINHOPCOUNT), IPV6(IPV6_RECVPKTINFO),                    \
	    IPV6(IPV6_RECVERR), IPV6(IPV6_MULTICAST_HOPS),                     \
	    IPV6(IPV6_MULTICAST_IF), IPV6(IPV6_MULTICAST_LOOP),                \
	    IPV6(IPV6_RECVTCLASS), IPV6(IPV6_RECVHOPLIMIT),                    \
	    IPV6(IPV6_MTU_DISCOVER)
