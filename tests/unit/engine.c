/* SPDX-License-Identifier: ISC */
/*
 * A fake engine for the tests of libfdrecv.  It shares fdrecv-wire.h with the
 * library and no code.
 */
#include "engine.h"

#include "net.h"
#include "unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *
engine_run_dir(void)
{
	const char *path = unit_path("run");

	ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
	return path;
}

void
engine_start_small(
    struct engine *out_engine, unsigned int number, uint64_t epoch, int backlog)
{
	*out_engine = (struct engine){.link = -1, .epoch = epoch};
	snprintf(out_engine->path, sizeof(out_engine->path), "%s/rendezvous.%u",
	    engine_run_dir(), number);
	out_engine->listener = net_bind(out_engine->path, SOCK_SEQPACKET);
	ck_assert_int_eq(listen(out_engine->listener, backlog), 0);
}

void
engine_start(struct engine *out_engine, unsigned int number, uint64_t epoch)
{
	engine_start_small(out_engine, number, epoch, 16);
}

void
engine_stop(struct engine *engine)
{
	close(engine->listener);
	if (engine->link != -1)
		close(engine->link);
	engine->listener = engine->link = -1;
	unlink(engine->path);
}

void
engine_mail(struct mail *out_mail, unsigned int flags)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;

	options.flags = flags;
	options.run_dir = engine_run_dir();
	mail_open_with(out_mail, &options);
}

void
engine_hears_hello(struct engine *engine)
{
	unsigned char bytes[512];
	struct fdrecv_wire_hello *hello = &engine->hello;
	ssize_t n;

	ck_assert_msg(net_polls(engine->listener, POLLIN), "no new link");
	if (engine->link != -1)
		close(engine->link);
	engine->link = accept4(engine->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ne(engine->link, -1);
	n = recv(engine->link, bytes, sizeof(bytes), MSG_DONTWAIT);
	ck_assert_int_ge(n, (ssize_t)sizeof(*hello));
	memcpy(hello, bytes, sizeof(*hello));
	ck_assert_mem_eq(hello->magic, "hfdr", 4);
	ck_assert_uint_eq(hello->version, 1);
	ck_assert_uint_eq(hello->size, sizeof(*hello));
	ck_assert_int_eq(n, (ssize_t)sizeof(*hello) + hello->name_length);
	ck_assert_uint_ne(hello->instance, 0);
	ck_assert_uint_eq(hello->reserved, 0);
	ck_assert_uint_lt(hello->name_length, sizeof(engine->name));
	memset(engine->name, 0, sizeof(engine->name));
	memcpy(engine->name, bytes + sizeof(*hello), hello->name_length);
}

void
engine_hears_no_hello(const struct engine *engine)
{
	ck_assert_msg(!net_polls(engine->listener, POLLIN), "a new link");
}

void
engine_hears(const struct engine *engine, enum fdrecv_wire_receipt_kind kind,
    uint64_t sequence, uint32_t count, uint32_t connections)
{
	struct {
		struct fdrecv_wire_receipts head;
		struct fdrecv_wire_receipt one;
		char more;
	} said;
	const size_t size = sizeof(said.head) + sizeof(said.one);

	ck_assert_int_eq(recv(engine->link, &said, sizeof(said), MSG_DONTWAIT),
	    (ssize_t)size);
	ck_assert_mem_eq(said.head.magic, "rfdr", 4);
	ck_assert_uint_eq(said.head.version, 1);
	ck_assert_uint_eq(said.head.size, sizeof(said.head));
	ck_assert_uint_eq(said.head.count, 1);
	ck_assert_uint_eq(said.head.receipt_size, sizeof(said.one));
	ck_assert_uint_eq(said.head.connections, connections);
	if (count != 0)
		ck_assert_uint_eq(said.head.epoch, engine->epoch);
	ck_assert_uint_eq(said.one.kind, kind);
	ck_assert_uint_eq(said.one.sequence, sequence);
	ck_assert_uint_eq(said.one.count, count);
}

void
engine_hears_nothing(const struct engine *engine)
{
	char byte;

	errno = 0;
	ck_assert_int_eq(recv(engine->link, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

void
engine_hears_the_end(const struct engine *engine)
{
	char byte;

	ck_assert_int_eq(recv(engine->link, &byte, 1, MSG_DONTWAIT), 0);
}

static size_t
engine_write_record(unsigned char *at, const struct engine_record *like)
{
	const sa_family_t family =
	    (sa_family_t)(like->family == 0 ? AF_INET : like->family);
	struct fdrecv_wire_record record = {
	    .size = sizeof(record) + 8,
	    .fixed = sizeof(record),
	    .kind = like->kind == 0 ? FDRECV_WIRE_CONNECTION : like->kind,
	    .listener_length = 3,
	    .local_length = sizeof(family),
	    .endpoint_count = 1,
	    .cookie = like->cookie,
	};

	memset(at, 0, record.size);
	memcpy(at, &record, sizeof(record));
	memcpy(at + sizeof(record), "www", 3);
	memcpy(at + sizeof(record) + 3, &family, sizeof(family));
	return record.size;
}

size_t
engine_write(struct engine *engine, unsigned char *bytes,
    const struct engine_record *record, size_t count)
{
	struct fdrecv_wire_header header = {
	    .magic = {'x', 'f', 'd', 'r'},
	    .version = 1,
	    .fixed = sizeof(header),
	    .count = (uint16_t)count,
	    .path_length = (uint16_t)strlen(engine->path),
	    .epoch = engine->epoch,
	    .sequence = engine->sequence,
	};
	size_t size = sizeof(header) + (header.path_length + 7U) / 8 * 8;

	header.size = (uint16_t)size;
	memset(bytes, 0, size);
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), engine->path, header.path_length);
	for (size_t i = 0; i < count; i++)
		size += engine_write_record(bytes + size, record);
	engine->sequence += count;
	return size;
}

void
engine_send(struct engine *engine, const struct mail *mail,
    const struct engine_record *record, const int *fds, size_t count)
{
	static unsigned char bytes[FDRECV_WIRE_DATAGRAM_MAX];
	size_t size = engine_write(engine, bytes, record, count);

	ck_assert_int_eq(
	    net_send(mail->sender, bytes, size, fds, count), (ssize_t)size);
}

int
engine_connection(struct engine *engine, const struct mail *mail)
{
	static const struct engine_record tcp;
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	engine_send(engine, mail, &tcp, &ends[1], 1);
	close(ends[1]);
	return ends[0];
}

void
engine_expect(struct mail *mail, uint64_t sequence)
{
	ck_assert_int_eq(fdrecv_next(mail->box, &mail->handoff), 1);
	ck_assert_uint_eq(mail->handoff.sequence, sequence);
}
