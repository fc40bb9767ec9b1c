/* SPDX-License-Identifier: ISC */
#pragma once

/* The whole of brokerd: returns the status to exit with. */
int monitor_main(int argc, char **argv);
