/* SPDX-License-Identifier: ISC */
/*
 * Datagrams, HELLOs and receipts for tests, see fdrecv-wire.h.
 */
#include "letter.h"

#include "net.h"
#include "unit.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

static void
letter_read_records(struct letter *letter)
{
	size_t at = letter->header.size;

	ck_assert_uint_eq(letter->header.count, letter->count);
	for (size_t i = 0; i < letter->count; i++) {
		ck_assert_uint_le(
		    at + sizeof(letter->records[i]), (size_t)letter->size);
		memcpy(&letter->records[i], letter->bytes + at,
		    sizeof(letter->records[i]));
		at += letter->records[i].size;
	}
	ck_assert_uint_eq(at, (size_t)letter->size);
}

void
letter_take(struct letter *out, int mailbox)
{
	out->count = LETTER_MOST;
	out->header = (struct fdrecv_wire_header){.count = 0};
	out->size = net_receive(
	    mailbox, out->bytes, sizeof(out->bytes), out->fds, &out->count);
	if (out->size < FDRECV_WIRE_MAGIC_SIZE ||
	    memcmp(out->bytes, FDRECV_WIRE_MAGIC, FDRECV_WIRE_MAGIC_SIZE) != 0)
		return;
	ck_assert_uint_ge((size_t)out->size, sizeof(out->header));
	memcpy(&out->header, out->bytes, sizeof(out->header));
	letter_read_records(out);
}

void
letter_close(struct letter *letter)
{
	while (letter->count > 0)
		close(letter->fds[--letter->count]);
}

struct fdrecv_wire_hello
letter_hello(const char *path, uint64_t instance)
{
	struct fdrecv_wire_hello hello = {.version = FDRECV_WIRE_VERSION,
	    .size = sizeof(hello),
	    .name_length = (uint16_t)strlen(strrchr(path, '/') + 1),
	    .weight = FDRECV_WIRE_WEIGHT,
	    .instance = instance};
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	memcpy(hello.magic, FDRECV_WIRE_HELLO_MAGIC, FDRECV_WIRE_MAGIC_SIZE);
	hello.device = st.st_dev;
	hello.inode = st.st_ino;
	return hello;
}

void
letter_greet(int link, const struct fdrecv_wire_hello *hello, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	unsigned char bytes[sizeof(*hello) + 108];
	size_t size = sizeof(*hello) + strlen(name);
	ssize_t sent;

	ck_assert_uint_le(size, sizeof(bytes));
	memcpy(bytes, hello, sizeof(*hello));
	memcpy(bytes + sizeof(*hello), name, strlen(name));
	sent = send(link, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	ck_assert_int_eq(sent, (ssize_t)size);
}

void
letter_receipt(int link, uint64_t epoch, enum fdrecv_wire_receipt_kind kind,
    uint64_t sequence, uint32_t count)
{
	struct {
		struct fdrecv_wire_receipts head;
		struct fdrecv_wire_receipt one;
	} said = {{.version = FDRECV_WIRE_VERSION,
		      .size = sizeof(said.head),
		      .count = 1,
		      .receipt_size = sizeof(said.one),
		      .epoch = epoch},
	    {.sequence = sequence, .count = count, .kind = (uint16_t)kind}};
	ssize_t sent;

	memcpy(said.head.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
	    FDRECV_WIRE_MAGIC_SIZE);
	sent = send(link, &said, sizeof(said), MSG_DONTWAIT | MSG_NOSIGNAL);
	ck_assert_int_eq(sent, (ssize_t)sizeof(said));
}
