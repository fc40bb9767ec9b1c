/* SPDX-License-Identifier: ISC */
/*
 * Reading messages with receipts.  Engine, unprivileged.  A worker may send
 * anything, and a later version may have larger structures.
 */
#include "engine/worker/receipt_message.h"

#include <string.h>

int
receipt_message_decode(const unsigned char *bytes, size_t size,
    struct fdrecv_wire_receipts *out_head)
{
	struct fdrecv_wire_receipts head;

	if (size < sizeof(head))
		return -1;
	memcpy(&head, bytes, sizeof(head));
	if (memcmp(head.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
		FDRECV_WIRE_MAGIC_SIZE) != 0 ||
	    head.version != FDRECV_WIRE_VERSION || head.size < sizeof(head) ||
	    head.receipt_size < sizeof(struct fdrecv_wire_receipt) ||
	    head.size > size ||
	    (size_t)head.count * head.receipt_size > size - head.size)
		return -1;
	*out_head = head;
	return 0;
}

void
receipt_message_at(const unsigned char *bytes,
    const struct fdrecv_wire_receipts *head, size_t i,
    struct fdrecv_wire_receipt *out_receipt)
{
	memcpy(out_receipt, bytes + head->size + i * head->receipt_size,
	    sizeof(*out_receipt));
}
