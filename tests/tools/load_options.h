/* SPDX-License-Identifier: ISC */
#pragma once

#include "load.h"

/* Reads the load generator's command line into *load, or exits: with 0 after
 * --help, or with 64 and a message. */
void load_options_read(struct load *load, int argc, char **argv);
