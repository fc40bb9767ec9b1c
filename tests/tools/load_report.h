/* SPDX-License-Identifier: ISC */
#pragma once

#include "load_counts.h"

/* Print the counts of a run that has ended, and sort its samples. */
void load_report_text(struct load_counts *counts);
void load_report_json(struct load_counts *counts);
