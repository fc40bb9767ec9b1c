/* SPDX-License-Identifier: ISC */
/*
 * Packets between monitor and engine: nothing but a bare opcode comes up, and
 * nothing comes that its phase or its direction forbids.
 *
 * The input is a direction, a phase, a number of descriptors, and the packet.
 */
#include "fuzz/fuzz.h"

#include "channel/channel.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNEL_FUZZ_FDS 3

static void
take(int fd, int upward, enum channel_phase phase)
{
	struct channel_message *message = malloc(sizeof(*message));
	int got, came = -1;

	fuzz_must(message != NULL);
	got = channel_receive(fd, upward, phase, message, &came);
	if (got == 1 && upward)
		fuzz_must(came == -1 &&
		    message->header.size == sizeof(message->header));
	if (got == 1 && message->header.type == CHANNEL_SOCKET)
		fuzz_must(came != -1);
	fuzz_must(got == 1 || came == -1);
	if (came != -1)
		close(came);
	free(message);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int before = fuzz_count_fds();
	enum channel_phase phase;
	size_t fds;
	int ends[2], upward;
	void *packet;

	if (size < 3)
		return 0;
	upward = data[0] & 1;
	phase = (enum channel_phase)(1 << data[1] % 4);
	fds = data[2] % (CHANNEL_FUZZ_FDS + 1);
	packet = fuzz_copy(data + 3, size - 3);
	fuzz_must(channel_pair(ends) == 0);
	/* The first end is the monitor's. */
	fuzz_send(ends[upward ? 1 : 0], packet, size - 3, fds);
	take(ends[upward ? 0 : 1], upward, phase);
	close(ends[0]);
	close(ends[1]);
	free(packet);
	fuzz_must(fuzz_count_fds() == before);
	return 0;
}
