/* SPDX-License-Identifier: ISC */
/*
 * The handwritten messages in tests/vectors.  The engine writes those to a
 * mailbox and the library reads them; on a receipt connection it is the other
 * way round.
 */
#include "fixture/net.h"
#include "fixture/unit.h"
#include "fixture/vector.h"

#include "engine/handoff/encode.h"
#include "engine/worker/hello.h"

#include "lib/decode.h"
#include "lib/engine_conns.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EPOCH UINT64_C(0x1122334455667788)
#define LABEL "system_u:system_r:init_t:s0"

static unsigned char bytes[4096], written[FDRECV_WIRE_DATAGRAM_MAX];
static size_t size;

/* Reads the record at *inout_at and moves on. */
static struct fdrecv_handoff
read_record(size_t *inout_at)
{
	struct fdrecv_handoff got = FDRECV_HANDOFF_INIT;
	uint64_t cookie = 77;
	size_t length = fdrecv_decode_record(
	    bytes + *inout_at, size - *inout_at, &got, &cookie);

	ck_assert_uint_gt(length, 0);
	ck_assert_uint_eq(cookie, 0);
	*inout_at += length;
	return got;
}

static void
expect_inet(const struct sockaddr_storage *address, socklen_t length,
    const char *text, uint16_t port)
{
	char found[INET6_ADDRSTRLEN];
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memcpy(&in, address, sizeof(in));
	memcpy(&in6, address, sizeof(in6));
	ck_assert_uint_eq(
	    length, in.sin_family == AF_INET ? sizeof(in) : sizeof(in6));
	inet_ntop(in.sin_family,
	    in.sin_family == AF_INET ? (void *)&in.sin_addr :
				       (void *)&in6.sin6_addr,
	    found, sizeof(found));
	ck_assert_str_eq(found, text);
	ck_assert_uint_eq(ntohs(in.sin_port), port);
}

START_TEST(the_library_reads_two_tcp_connections)
{
	struct decode_header head;
	struct fdrecv_handoff got;
	size_t at;

	if (!vector_is_of_this_host())
		return;
	size = vector_read("datagram-tcp.hex", bytes, sizeof(bytes));
	ck_assert_int_eq(
	    fdrecv_decode_header(bytes, size, &head), DECODE_RECORD);
	ck_assert_str_eq(head.path, "/run/brokerd/rendezvous.0");
	ck_assert_uint_eq(head.epoch, EPOCH);
	ck_assert_uint_eq(head.sequence, 42);
	ck_assert_uint_eq(head.count, 2);
	at = head.size;
	for (unsigned int i = 0; i < 2; i++) {
		got = read_record(&at);
		ck_assert_int_eq(got.kind, FDRECV_CONNECTION);
		ck_assert_str_eq(got.listener, "www");
		ck_assert_uint_eq(got.endpoint_index, i);
		ck_assert_uint_eq(got.endpoint_count, 2);
		ck_assert_uint_eq(got.redeliveries, i == 0 ? 0 : 3);
		ck_assert_int_eq(got.accepted.tv_sec, 1700000000 + (int)i);
		ck_assert_int_eq(got.accepted.tv_nsec, i == 0 ? 5 : 0);
		ck_assert_int_eq(got.pid, -1);
		ck_assert_uint_eq(got.uid, (uid_t)-1);
		ck_assert_uint_eq(got.gid, (gid_t)-1);
		ck_assert_str_eq(got.label, "");
		expect_inet(&got.peer, got.peer_length,
		    i == 0 ? "203.0.113.7" : "2001:db8::7",
		    i == 0 ? 40000 : 50000);
		expect_inet(&got.local, got.local_length,
		    i == 0 ? "192.0.2.1" : "2001:db8::1", 80);
	}
	ck_assert_uint_eq(at, size);
}
END_TEST

START_TEST(the_library_reads_a_local_connection)
{
	struct decode_header head;
	struct fdrecv_handoff got;
	struct sockaddr_un local;
	size_t at;

	if (!vector_is_of_this_host())
		return;
	size = vector_read("datagram-local.hex", bytes, sizeof(bytes));
	ck_assert_int_eq(
	    fdrecv_decode_header(bytes, size, &head), DECODE_RECORD);
	ck_assert_str_eq(head.path, "");
	ck_assert_uint_eq(head.epoch, UINT64_C(0x8000000000000001));
	ck_assert_uint_eq(head.sequence, 0);
	ck_assert_uint_eq(head.count, 1);
	at = head.size;
	got = read_record(&at);
	ck_assert_uint_eq(at, size);
	ck_assert_str_eq(got.listener, "admin");
	ck_assert_int_eq(got.pid, 1234);
	ck_assert_uint_eq(got.uid, 1000);
	ck_assert_uint_eq(got.gid, 100);
	ck_assert_str_eq(got.label, LABEL);
	ck_assert_uint_eq(got.peer_length, 2);
	ck_assert_int_eq(got.peer.ss_family, AF_UNIX);
	ck_assert_int_eq(got.local.ss_family, AF_UNIX);
	memcpy(&local, &got.local, sizeof(local));
	ck_assert_str_eq(local.sun_path, "/run/admin.sock");
	ck_assert_uint_eq(got.local_length,
	    offsetof(struct sockaddr_un, sun_path) + sizeof("/run/admin.sock"));
}
END_TEST

START_TEST(the_engine_writes_a_local_connection_so)
{
	struct record_endpoint endpoint = {.socket.kind = RECORD_UNIX_SEQPACKET,
	    .handoff = RECORD_CONNECTION,
	    .protocol = RECORD_AUTO,
	    .count = 1,
	    .listener = "admin"};
	const struct sockaddr_un local = {AF_UNIX, "/run/admin.sock"};
	struct handoff handoff = {.endpoint = &endpoint,
	    .accept_time_ns = UINT64_C(1700000000000000005),
	    .peer_length = sizeof(sa_family_t),
	    .peer.ss_family = AF_UNIX,
	    .local_length = sizeof(sa_family_t) + sizeof("/run/admin.sock"),
	    .has_credentials = 1,
	    .credentials = {.pid = 1234, .uid = 1000, .gid = 100},
	    .label = LABEL,
	    .label_length = sizeof(LABEL) - 1};
	struct encode encode = {.bytes = written};

	if (!vector_is_of_this_host())
		return;
	memcpy(&handoff.local, &local, sizeof(local));
	encode_header(&encode,
	    &(struct encode_sender){UINT64_C(0x8000000000000001), 0, ""}, 0, 1);
	encode_record(&encode, &handoff);
	size = vector_read("datagram-local.hex", bytes, sizeof(bytes));
	ck_assert_uint_eq(encode.size, size);
	ck_assert_mem_eq(written, bytes, size);
}
END_TEST

/* Asserts that the next message is the one in the file. */
static void
expect_message(int engine, const char *name)
{
	size_t count = 0;
	ssize_t got =
	    net_receive(engine, written, sizeof(written), NULL, &count);

	size = vector_read(name, bytes, sizeof(bytes));
	ck_assert_int_eq(got, (ssize_t)size);
	ck_assert_mem_eq(written, bytes, size);
}

START_TEST(the_library_writes_hello_and_receipts_so)
{
	const struct bound_mailbox mailbox = {
	    .name = "box.7", .device = 0x801, .inode = 123456};
	char path[FDRECV_WIRE_PATH_MAX + 1];
	struct engine_conns conns = {.instance = 0};
	struct engine_conn *conn;
	int rendezvous, engine;

	if (!vector_is_of_this_host())
		return;
	snprintf(path, sizeof(path), "%s", unit_path("rendezvous.0"));
	rendezvous = net_bind(path, SOCK_SEQPACKET);
	ck_assert_int_eq(
	    fdrecv_engine_conns_init(&conns, &mailbox, 5, FDRECV_WIRE_COUNTED),
	    0);
	conns.instance = UINT64_C(0x123456789abcdef);
	conns.connections = 3;
	conn = fdrecv_engine_conns_open(&conns, path, EPOCH, 1);
	ck_assert_ptr_nonnull(conn);
	engine = accept4(rendezvous, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ne(engine, -1);
	expect_message(engine, "hello.hex");
	conns.connections = 5;
	fdrecv_engine_conns_send(&conns, conn, FDRECV_WIRE_TAKEN, 42, 2);
	expect_message(engine, "receipts.hex");
	fdrecv_engine_conns_close(&conns);
	close(engine);
	close(rendezvous);
}
END_TEST

START_TEST(the_engine_reads_hello)
{
	struct hello hello;

	if (!vector_is_of_this_host())
		return;
	size = vector_read("hello.hex", bytes, sizeof(bytes));
	ck_assert_int_eq(hello_decode(bytes, size, &hello), 0);
	ck_assert_str_eq(hello.name, "box.7");
	ck_assert_uint_eq(hello.device, 0x801);
	ck_assert_uint_eq(hello.inode, 123456);
	ck_assert_uint_eq(hello.instance, UINT64_C(0x123456789abcdef));
	ck_assert_uint_eq(hello.weight, 5);
	ck_assert_uint_eq(hello.connections, 3);
	ck_assert_int_eq(hello.counts_connections, 1);
	ck_assert_int_eq(hello.paused, 0);
}
END_TEST

UNIT_SUITE(vectors)
{
	TCase *tc = unit_case(suite, "vectors");

	tcase_add_test(tc, the_library_reads_two_tcp_connections);
	tcase_add_test(tc, the_library_reads_a_local_connection);
	tcase_add_test(tc, the_engine_writes_a_local_connection_so);
	tcase_add_test(tc, the_library_writes_hello_and_receipts_so);
	tcase_add_test(tc, the_engine_reads_hello);
}
