/* SPDX-License-Identifier: ISC */
/*
 * Sends a request to the broker, and derives the exit status from the answer.
 * brokerctl, any uid.
 */
#include "ctl/ask.h"

#include "ctl/http.h"
#include "ctl/print.h"

#include <sys/stat.h>

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ASK_TRIES 10
#define ASK_WAIT_S 120

static void
ask_path_add(FILE *file, const char *word)
{
	for (; *word != '\0'; word++)
		if (isalnum((unsigned char)*word) ||
		    strchr("-._~", *word) != NULL)
			fputc(*word, file);
		else
			fprintf(file, "%%%02X", (unsigned char)*word);
}

char *
ask_path(const char *pattern, char *const *words)
{
	char *path = NULL;
	size_t size;
	FILE *file = open_memstream(&path, &size);

	if (file == NULL)
		err(EX_OSERR, "no memory");
	for (; *pattern != '\0'; pattern++)
		if (*pattern == '*')
			ask_path_add(file, *words++);
		else
			fputc(*pattern, file);
	if (fclose(file) != 0 || path == NULL)
		err(EX_OSERR, "no memory");
	return path;
}

int
ask_is_long(const struct command *command)
{
	return strcmp(command->method, "POST") == 0 &&
	    command->arguments[0] == '\0';
}

/* A part of an answer is not shown: it could be taken for the whole. */
static int
ask_fail_cut(const struct ask *ask, const char *unknown, size_t length)
{
	fprintf(stderr,
	    "brokerctl: %s: answer cut after %zu bytes: the engine has ended, "
	    "or it was read too slowly%s\n",
	    ask->socket, length, unknown);
	return EX_PROTOCOL;
}

static int
ask_fail(const struct ask *ask, const struct command *command, int error,
    size_t length)
{
	const char *hint = "",
		   *unknown = strcmp(command->method, "POST") == 0 ?
	    ": it is not known whether this was done: see brokerctl status" :
	    "";
	int status = EX_UNAVAILABLE, asked;
	struct stat st;

	if (error == ENOENT || error == ECONNREFUSED)
		hint = ": is brokerd running, and is this its control "
		       "socket?";
	if (error == ENOTDIR)
		hint = ": -R and FDRECV_RUN_DIR expect the run directory of "
		       "the broker, and -s its control socket";
	if (error == ECONNREFUSED && stat(ask->socket, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		hint = ": it is a directory: -s expects a control socket, and "
		       "-R the run directory of the broker";
	if (error == EACCES || error == EPERM) {
		hint = ": only root, the user who started brokerd and members "
		       "of control-group may ask";
		status = EX_NOPERM;
	}
	if (error == EOWNERDEAD)
		hint = ": brokerd has died: start it again; if its engine has "
		       "died too, clients wait in the sockets until then";
	if (error == EBADMSG)
		return ask_fail_cut(ask, unknown, length);
	if (error == EAGAIN || error == EOWNERDEAD)
		status = EX_TEMPFAIL;
	asked = status == EX_TEMPFAIL || error == ECONNRESET || error == EPIPE;
	fprintf(stderr, "brokerctl: %s: %s%s%s\n", ask->socket,
	    status == EX_TEMPFAIL ? "no answer" : strerror(error), hint,
	    asked ? unknown : "");
	return status;
}

/* An engine that is being replaced hangs up on requests that it has not read,
 * or that wait for another reload, and one that is killed on all; its successor
 * answers them, after ASK_WAIT_S at most.  A change may be made twice in this
 * way, which does no harm.  0 and a reply, or -1 with errno. */
static int
ask_http(const struct ask *ask, const struct command *command,
    char *const *words, struct http_reply *out_reply)
{
	const char *query = ask->no_wait ? "?wait=no" : "";
	int got, error, tries = ASK_TRIES;
	/* A reload may have to wait until engines have drained. */
	int wait_s = ask_is_long(command) ? 0 : ASK_WAIT_S;
	char pattern[64], *path;

	do {
		snprintf(
		    pattern, sizeof(pattern), "%s%s", command->path, query);
		path = ask_path(pattern, words);
		got = http_ask(
		    ask->socket, command->method, path, wait_s, out_reply);
		error = errno;
		free(path);
		if (ask_is_long(command) && !ask->no_wait)
			query = "?wait=again";
	} while (got == -1 && (error == ECONNRESET || error == EPIPE) &&
	    --tries > 0);
	errno = error;
	return got;
}

/* Each mistake is a line of text. */
static void
ask_print_wrong(const char *text, int code)
{
	if (text == NULL)
		fprintf(
		    stderr, "brokerctl: HTTP status %d, and no reason\n", code);
	print_lines(stderr, "brokerctl: ", text);
}

/* The result of a request to change something, or the error in a request:
 * {"status": N, "text": "..."}. */
static int
ask_result(const struct http_reply *reply, int json, const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "text"));
	const json_t *number = json_object_get(answer, "status");
	int status = reply->code == 200 ? EX_OK : EX_PROTOCOL;

	if (json_is_integer(number))
		status = (int)json_integer_value(number) & 0xff;
	if (reply->code != 200 && status == EX_OK)
		status = EX_PROTOCOL;
	if (!json && status != EX_OK)
		ask_print_wrong(text, reply->code);
	else if (!json)
		print_text(answer);
	return status;
}

int
ask_run(
    const struct ask *ask, const struct command *command, char *const *words)
{
	struct http_reply reply = {.length = 0};
	int status = EX_OK, is_change = strcmp(command->method, "POST") == 0;
	int as_it_is;
	json_t *answer;

	if (ask_http(ask, command, words, &reply) == -1)
		return ask_fail(ask, command, errno, reply.length);
	answer = json_loadb(reply.body, reply.length, 0, NULL);
	as_it_is = ask->json || (reply.code == 200 && command->print == NULL);
	if (as_it_is)
		print_as_it_is(reply.body, reply.length);
	if (is_change || reply.code != 200) {
		status = ask_result(&reply, as_it_is, answer);
	} else if (!as_it_is && answer == NULL) {
		fprintf(stderr, "brokerctl: %s: the answer is not JSON\n",
		    ask->socket);
		status = EX_PROTOCOL;
	} else if (!as_it_is) {
		command->print(answer);
	}
	json_decref(answer);
	free(reply.text);
	return status;
}
