/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include "tally.h"

/* Print the accounts of a run that is over; they sort its samples. */
void report_text(struct tally *tally);
void report_json(struct tally *tally);

#endif
