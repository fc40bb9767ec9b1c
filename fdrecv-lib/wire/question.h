/* SPDX-License-Identifier: ISC */
#pragma once

#include "wire/datagram.h"

/*
 * A question to the engine: what is the listener of this name?  It is the first
 * and only message on a connection to the rendezvous.  The rules of datagram.h
 * apply.
 */

#define FDRECV_WIRE_QUESTION_MAGIC "qfdr"
#define FDRECV_WIRE_ANSWER_MAGIC "afdr"

/* Followed by the name of a listener. */
struct fdrecv_wire_question {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t size; /* of this structure: the name begins there */
	uint16_t name_length;
	uint16_t reserved;
};

enum fdrecv_wire_answer_kind {
	FDRECV_WIRE_NONE = 0,      /* there is no such listener */
	FDRECV_WIRE_HANDS_OFF = 1, /* it hands off connections */
	FDRECV_WIRE_LENDS = 2,     /* it lends its sockets */
};

/* From an engine that serves.  Others close the connection. */
struct fdrecv_wire_answer {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t size; /* of this structure */
	uint16_t kind; /* enum fdrecv_wire_answer_kind */
	uint16_t reserved;
};
