/* SPDX-License-Identifier: ISC */
/*
 * Requests at the control socket: finds the route and checks whether the peer
 * may use it.  Engine, unprivileged.
 */
#include "engine/control/call.h"

#include "engine/control/answer.h"
#include "engine/control/routes.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Gives the decoded text between two slashes and moves *path behind it; NULL
 * at the end, or if there is no memory. */
static char *
call_next_word(const char **path)
{
	size_t length;
	char *part, *decoded;

	if (**path != '/')
		return NULL;
	(*path)++;
	length = strcspn(*path, "/");
	part = strndup(*path, length);
	*path += length;
	decoded = part == NULL ? NULL : evhttp_uridecode(part, 0, NULL);
	free(part);
	return decoded;
}

static void
call_free_words(struct call *call)
{
	for (size_t i = 0; i < ROUTES_WORDS; i++) {
		free(call->words[i]);
		call->words[i] = NULL;
	}
}

/* True if path matches the pattern; then call->words has what * stands for. */
static int
call_matches(struct call *call, const char *pattern, const char *path)
{
	size_t words = 0, length;
	char *word;
	int same = 1;

	call_free_words(call);
	while (same && (word = call_next_word(&path)) != NULL) {
		length = strcspn(++pattern, "/");
		if (length == 1 && *pattern == '*' && words < ROUTES_WORDS) {
			call->words[words++] = word;
		} else {
			same = strlen(word) == length &&
			    strncmp(word, pattern, length) == 0;
			free(word);
		}
		pattern += length;
		same = same && (*pattern != '\0') == (*path != '\0');
	}
	return same && *path == '\0' && *pattern == '\0';
}

static void
call_handle(struct call *call, const char *path)
{
	struct peer *peer = call->peer;
	const struct route *route = routes;
	enum peer_right right = PEER_CHANGE;

	if (evhttp_request_get_command(peer->request) == EVHTTP_REQ_GET)
		right = PEER_READ;
	while (
	    route->pattern != NULL && !call_matches(call, route->pattern, path))
		route++;
	if (route->pattern == NULL)
		answer_result(peer, EX_USAGE, "there is no such path");
	else if (route->right != right)
		answer_wrong_method(peer, route->right);
	else if (peer->right < right)
		answer_result(peer, EX_NOPERM,
		    "only root and the user who started brokerd may change "
		    "anything");
	else
		route->handle(call, route);
}

void
call_route(const struct control_context *context, struct peer *peer)
{
	const struct evhttp_uri *uri =
	    evhttp_request_get_evhttp_uri(peer->request);
	const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
	struct call call = {.context = context, .peer = peer};

	if (peer->right == PEER_NOTHING)
		answer_result(peer, EX_NOPERM,
		    "only root, the user who started brokerd and members of "
		    "control-group may ask");
	else
		call_handle(&call, path == NULL ? "" : path);
	call_free_words(&call);
}
