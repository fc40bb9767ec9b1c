/* SPDX-License-Identifier: ISC */
/*
 * What every command does: ask, and make of the answer a status to exit with.
 * brokerctl, any uid.
 */
#include "ctl/ask.h"

#include "ctl/http.h"
#include "ctl/request_path.h"
#include "ctl/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ASK_TRIES 3

static int
ask_fail(const struct ctl *ctl, int error)
{
	const char *hint = "";
	int status = EX_UNAVAILABLE;

	if (error == ENOENT || error == ECONNREFUSED)
		hint = ": is brokerd running, and is this its control "
		       "socket?";
	if (error == EACCES || error == EPERM) {
		hint = ": root, who started brokerd and members of "
		       "control-group may ask";
		status = EX_NOPERM;
	}
	if (error == EAGAIN)
		status = EX_TEMPFAIL;
	fprintf(stderr, "brokerctl: %s: %s%s\n", ctl->socket,
	    error == EAGAIN ? "no answer" : strerror(error), hint);
	return status;
}

/* Each mistake is a line of text. */
static void
ask_wrong(const char *text, int code)
{
	char *copy = text == NULL ? NULL : strdup(text), *rest = copy, *line;

	if (copy == NULL)
		fprintf(
		    stderr, "brokerctl: HTTP status %d, and no reason\n", code);
	while ((line = strsep(&rest, "\n")) != NULL) {
		fputs("brokerctl: ", stderr);
		say_line(stderr, line);
	}
	free(copy);
}

/* What the broker says about a request: {"status": N, "text": "..."}. */
static int
ask_result(const struct ctl *ctl, const struct http_reply *reply)
{
	json_t *json = json_loadb(reply->body, reply->length, 0, NULL);
	const char *text = json_string_value(json_object_get(json, "text"));
	json_t *number = json_object_get(json, "status");
	int status = reply->code == 200 ? EX_OK : EX_PROTOCOL;

	if (json_is_integer(number))
		status = (int)json_integer_value(number) & 0xff;
	if (reply->code != 200 && status == EX_OK)
		status = EX_PROTOCOL;
	if (ctl->json)
		fwrite(reply->body, 1, reply->length, stdout);
	else if (status == EX_OK)
		say_line(stdout, text != NULL ? text : "done");
	else
		ask_wrong(text, reply->code);
	json_decref(json);
	return status;
}

/* 0 and a reply for http_done(), or a status after having said why.  An engine
 * that is replaced hangs up on who has not been heard, and the next one is
 * there. */
static int
ask_http(const struct ctl *ctl, const char *method, const char *pattern,
    char *const *words, struct http_reply *out_reply)
{
	char *path = request_path_make(pattern, words);
	int got, status = EX_OK, tries = ASK_TRIES;

	do
		got = http_ask(ctl->socket, method, path, out_reply);
	while (got == -1 && (errno == ECONNRESET || errno == EPIPE) &&
	    --tries > 0);
	if (got == -1)
		status = ask_fail(ctl, errno);
	free(path);
	return status;
}

/* The same for a question; what is not answered is said. */
static int
ask_reply(const struct ctl *ctl, const char *pattern, char *const *words,
    struct http_reply *out_reply)
{
	struct http_reply reply;
	int status = ask_http(ctl, "GET", pattern, words, &reply);

	if (status != EX_OK)
		return status;
	if (reply.code == 200) {
		*out_reply = reply;
		return EX_OK;
	}
	status = ask_result(ctl, &reply);
	http_done(&reply);
	return status;
}

static int
ask_print(struct http_reply *reply)
{
	fwrite(reply->body, 1, reply->length, stdout);
	http_done(reply);
	return EX_OK;
}

int
ask_get(const struct ctl *ctl, const char *pattern, char *const *words,
    json_t **out_json)
{
	struct http_reply reply;
	int status = ask_reply(ctl, pattern, words, &reply);

	*out_json = NULL;
	if (status != EX_OK)
		return status;
	if (ctl->json)
		return ask_print(&reply);
	*out_json = json_loadb(reply.body, reply.length, 0, NULL);
	http_done(&reply);
	if (*out_json != NULL)
		return EX_OK;
	fprintf(stderr, "brokerctl: %s: the answer is no JSON\n", ctl->socket);
	return EX_PROTOCOL;
}

int
ask_text(const struct ctl *ctl, const char *path)
{
	struct http_reply reply;
	int status = ask_reply(ctl, path, NULL, &reply);

	return status == EX_OK ? ask_print(&reply) : status;
}

int
ask_change(const struct ctl *ctl, const char *pattern, char *const *words)
{
	struct http_reply reply;
	int status = ask_http(ctl, "POST", pattern, words, &reply);

	if (status != EX_OK)
		return status;
	status = ask_result(ctl, &reply);
	http_done(&reply);
	return status;
}
