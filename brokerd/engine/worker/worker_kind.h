/* SPDX-License-Identifier: ISC */
#pragma once

/* How the process behind a mailbox answers. */
enum worker_kind {
	WORKER_NEW,       /* has not said HELLO: one hand-off at a time */
	WORKER_PLAIN,     /* sends no receipts */
	WORKER_RECEIPTED, /* sends receipts */
};
