/* SPDX-License-Identifier: ISC */
#pragma once

/* The outcome of a connection, as its client sees it: exactly one of these. */
enum outcome {
	OUTCOME_SERVED,  /* the complete reply, once, then the end of file */
	OUTCOME_TWICE,   /* a second reply, or that to another request */
	OUTCOME_REFUSED, /* nobody listens */
	OUTCOME_RESET,   /* reset before the end of the reply */
	OUTCOME_CLOSED,  /* the end of file without a reply */
	OUTCOME_SHORT,   /* the end of file within the reply */
	OUTCOME_POLICY,  /* refused with the expected text */
	OUTCOME_TIMEOUT,
	OUTCOME_ERROR, /* anything else, with its errno */
	OUTCOME_COUNT,
};

extern const char *const outcome_names[OUTCOME_COUNT];

/* The outcome for an errno of connect, send or recv. */
enum outcome outcome_of_errno(int error);

/* True if this client, not the server, is responsible for the errno: it lacks
 * ports, descriptors or memory. */
int outcome_errno_is_local(int error);
