/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record_kind.h"

#include <sys/socket.h>

#include <stdint.h>

/* What the ledger says of a descriptor. */
enum ledger_state {
	LEDGER_NONE,    /* not known: what it is has to be asked */
	LEDGER_HELD,    /* a connection that no worker has */
	LEDGER_SENDING, /* sent if page->send.msg_len says so */
	LEDGER_SENT,    /* to a worker, without a receipt */
	LEDGER_OTHER,   /* a connection that is refused or closed */
	LEDGER_PEER,    /* a receipt connection */
	LEDGER_DEAD,    /* one whose worker has died */
	LEDGER_READER,  /* a reading end of returns */
};

struct ledger_entry {
	uint8_t state; /* enum ledger_state */
	uint8_t deaths;
	uint16_t redeliveries;
	uint16_t returns; /* times that an engine died that had it */
	uint32_t peer;    /* where the receipt is to come from ... */
	uint32_t peer_id; /* if this is its id; of a peer: its own */
	uint64_t accept_time_ns;
	uint64_t sequence; /* that its receipt names */
};

#define LEDGER_UNSENT UINT32_MAX

#define LEDGER_COUNTERS 18

/* Memory that the engine shares with its keeper alone. */
struct ledger_page {
	uint32_t serving; /* START has come */
	uint32_t ended;   /* the engine ends by itself, and has nothing */
	uint32_t orphan_timeout_s;
	uint64_t orphan_until_ms; /* 0: it has a monitor */
	int rendezvous;           /* the listening socket, or -1 */
	uint32_t incoming; /* enum returned_kind: received, not noted yet */
	struct mmsghdr send;
	uint32_t passed_count;
	int passed[RECORD_MAX]; /* the bound sockets */
	uint32_t counters_count;
	int counters[LEDGER_COUNTERS]; /* files, see stats_find_file() */
	struct ledger_entry entries[];
};
