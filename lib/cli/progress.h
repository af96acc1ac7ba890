/* The line of progress on a terminal that the programs of a pipe share. */
#ifndef MIEN_CLI_PROGRESS_H
#define MIEN_CLI_PROGRESS_H

#include "mien/cli.h"

/* At the program's start: the last program of a pipe claims the line. */
void cli_progress_claim(void);

/* What is to be written before a message, so that it doesn't stand behind another program's
   line. */
const char *cli_progress_clear(void);

#endif
