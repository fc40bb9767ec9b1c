/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_LOAD_REPORT_H
#define TOOLS_LOAD_REPORT_H

#include "load_counts.h"

/* Print the counts of a run that has ended, and sort its samples. */
void load_report_text(struct load_counts *counts);
void load_report_json(struct load_counts *counts);

#endif
