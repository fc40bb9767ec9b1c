/* SPDX-License-Identifier: ISC */
#ifndef CHANNEL_ADOPTION_H
#define CHANNEL_ADOPTION_H

#include <stdint.h>

/* Not on the channel: what a new monitor asks of an engine whose own has died,
 * on its rendezvous socket.  It gets a byte and the descriptor of that number,
 * the counters behind those of the table, or the byte alone behind these; or a
 * hang-up when it is not to have them.  Any version understands any other. */
#define CHANNEL_ADOPT_MAGIC "adop"
#define CHANNEL_ADOPTED UINT32_MAX /* no answer: another engine serves */
struct channel_adopt {
	char magic[4];
	uint32_t number;
};

/* Gives a connected pair, non-blocking and closed on exec; the first end is
 * the monitor's, to which no descriptor can be sent where the kernel can
 * forbid that.  0, or -1 with errno. */
int channel_pair(int out_ends[2]);

#endif
