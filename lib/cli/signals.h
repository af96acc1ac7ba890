/* What a signal that ends a program does before: it removes temporary files. */
#ifndef MIEN_CLI_SIGNALS_H
#define MIEN_CLI_SIGNALS_H

/* Catches SIGINT, SIGTERM, SIGHUP and SIGXCPU, but for those that are ignored, as nohup leaves
   them; and SIGBUS, of a mapped file that was cut short, which it names with the program's name.
   Ignores SIGXFSZ, so that a file that may not grow is a failed write. Part of mien_cli_parse. */
void cli_catch_signals(const char *program);

#endif
