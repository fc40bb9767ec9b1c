/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#define IN_FLIGHT_MOST 16384 /* more are not counted */

/* Descriptors in flight: sent and not yet received.  The kernel counts those of
 * all processes of a user together, and lets this process send more only below
 * its limit of open files; see unix(7), ETOOMANYREFS. */
struct in_flight {
	int ends[2]; /* of a connection to itself; -1: there is none */
	uint64_t limit;
	unsigned int unread; /* messages on that connection */
};

/* 0, or -1 with errno. */
int in_flight_open(struct in_flight *flight);

void in_flight_close(struct in_flight *flight);

/* Returns how many descriptors can be sent now: exactly if they are few, at
 * least so many if there are more, and at most IN_FLIGHT_MOST. */
uint64_t in_flight_left(struct in_flight *flight);

/* Gives up for good a part of the descriptors that this process, which needs so
 * many files at first, may have: at most half, and less if what others have
 * sent would leave it too few.  So what it leaves unread, if it is taken over,
 * is not all that its successor may send.  Changes nothing if they are few. */
void in_flight_leave_rest(uint64_t files);
