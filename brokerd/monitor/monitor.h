/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

/* The whole of brokerd: returns the status to exit with. */
int monitor_main(int argc, char **argv);

#endif
