/* SPDX-License-Identifier: ISC */
#ifndef RECORD_RECORD_PARTS_H
#define RECORD_RECORD_PARTS_H

#include "record/record_kind.h"

/* The records that are no endpoints. */

struct record_header {
	uint32_t magic;
	uint32_t version;
	uint32_t size; /* of one record */
};

struct record_settings {
	uint32_t engine_uid, engine_gid;
	uint32_t endpoint_count; /* of those that the user asked for */
	uint32_t drain_timeout_s;
	uint32_t orphan_timeout_s; /* told by the rendezvous endpoint too */
	uint32_t watchdog_s;       /* between looks at the engine; 0: never */
};

/* What is wrong with the configuration, for a person to read. */
struct record_diagnostic {
	uint32_t warning; /* not an error: the configuration still counts */
	char text[RECORD_TEXT_SIZE];
};

#endif
