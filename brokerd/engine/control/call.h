/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_CALL_H
#define ENGINE_CONTROL_CALL_H

#include "engine/control/peer.h"

#include <jansson.h>

#define CONTROL_WORDS 2

/* A request, and what its path names. */
struct control_call {
	struct control *control;
	struct peer *peer;
	struct evhttp_request *request;
	char *words[CONTROL_WORDS]; /* for each * of the route */
};

/* Decides who may, finds the route and answers, or lets the peer wait. */
void control_call(struct peer *peer, struct evhttp_request *request);

/* Answers with JSON (takes it; NULL: there was no memory for it). */
void control_answer(
    struct peer *peer, struct evhttp_request *request, json_t *json);

/* Answers {"status": status, "text": text}; status is one of sysexits(3). */
void control_say(struct peer *peer, struct evhttp_request *request, int status,
    const char *text);

/* Answers with text (takes it; NULL: there was no memory for it) of a type. */
void control_answer_text(struct peer *peer, struct evhttp_request *request,
    const char *type, char *text);

/* The listener that a call names, or NULL after having answered that there is
 * none. */
struct listener *control_call_listener(struct control_call *call);

#endif
