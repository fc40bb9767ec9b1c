/* SPDX-License-Identifier: ISC */
#pragma once

#include "wire/link.h"

#include <stddef.h>

/* Reads the header of a message with receipts, all of which are there.  0, or
 * -1 if it is another message. */
int receipt_message_decode(const unsigned char *bytes, size_t size,
    struct fdrecv_wire_receipts *out_head);

/* Reads receipt number i of those that head counts. */
void receipt_message_at(const unsigned char *bytes,
    const struct fdrecv_wire_receipts *head, size_t i,
    struct fdrecv_wire_receipt *out_receipt);
