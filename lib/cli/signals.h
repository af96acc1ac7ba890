/* What a signal that ends a program does before: it removes temporary files. */
#ifndef MIEN_CLI_SIGNALS_H
#define MIEN_CLI_SIGNALS_H

/* Catches SIGINT, SIGTERM, SIGHUP and SIGXCPU, but for those that are ignored, as nohup leaves
   them; ignores SIGXFSZ, so that a file that may not grow is a failed write. Part of
   mien_cli_parse. */
void cli_catch_signals(void);

#endif
