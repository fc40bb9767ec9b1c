/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_LOAD_REPORT_H
#define TOOLS_LOAD_REPORT_H

#include "tally.h"

/* Print the accounts of a run that is over; they sort its samples. */
void load_report_text(struct tally *tally);
void load_report_json(struct tally *tally);

#endif
