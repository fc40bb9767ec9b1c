/* SPDX-License-Identifier: ISC */
/*
 * Datagrams in a worker's mailbox, from any process that may write there.
 *
 * The input is the number of descriptors, and the datagram.
 */
#include "fuzz/fuzz.h"

#include "lib/batch.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATAGRAM_FDS FUZZ_SEND_FDS /* more than a datagram has room for */

static void
expect_handoff(const struct fdrecv_handoff *handoff)
{
	fuzz_must(fuzz_is_text(handoff->listener, FDRECV_LISTENER_SIZE));
	fuzz_must(fuzz_is_text(handoff->label, FDRECV_LABEL_SIZE));
	fuzz_must(handoff->peer_length <= sizeof(handoff->peer));
	fuzz_must(handoff->local_length <= sizeof(handoff->local));
}

static void
take(int mailbox, size_t fds)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	struct fdrecv_handoff handoff;
	struct decode_header header;
	uint64_t cookie;
	size_t count = 0;
	int link;

	fuzz_must(batch != NULL);
	(void)fdrecv_batch_peek(mailbox, &header);
	if (fdrecv_batch_receive(batch, mailbox, MSG_DONTWAIT) == 1) {
		link = fdrecv_batch_take_link(batch);
		if (link != -1)
			close(link);
		while (fdrecv_batch_next(batch, &handoff, &cookie) == 1) {
			expect_handoff(&handoff);
			close(handoff.fd);
			count++;
		}
		fuzz_must(count + (link != -1) <= fds);
	}
	fdrecv_descriptors_close(&batch->descriptors);
	free(batch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int before = fuzz_count_fds();
	const int room = 1 << 20;
	size_t fds;
	int ends[2];
	void *datagram;

	if (size < 1)
		return 0;
	fds = data[0] % DATAGRAM_FDS;
	datagram = fuzz_copy(data + 1, size - 1);
	fuzz_must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	fuzz_send(ends[0], datagram, size - 1, fds);
	take(ends[1], fds);
	close(ends[0]);
	close(ends[1]);
	free(datagram);
	fuzz_must(fuzz_count_fds() == before);
	return 0;
}
