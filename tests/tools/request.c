/* SPDX-License-Identifier: ISC */
/*
 * The requests of the load generator.  Numbers are written without snprintf(3),
 * because the generator's own CPU time limits a benchmark.
 */
#include "request.h"

#include <stdio.h>

static void
request_hex(char *out_text, uint64_t number)
{
	for (int i = 15; i >= 0; i--, number >>= 4)
		out_text[i] = "0123456789abcdef"[number & 15];
}

/* The last step of splitmix64, which spreads a number over all 64 bits. */
static uint64_t
request_mix(uint64_t number)
{
	number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9ULL;
	number = (number ^ (number >> 27)) * 0x94d049bb133111ebULL;
	return number ^ (number >> 31);
}

void
request_name(char out_name[REQUEST_NAME_LENGTH + 1], uint64_t base,
    uint64_t secret, uint64_t number)
{
	request_hex(out_name, base + number);
	out_name[REQUEST_NAME_LENGTH / 2] = ' ';
	request_hex(out_name + REQUEST_NAME_LENGTH / 2 + 1,
	    request_mix(secret + number));
	out_name[REQUEST_NAME_LENGTH] = '\0';
}

int
request_text(char out_text[REQUEST_MAX], enum request_kind request,
    const char *name, const char *path, int slow)
{
	switch (request) {
	case REQUEST_ID:
		return snprintf(
		    out_text, REQUEST_MAX, "%s%s\n", name, slow ? " SLOW" : "");
	case REQUEST_HTTP:
		return snprintf(out_text, REQUEST_MAX,
		    "GET %s HTTP/1.0\r\nHost: localhost\r\nX-Id: %.16s\r\n"
		    "%s\r\n",
		    path, name, slow ? "X-Slow: 1\r\n" : "");
	case REQUEST_NONE:
		break;
	}
	return 0;
}
