/* SPDX-License-Identifier: ISC */
/*
 * Requests to the control socket, from a user who may change anything.
 *
 * The input is how many bytes are sent at a time (0: all at once), and the
 * bytes.
 */
#include "fuzz/fuzz.h"

#include "fixture/net.h"
#include "fixture/test_control.h"
#include "fuzz/fuzz_fixture.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL_ROUNDS 64

static struct test_control test;
static void
init(void)
{
	test_control_init(&test, 1, geteuid(), RECORD_NO_ID);
}

static void
done(void)
{
	test_control_done(&test);
}

static struct fuzz_fixture fixture = {.most = 500, .init = init, .done = done};

static void
send_pieces(int client, const char *bytes, size_t size, size_t piece)
{
	for (size_t at = 0; at < size; at += piece) {
		if (piece > size - at)
			piece = size - at;
		send(client, bytes + at, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (piece > 0)
			test_control_settle(&test);
	}
	shutdown(client, SHUT_WR);
}

/* An answer is complete, and if it has JSON, that is valid. */
static void
expect_answer(char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	json_t *json;

	if (answer[0] == '\0')
		return;
	fuzz_must(strncmp(answer, "HTTP/", 5) == 0);
	fuzz_must(body != NULL);
	if (strstr(answer, "\r\nContent-Type: application/json\r\n") == NULL)
		return;
	json = json_loads(body + 4, 0, NULL);
	fuzz_must(json != NULL);
	json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answer[1 << 20];
	char log[4096];
	unsigned int before;
	size_t length = 0;
	ssize_t got;
	char *bytes;
	int client;

	if (size < 1)
		return 0;
	fuzz_fixture_begin(&fixture);
	before = fuzz_count_fds();
	client = test_control_connect();
	bytes = fuzz_copy(data + 1, size - 1);
	send_pieces(client, bytes, size - 1, data[0] == 0 ? size : data[0]);
	for (int i = 0; i < CONTROL_ROUNDS; i++) {
		test_control_settle(&test);
		control_on_end(&test.control); /* no monitor answers */
		got = recv(client, answer + length, sizeof(answer) - 1 - length,
		    MSG_DONTWAIT);
		if (got == 0)
			break;
		length += got > 0 ? (size_t)got : 0;
	}
	answer[length] = '\0';
	expect_answer(answer);
	close(client);
	test_control_settle(&test);
	while (test_control_asked(&test) != 0)
		;
	while (read(test.log, log, sizeof(log)) > 0)
		;
	fuzz_must(test.control.peers.count == 0);
	fuzz_must(fuzz_count_fds() == before);
	free(bytes);
	return 0;
}
