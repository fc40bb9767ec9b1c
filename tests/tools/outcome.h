/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_OUTCOME_H
#define TOOLS_OUTCOME_H

/* What became of a connection, as its client saw it: exactly one of these. */
enum outcome {
	OUTCOME_SERVED,  /* the whole answer, once, then the end of file */
	OUTCOME_TWICE,   /* a second answer, or somebody else's */
	OUTCOME_REFUSED, /* nobody listens */
	OUTCOME_RESET,   /* cut off before the end of the answer */
	OUTCOME_CLOSED,  /* the end of file without an answer */
	OUTCOME_SHORT,   /* the end of file within the answer */
	OUTCOME_POLICY,  /* refused with the text that was expected */
	OUTCOME_TIMEOUT,
	OUTCOME_ERROR, /* anything else, with its errno */
	OUTCOME_COUNT,
};

extern const char *const outcome_names[OUTCOME_COUNT];

/* What an errno of connect, send or recv means. */
enum outcome outcome_of_errno(int error);

/* True if the errno speaks of this client's means (ports, descriptors,
 * memory), not of the server. */
int outcome_errno_is_local(int error);

#endif
